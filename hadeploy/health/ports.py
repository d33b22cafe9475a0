"""Ports that the design's daemons take, and who has them now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from hadeploy.daemons.registry import shares
from hadeploy.design.design import Design
from hadeploy.design.flows import COROSYNC_PORT
from hadeploy.health.hosts import Hosts
from hadeploy.health.problem import HostProblem
from hadeploy.observe.facts import HostFacts, Listening, Unknown, Upkeep

SYSTEMD = "systemd"
PACEMAKER = "pacemaker.service"
"""What agents start is in its control group."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port that something of the design listens on; ``address`` is empty for all of a host's."""

    who: str
    protocol: str
    port: int
    address: str = ""

    def meets(self, socket: Listening) -> bool:
        """Whether both cannot be there at once: one port, and an address in common (ip(7), EADDRINUSE)."""
        if (socket.protocol, socket.port) != (self.protocol, self.port):
            return False
        if not self.address or socket.anywhere:
            return True
        return ip_address(self.address) == socket.address

    def __str__(self) -> str:
        return f"{self.protocol.upper()} port {self.port}{f' of {self.address}' if self.address else ''}"


def wanted_ports(design: Design, host: str) -> Iterator[Wanted]:
    """All that daemons of the design will listen on at a host, once it runs there."""
    member = next((member for member in design.members if member.name == host), None)
    device = design.arbiter
    if device is not None and device.managed and host == device.host:
        yield Wanted("corosync-qnetd", "tcp", device.port)
    if member is None:
        return
    if design.cluster is not None:
        for link in design.cluster.membership.links:
            yield Wanted("corosync", "udp", COROSYNC_PORT + link.number, dict(link.addresses).get(host, ""))
    if design.balancer is not None:
        for frontend in design.balancer.frontends:
            yield from (
                Wanted(f"HAProxy ({frontend.name})", "tcp", port, address) for address, port in frontend.binds
            )
        for port, addresses in (
            (design.balancer.peers_port, design.balancer.peers),
            (design.balancer.statistics_port, design.balancer.statistics),
        ):
            yield Wanted("HAProxy", "tcp", port, dict(addresses).get(host, ""))
    for site in design.sites:
        if host in site.members:
            yield Wanted(f"nginx ({site.name})", "tcp", site.port)
    for volume in design.volumes:
        for replica in volume.replicas:
            if replica.member == host:
                yield Wanted(f"DRBD ({volume.name})", "tcp", volume.port, replica.address)
    for database in design.databases:
        if host in database.names:
            yield Wanted(f"PostgreSQL ({database.name})", "tcp", database.port)


def port_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Ports that somebody else has."""
    for host, facts in hosts.facts.items():
        if isinstance(facts.listening, Unknown):
            continue
        told = set()
        for wish in dict.fromkeys(wanted_ports(hosts.design, host)):
            for socket in facts.listening:
                named = socket.process or socket.unit
                if not wish.meets(socket) or not named or (wish.port, wish.protocol, named) in told:
                    continue
                if _ours(hosts.design, host, facts, socket):
                    continue
                told.add((wish.port, wish.protocol, named))
                who = socket.process + (f" ({socket.unit})" if socket.unit else "")
                yield HostProblem(
                    "HOST029",
                    host,
                    f"{wish} is free for {wish.who}",
                    f"{who or 'a process'} listens at {_place(socket)}",
                    f"stop it on {host} ({_how_to_stop(socket)}), or give {wish.who} another port",
                )


def _how_to_stop(socket: Listening) -> str:
    """Of a unit that systemd starts at the first connection, the socket is systemd's own."""
    if socket.process == SYSTEMD:
        return f"systemctl list-sockets names its unit: {_place(socket)}"
    stoppable = socket.unit.endswith((".service", ".socket"))
    return (
        f"systemctl disable --now {socket.unit}"
        if stoppable
        else f"ss -lntup names the process: {_place(socket)}"
    )


def _place(socket: Listening) -> str:
    address = f"[{socket.address}]" if socket.address.version == 6 else str(socket.address)
    return f"{address}:{socket.port}"


def _ours(design: Design, host: str, facts: HostFacts, socket: Listening) -> bool:
    """What a former apply brought, and units of the design: whoever started those is asked about by name (APPLY095)."""
    ours = {
        *(facts.upkeep.owned_units if isinstance(facts.upkeep, Upkeep) else ()),
        *(unit.name for share in shares(design) if share.host == host for unit in share.units),
        *(unit.unit for unit in design.units if host in unit.members),
        PACEMAKER,
    }
    # An instance belongs to the unit that starts it: postgresql@15-main.service to postgresql.service.
    return socket.unit in ours or re.sub(r"@[^.]*\.", ".", socket.unit) in ours
