"""HA132: a device that fences several members can tell them apart."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.fence_agents import ON_BOARD
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.fencing is None:
        return
    for name, device in topology.fencing.devices.items():
        if len(device.targets) < 2:
            continue
        who = " and ".join(device.targets)
        if device.agent in ON_BOARD:
            yield Found(
                f"{name} is the controller of one machine, and is to fence {who}",
                ("fencing", "devices", name, "targets"),
                "one device for each node",
            )
        for outlet in ("plug", "port"):
            if outlet in device.parameters:
                yield Found(
                    f"{name} switches outlet {device.parameters[outlet]}, whichever of {who} is meant",
                    ("fencing", "devices", name, "parameters", outlet),
                    f'pcmk_host_map: "{";".join(f"{node}:{number}" for number, node in enumerate(device.targets, 1))}"'
                    f" with each node's own outlet, in place of {outlet}",
                )


RULE = Rule(
    code="HA132",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="A device for several members knows which outlet is whose",
    reason="whichever member is lost, the same machine is switched off, and the lost one counts as off",
    mend="name each target's outlet in pcmk_host_map, or write one device for each node",
    source="pacemaker-fenced(7), pcmk_host_map and pcmk_host_argument",
    check=_check,
)
