"""HA023: fence devices are asked now and then whether they would work."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SHORTEST_MS = 60_000
LONGEST_MS = 600_000


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None or topology.fencing is None:
        return
    for name, device in topology.fencing.devices.items():
        place = ("fencing", "devices", name, "monitor_interval")
        if device.monitor_interval == 0:
            yield Found(f"nobody asks {name} whether it works", place)
        elif not SHORTEST_MS <= device.monitor_interval <= LONGEST_MS:
            yield Found(f"{name} is asked every {device.monitor_interval / 1000:g} s whether it works", place)


RULE = Rule(
    code="HA023",
    family=Family.FENCING,
    severity=Severity.WARNING,
    title="A fence device is asked every one to ten minutes whether it would work",
    reason="a dead device is noticed when it is needed, or a slow controller is kept busy until it no longer answers",
    mend="monitor_interval: 1min, up to 10min",
    source="Pacemaker Explained, Fencing: devices with a monitor; Clusters from Scratch, Configure Fencing",
    check=_check,
)
