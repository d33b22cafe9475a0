"""HA028: who waits for a watchdog waits long enough."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.fencing import SBD_AGENT, Fencing, Watchdog
from hadeploy.spec.topology import ClusteredTopology

PLACE = ("fencing", "watchdog")


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or topology.fencing is None or cluster is None:
        return
    watchdog = topology.fencing.watchdog
    if watchdog is None:
        for name, device in topology.fencing.devices.items():
            if device.agent == SBD_AGENT:
                yield Found(
                    f"{name} leaves messages on a disk, and no node has a watchdog that reads them",
                    ("fencing", "devices", name, "agent"),
                    "watchdog: {timeout: 15s, disks: [...]} under fencing",
                )
        return
    if watchdog.timeout % 1000 or watchdog.timeout == 0:
        yield Found("the watchdog counts in whole seconds", (*PLACE, "timeout"), "timeout: 5s")
    yield from (
        _with_disks(topology, topology.fencing, watchdog)
        if watchdog.disks
        else _without_disks(case, watchdog)
    )


def _with_disks(topology: ClusteredTopology, fencing: Fencing, watchdog: Watchdog) -> Iterator[Found]:
    if len(watchdog.disks) == 2:
        yield Found(
            "with two disks, the loss of one takes the majority",
            (*PLACE, "disks"),
            "one disk, or three in three places",
        )
    wait = watchdog.message_wait_ms
    if wait < 2 * watchdog.timeout:
        yield Found(
            f"a message counts as delivered after {wait / 1000:g} s, and the watchdog may take"
            f" {watchdog.timeout / 1000:g} s",
            (*PLACE, "message_wait"),
            f"message_wait: {2 * watchdog.timeout / 1000:g}s, and the disks made with -4 {2 * watchdog.timeout // 1000}",
        )
    served: set[str] = set()
    for name, device in fencing.devices.items():
        if device.agent != SBD_AGENT:
            continue
        served.update(device.targets)
        if device.timeout * 10 < wait * 12:
            yield Found(
                f"{name} is given up after {device.timeout / 1000:g} s, and a message takes {wait / 1000:g} s",
                ("fencing", "devices", name, "timeout"),
                f"timeout: {wait * 12 / 10_000:g}s or more",
            )
        written = device.parameters.get("devices")
        if isinstance(written, str) and set(written.replace(";", ",").split(",")) != set(watchdog.disks):
            yield Found(
                f"{name} writes to other disks than the watchdogs read",
                ("fencing", "devices", name, "parameters", "devices"),
                "leave devices out: they are those of watchdog.disks",
            )
    for node in topology.nodes:
        if node not in served:
            yield Found(
                f"the disks carry no message for {node}: no device with {SBD_AGENT} names it",
                (*PLACE, "disks"),
                f"a device with agent: {SBD_AGENT} and {node} among its targets",
            )


def _without_disks(case: Case, watchdog: Watchdog) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is not None and len(case.design.members) == 2 and cluster.membership.quorum.device is None:
        yield Found(
            "of two nodes that lose sight of each other both keep quorum, so neither watchdog resets anyone",
            PLACE,
            "a quorum_device, a third node, or a shared disk under watchdog.disks",
        )
    after = watchdog.power_off_after_ms
    if after < 2 * watchdog.timeout:
        yield Found(
            f"a lost node counts as off after {after / 1000:g} s, and its watchdog may take"
            f" {watchdog.timeout / 1000:g} s",
            (*PLACE, "power_off_after"),
            f"power_off_after: {2 * watchdog.timeout / 1000:g}s, or leave it out",
            Severity.WARNING if after > watchdog.timeout else None,
        )


RULE = Rule(
    code="HA028",
    family=Family.FENCING,
    severity=Severity.ERROR,
    title="Who waits for a watchdog waits until it has certainly struck",
    reason="a node counts as off while it still runs: its services get a second owner",
    mend="message_wait and power_off_after at least twice the watchdog's timeout; one disk or three",
    source="sbd(8), timeouts; pacemaker-controld(7), stonith-watchdog-timeout; SUSE HA guide, storage protection",
    check=_check,
)
