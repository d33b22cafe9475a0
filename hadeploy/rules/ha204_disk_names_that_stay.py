"""HA204: a disk by the name that the kernel gave it this time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import OcfMember
from hadeploy.spec.source import KeyPath

BY_ORDER = re.compile(
    r"^/dev/((sd|vd|xvd|hd)[a-z]+[0-9]*|(nvme[0-9]+(c[0-9]+)?n|mmcblk|md|nbd|loop|ram|zram|pmem|rbd|bcache)[0-9]+(p[0-9]+)?"
    r"|dm-[0-9]+|disk/by-path/.*-usb-.*)$"
)
"""Names that the kernel gives in the order in which it finds the devices."""


def _check(case: Case) -> Iterator[Found]:
    for what, disk, path in _disks(case):
        if BY_ORDER.match(disk):
            yield Found(f"{what} is on {disk}, a name that another disk can have after a reboot", path)


def _disks(case: Case) -> Iterator[tuple[str, str, KeyPath]]:
    for name, volume in case.volumes.items():
        for node, disk in volume.disks.items():
            if isinstance(disk, str):
                yield f"volume {name}", disk, ("volumes", name, "disks", node)
    topology = case.clustered
    if topology is None:
        return
    watchdog = topology.fencing.watchdog if topology.fencing is not None else None
    for index, disk in enumerate(watchdog.disks if watchdog is not None else ()):
        yield "the watchdog", disk, ("fencing", "watchdog", "disks", index)
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            device = member.parameters.get("device") if isinstance(member, OcfMember) else None
            if isinstance(device, str):
                yield (
                    f"member {member.name}",
                    device,
                    ("services", name, "members", index, "parameters", "device"),
                )


RULE = Rule(
    code="HA204",
    family=Family.DRBD,
    severity=Severity.WARNING,
    title="A disk is named by the order in which the kernel found it",
    reason="with one disk more, one less or a slower one the names are dealt out anew: the data is not found, or another disk"
    " is written to",
    mend="/dev/disk/by-id/... of the same disk (ls -l /dev/disk/by-id), or a logical volume",
    source="udev(7), SYMLINK; systemd's 60-persistent-storage.rules; LINBIT: DRBD's backing device by a persistent name",
    check=_check,
)
