"""HA131: two devices of different members do not switch the same machine."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.fence_agents import ON_BOARD
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.fencing import FencingDevice

Switch = tuple[str, ...]


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.fencing is None:
        return
    seen: dict[Switch, str] = {}
    for name, device in topology.fencing.devices.items():
        switch = _switch(device)
        if switch is None:
            continue
        other = seen.setdefault(switch, name)
        targets = topology.fencing.devices[other].targets
        if other != name and targets != device.targets:
            what = f"{switch[0]}, outlet {switch[2]}" if switch[2] else switch[0]
            yield Found(
                f"{name} for {device.targets[0]} and {other} for {targets[0]} switch the same machine ({what})",
                ("fencing", "devices", name, "parameters"),
            )


def _switch(device: FencingDevice) -> Switch | None:
    """Address, port and outlet; None where the outlet is told by the name of the target, or several are."""
    parameters = device.parameters
    address = parameters.get("ip", parameters.get("ipaddr"))
    outlet = parameters.get("plug", parameters.get("port"))
    if len(device.targets) != 1 or not isinstance(address, str):
        return None
    if device.agent in ON_BOARD:
        return (address, str(parameters.get("ipport", "")), "")
    if isinstance(outlet, str | int):
        return (address, str(parameters.get("ipport", "")), str(outlet))
    return None


RULE = Rule(
    code="HA131",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="Devices of different members switch different machines",
    reason="when one member is lost, the healthy one is switched off in its place and the lost one counts as off",
    mend="give each device the address, or the outlet, of its own target",
    source="fence_ipmilan(8): the agent knows no target but its address; Pacemaker Explained, Fencing: pcmk_host_list",
    check=_check,
)
