"""Labs from topologies: the topology stays unchanged, the lab is laid out as it says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from hadeploy.design.secrets import Secret, Value
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.lab.plan import (
    DEFAULT_BACKEND,
    SERIAL_LENGTH,
    LabBmc,
    LabDisk,
    LabHost,
    LabNetwork,
    LabNode,
    LabPlan,
    short_serial,
)
from hadeploy.spec.given_file import first_line
from hadeploy.spec.load import LoadedTopology

LAB_FENCE_AGENTS = ("fence_ipmilan",)
"""Agents whose device the lab has: a BMC emulator. Others need hardware that no lab can have."""

VIRTIO_DISKS = "/dev/disk/by-id/virtio-"


def plan_lab(
    path: Path,
    *,
    backend: str = DEFAULT_BACKEND,
    disks: Sequence[LabDisk] = (),
    hosts: Sequence[LabHost] = (),
    installed: bool | None = None,
) -> tuple[LabPlan | None, Diagnostics]:
    """Read a topology and lay out its lab, of nodes of one ``backend``, each with spare ``disks``.

    ``hosts``: more hosts, which are no members.

    ``installed``: see :class:`~hadeploy.lab.plan.LabPlan`.
    """
    loaded, findings = load_valid(path)
    if loaded is None:
        return None, findings
    design = expand(loaded.topology)
    bmcs, bmc_findings = _bmcs(design, path.parent)
    found, disk_findings = _disks(design, disks)
    arbiter, arbiter_findings = _arbiter(design, loaded)
    findings = findings + bmc_findings + disk_findings + arbiter_findings + _refused_hosts(design, hosts)
    if findings.has_errors:
        return None, findings
    plan = LabPlan(
        name=design.name,
        networks=tuple(
            LabNetwork(s.name, s.subnets, _usual_interface(design, s.name)) for s in design.segments
        ),
        nodes=tuple(
            LabNode(
                name=member.name,
                release=design.release.name,
                addresses=member.addresses,
                management_address=member.management_address,
                disks=found[member.name],
                interfaces=member.interfaces,
                inventory_name=member.inventory_name,
            )
            for member in design.members
        )
        + arbiter
        + tuple(
            LabNode(host.name, design.release.name, ((host.network, host.address),), host.address)
            for host in hosts
        ),
        bmcs=bmcs,
        backend=backend,
        installed=installed,
        topology=str(path.resolve()),
    )
    return plan, findings


def _usual_interface(design: Design, segment: str) -> str:
    """What most members call theirs: for a host of which the topology says nothing."""
    names = [name for member in design.members if (name := member.interface(segment))]
    return max(names, key=names.count, default=segment[:15])


def _disks(
    design: Design, wished: Sequence[LabDisk]
) -> tuple[Mapping[str, tuple[LabDisk, ...]], Diagnostics]:
    """Disks by member: what the volumes are backed by, and ``wished`` ones, which go before those of the same name."""
    found: dict[str, dict[str, LabDisk]] = {member.name: {} for member in design.members}
    findings = []
    for volume in design.volumes:
        for replica in volume.replicas:
            if replica.volume_group:
                findings.append(
                    Diagnostic(
                        "LAB015",
                        f"the lab has no volume group {replica.volume_group} for volume {volume.name}",
                        detail="its machines have whole disks",
                        mend=f"name a disk of {replica.member} in a topology that a lab should run",
                    )
                )
            elif replica.disk:
                disk = _backing_disk(volume.name, replica.disk, volume.size)
                taken = found[replica.member].setdefault(disk.name, disk)
                if taken != disk:
                    findings.append(
                        Diagnostic(
                            "LAB016",
                            f"the lab cannot tell {disk.path or disk.name} of {replica.member} from {taken.path or taken.name}",
                            detail="a disk's serial number is the end of virtio-..., or the name of its volume",
                            mend="give one of the volumes another name",
                        )
                    )
    for disks in found.values():
        for disk in wished:
            path = disks[disk.name].path if disk.name in disks else disk.path
            disks[disk.name] = replace(disk, path=path)
    return {member: tuple(disks.values()) for member, disks in found.items()}, Diagnostics.of(findings)


def _backing_disk(volume: str, path: str, size: int) -> LabDisk:
    """The disk of a volume: its serial number is what the path says, or the volume's name."""
    serial = path.removeprefix(VIRTIO_DISKS)
    if serial != path and "/" not in serial and len(serial) <= SERIAL_LENGTH:
        return LabDisk(serial, size)
    return LabDisk(short_serial(volume), size, path)


