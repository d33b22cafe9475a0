"""What volumes need: DRBD in the kernel in the version that is compiled for, and disks. Their content is a role's to judge."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.health.hosts import Hosts
from hadeploy.health.problem import HostProblem
from hadeploy.observe.facts import Unknown

MIB = 1024 * 1024

UNTOLD = "?"
"""Of a module that is there, and whose version nobody says."""


def module_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """The kernel module of each member with a replica."""
    for member, facts in hosts.members():
        volumes = [v for v in hosts.design.volumes if any(r.member == member.name for r in v.replicas)]
        if not volumes or isinstance(facts.modules, Unknown):
            continue
        wanted = volumes[0].generation
        found = facts.modules.get("drbd", "")
        if found == UNTOLD or found.split(".")[0] == wanted.split(".")[0]:
            continue
        kernel = "" if isinstance(facts.kernel, Unknown) else facts.kernel
        yield HostProblem(
            "HOST030",
            member.name,
            f"kernel module drbd {wanted}",
            f"drbd {found}" if found else f"kernel {kernel} has no module drbd",
            f'write drbd_version: "{"9" if found.startswith("9") else "8.4"}", or install the other module on {member.name}'
            if found
            else f"boot a kernel that has it on {member.name} (package linux-image-amd64), and see: modinfo drbd"
            if wanted != "9"
            else f"install drbd-dkms (LINBIT) for kernel {kernel} on {member.name}",
        )


def disk_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Disks that are there under another name, or too small."""
    for volume in hosts.design.volumes:
        for replica in volume.diskful:
            facts = hosts.facts.get(replica.member)
            disk = facts.disks.get(replica.disk) if facts is not None else None
            if disk is None or replica.volume_group:
                continue
            expected = f"volume {volume.name}: {replica.disk}, a disk of {volume.size // MIB} MiB or more"
            where = f"volumes.{volume.name}"
            if disk.error:
                fix = f"connect it, or correct the disk of {replica.member} in {where}: lsblk on {replica.member}"
                yield HostProblem("HOST031", replica.member, expected, disk.error, fix)
            elif disk.size < volume.size or disk.read_only:
                found = "it is read-only" if disk.read_only else f"it has {disk.size // MIB} MiB"
                fix = (
                    f"take a larger disk, or write a smaller {where}.size"
                    if not disk.read_only
                    else "make it writable"
                )
                yield HostProblem("HOST031", replica.member, expected, found, fix)
