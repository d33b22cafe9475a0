"""HA181: where fencing takes access away, every node is given it when it joins."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or topology.fencing is None or cluster is None:
        return
    unfencing = [device for device in cluster.fencing.devices if device.unfences]
    served = {target for device in unfencing for target in device.targets}
    lacking = [node for node in topology.nodes if node not in served]
    if unfencing and lacking:
        first = unfencing[0]
        yield Found(
            f"{first.name} gives {', '.join(sorted(served))} access when they join, and nothing gives it to"
            f" {', '.join(lacking)}",
            ("fencing", "devices", first.name, "targets"),
            f"targets: [{', '.join(topology.nodes)}] at {first.name}, or a device like it for {', '.join(lacking)}",
        )


RULE = Rule(
    code="HA181",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="Fencing takes access away, and some node is never given it",
    reason="with a device that provides unfencing every resource waits until its node was unfenced: on the others nothing "
    "is started, or it starts without the storage",
    mend="name every node under the targets of the devices that cut storage off",
    source="Pacemaker Explained, Resources: requires (unfencing), provides; Fencing: unfencing",
    check=_check,
)