def _arbiter(design: Design, loaded: LoadedTopology) -> tuple[tuple[LabNode, ...], Diagnostics]:
    """The quorum device's host: one more node, without a BMC. One that others set up has nobody here to do so."""
    device = design.arbiter
    if device is None:
        return (), Diagnostics()
    addresses = device.addresses or _on_its_network(design, device.address)
    if not addresses:
        finding = Diagnostic(
            "LAB070",
            f"the quorum device {device.host} ({device.address}) is on none of the topology's networks",
            loaded.source.span("cluster", "quorum_device", "address"),
            detail="a lab has these networks and no routes to others",
            mend="write its addresses on a network of the topology that a lab should run",
        )
        return (), Diagnostics((finding,))
    reached_at = device.management_address or device.address
    node = LabNode(
        device.host, design.release.name, addresses, reached_at, inventory_name=device.inventory_name
    )
    return (node,), Diagnostics()


def _refused_hosts(design: Design, hosts: Sequence[LabHost]) -> Diagnostics:
    """A host that is no member must not be mistaken for one, and must have somewhere to be."""
    segments = {segment.name: segment for segment in design.segments}
    known = "; ".join(f"{segment.name}: {', '.join(segment.subnets)}" for segment in design.segments)
    taken = {member.name for member in design.members}
    findings = []
    for host in hosts:
        if host.name in taken:
            findings.append(
                Diagnostic("LAB026", f"the lab has a node {host.name} already", mend="give it another name")
            )
        taken.add(host.name)
        subnets = segments[host.network].subnets if host.network in segments else ()
        if not any(ip_address(host.address) in ip_network(subnet) for subnet in subnets):
            findings.append(
                Diagnostic(
                    "LAB027",
                    f"{host.address} of {host.name} is not on a network {host.network} of the topology",
                    mend=f"an address of one of its networks ({known})",
                )
            )
    return Diagnostics.of(findings)


def _on_its_network(design: Design, address: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (segment.name, address)
        for segment in design.segments
        if any(ip_address(address) in ip_network(subnet) for subnet in segment.subnets)
    )


def _bmcs(design: Design, folder: Path) -> tuple[tuple[LabBmc, ...], Diagnostics]:
    if design.cluster is None:
        return (), Diagnostics()
    bmcs = []
    findings = []
    for device in design.cluster.fencing.devices:
        parameters = dict(device.parameters)
        if device.agent not in LAB_FENCE_AGENTS or len(device.targets) != 1 or "ip" not in parameters:
            findings.append(
                Diagnostic(
                    "LAB001",
                    f"the lab has no emulator for fencing device {device.name} ({device.agent})",
                    detail="a lab fences for real, so a device that it cannot emulate would fail every fencing",
                    mend="use fence_ipmilan with an ip and one target in a topology that a lab should run",
                )
            )
            continue
        values = {
            key: _resolve(parameters[key], folder)
            for key in ("ip", "username", "password")
            if key in parameters
        }
        missing = [key for key in ("username", "password") if values.get(key) is None]
        if missing:
            findings.append(
                Diagnostic(
                    "LAB002",
                    f"fencing device {device.name} has no value for {' and '.join(missing)}",
                    detail="the lab's BMC emulator asks for the same credentials as the real one",
                    mend=_how_to_give(parameters, missing),
                )
            )
            continue
        bmcs.append(
            LabBmc(
                address=values["ip"] or "",
                node=device.targets[0],
                username=values["username"] or "",
                password=values["password"] or "",
                port=int(str(parameters.get("ipport", 623))),
            )
        )
    return tuple(bmcs), Diagnostics.of(findings)


def _resolve(value: Value, folder: Path) -> str | None:
    """The value of a reference as far as the lab can read it; vault variables are for an apply alone."""
    if isinstance(value, str):
        return value
    if value.source == "env":
        return os.environ.get(value.reference)
    if value.source == "file":
        file = folder / value.reference
        try:
            return first_line(file).decode("utf-8") or None
        except (OSError, UnicodeDecodeError):
            return None
    return None


def _how_to_give(parameters: dict[str, Value], missing: list[str]) -> str:
    ways = []
    for key in missing:
        value = parameters.get(key)
        if not isinstance(value, Secret):
            ways.append(f"write the parameter {key}")
        elif value.source == "env":
            ways.append(f"export {value.reference}=...")
        elif value.source == "file":
            ways.append(f"write it to {value.reference}")
        else:
            ways.append(f"the lab cannot read vault variables: refer to {key} by env or file")
    return "; ".join(ways)
