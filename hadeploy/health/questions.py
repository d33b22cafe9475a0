"""What each host of a design is asked before an apply, besides what every reading says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hadeploy.design.design import Design
from hadeploy.design.fencing import FencingDevice
from hadeploy.design.membership import Member, QuorumDevice
from hadeploy.health.hosts import paths
from hadeploy.spec.catalogue import find_agent

IPMI_PORT = 623
"""RMCP (IPMI 2.0, 13.2): agents that take this port by default speak IPMI."""

SNMP_PORT = 161
"""Asked with a community or a user, which no probe sends: their own agents ask later."""

SSH_PORT, TLS_PORT = 22, 443


def deep_questions(design: Design) -> dict[str, dict[str, Any]]:
    """Host -> its questions, in the words of ``hadeploy.observe.probe.main``."""
    questions = {member.name: _member(design, member) for member in design.members}
    device = design.arbiter
    if device is not None and device.managed:
        questions.setdefault(device.host, {"sockets": {}, "upkeep": {"power_key": False}})
    return questions


def _member(design: Design, member: Member) -> dict[str, Any]:
    disks = [
        replica.disk
        for volume in design.volumes
        for replica in volume.diskful
        if replica.member == member.name and not replica.volume_group
    ]
    volumes = any(replica.member == member.name for volume in design.volumes for replica in volume.replicas)
    fences = [
        {"device": device.name, "address": address, "port": port, "protocol": protocol}
        for device, address, port, protocol in fence_doors(design)
        if member.name not in device.avoids
    ]
    pings = [
        {"source": address, "target": target}
        for _, name, address, _, target in paths(design)
        if name == member.name
    ]
    arbiter = design.arbiter
    if arbiter is not None:
        pings.append({"source": "", "target": arbiter.address})
        fences.append(
            {
                "device": arbiter_door(arbiter),
                "address": arbiter.address,
                "port": arbiter.port,
                "protocol": "tcp",
            }
        )
    return {
        "sockets": {},
        "storage": {"modules": ["drbd"] if volumes else [], "disks": disks},
        "upkeep": {"power_key": bool(on_board(design, member))},
        "pings": pings,
        "neighbors": [
            *(
                {"address": target, "near": [address]}
                for segment, name, address, _, target in paths(design)
                if name == member.name and segment
            ),
            *(
                {"address": virtual.address, "near": list(member.on(virtual.segment))}
                for virtual in design.virtual_addresses
                if member.on(virtual.segment)
            ),
        ],
        "fencing": fences,
    }


def arbiter_door(device: QuorumDevice) -> str:
    """How the question at the quorum device's own port is called; it is asked as a fence device is."""
    return f"quorum device {device.host}"


def fence_doors(design: Design) -> Iterator[tuple[FencingDevice, str, int, str]]:
    """Fence devices with an address, the port at which their agent asks, and how (``udp`` for IPMI, ``tcp``)."""
    if design.cluster is None or not design.cluster.fencing.enabled:
        return
    for device in design.cluster.fencing.devices:
        given = {name: value for name, value in device.parameters if isinstance(value, str)}
        address = given.get("ip") or given.get("ipaddr", "")
        agent = find_agent(design.release.name, device.agent)
        defaults = {parameter.name: parameter.default for parameter in agent.parameters} if agent else {}
        usual = defaults.get("ipport", "")
        port = given.get("ipport") or usual
        if not address or not port.isdecimal() or int(port) == SNMP_PORT or usual == str(SNMP_PORT):
            continue
        if usual == str(IPMI_PORT):
            yield device, address, int(port), "udp"
        else:
            yield (
                device,
                address,
                int(port) if "ipport" in given else _secured(given, defaults, int(port)),
                "tcp",
            )


def _secured(given: dict[str, str], defaults: dict[str, str], port: int) -> int:
    """Fencing agents take another port where they are told to encrypt and no port is written (fencing library)."""
    on = {
        name
        for name in ("ssl", "ssh", "secure")
        if given.get(name, defaults.get(name, "")) in ("1", "true", "yes", "on")
    }
    if "ssl" in on:
        return TLS_PORT
    return SSH_PORT if on else port


ON_BOARD = (
    "fence_ipmilan",
    "fence_idrac",
    "fence_imm",
    "fence_drac5",
    "fence_redfish",
    "fence_rsa",
    "fence_ilo",
)
"""Agents of controllers that press the power key of the machine that they are in (fence_ilo stands for its whole family)."""


def on_board(design: Design, member: Member) -> tuple[str, ...]:
    """Fence devices of a member that are part of it."""
    if design.cluster is None or not design.cluster.fencing.enabled:
        return ()
    return tuple(
        device.name
        for device in design.cluster.fencing.devices
        if device.targets == (member.name,) and device.agent.startswith(ON_BOARD)
    )
