"""HA057: every port, minor and disk belongs to one volume."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

PARTITION = re.compile(
    r"(/dev/(?:sd|vd|xvd|hd)[a-z]+)[0-9]+|(/dev/(?:nvme[0-9]+n|mmcblk|md|nbd|loop)[0-9]+)p[0-9]+|(/dev/disk/.+)-part[0-9]+"
)
"""A partition by its name, and the disk that it is on (Documentation/admin-guide/devices.txt of Linux; udev(7))."""


def _check(case: Case) -> Iterator[Found]:
    for first, second in combinations(case.design.volumes, 2):
        here = ("volumes", second.name)
        if {replica.member for replica in first.replicas} & {replica.member for replica in second.replicas}:
            if first.port == second.port:
                yield Found(
                    f"{first.name} and {second.name} both listen on port {first.port}", (*here, "port")
                )
            if first.minor == second.minor:
                yield Found(f"{first.name} and {second.name} both are {first.device}", (*here, "minor"))
        for replica in first.diskful:
            other = second.replica(replica.member)
            if other is not None and _overlap(other.disk, replica.disk):
                yield Found(
                    f"{first.name} and {second.name} both have {min(other.disk, replica.disk, key=len)} on {replica.member}",
                    (*here, "disks", replica.member),
                )
    yield from _services(case)


def _overlap(one: str, other: str) -> bool:
    """Whether two devices are one, or the one is a partition of the other: sdb1, nvme0n1p1, by-id/x-part1."""
    return one == other or one == _disk(other) or other == _disk(one)


def _disk(device: str) -> str:
    """The disk that a partition is on; empty for what is none."""
    match = PARTITION.fullmatch(device)
    return next(group for group in match.groups() if group) if match is not None else ""


def _services(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    used = {port: name for name, group in topology.services.items() for port in group.ports_used}
    for volume in case.design.volumes:
        if volume.port in used:
            yield Found(
                f"volume {volume.name} and service {used[volume.port]} both use port {volume.port}",
                ("volumes", volume.name, "port"),
            )


RULE = Rule(
    code="HA057",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="Every port, minor number and backing disk belongs to one volume",
    reason="the second volume does not come up on that node: it has no second copy, and nobody to fail over to",
    mend="leave port and minor out: they are derived from the name; give every volume a disk of its own",
    source="drbd.conf(5), address, device minor and meta-disk",
    check=_check,
)
