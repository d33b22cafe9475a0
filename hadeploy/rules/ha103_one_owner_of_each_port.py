"""HA103: every port of a member has one owner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import NginxMember, OcfMember
from hadeploy.spec.source import KeyPath
from hadeploy.spec.topology import ActiveActive

SSH_PORT = 22
EVERYWHERE = "every address"


@dataclass(frozen=True, slots=True)
class _Listener:
    """Who listens on a TCP port of a member; ``address`` empty where only the program itself knows."""

    who: str
    port: int
    address: str
    place: KeyPath


def _check(case: Case) -> Iterator[Found]:
    for first, second in combinations(_listeners(case), 2):
        if (
            first.port == second.port
            and _meet(first.address, second.address)
            and not _databases(first, second)
        ):
            yield Found(
                f"{second.who} and {first.who} both listen on port {second.port}", second.place or first.place
            )
    for volume in case.design.volumes:
        databases = {database.port: database.name for database in case.design.databases}
        if volume.port == SSH_PORT or volume.port in databases:
            other = "sshd" if volume.port == SSH_PORT else f"database {databases[volume.port]}"
            yield Found(
                f"volume {volume.name} and {other} both listen on port {volume.port}",
                ("volumes", volume.name, "port"),
            )
    device = case.design.arbiter
    if device is not None and device.port == SSH_PORT:
        yield Found(
            f"the quorum device and sshd both listen on port {SSH_PORT} of {device.host}",
            ("cluster", "quorum_device", "port"),
        )


def _databases(one: _Listener, other: _Listener) -> bool:
    """Two databases of one node: SPEC107."""
    return one.place[:1] == other.place[:1] == ("databases",)


def _meet(one: str, other: str) -> bool:
    """Whether the kernel refuses the second: a listener on every address meets all others of its port."""
    return EVERYWHERE in (one, other) or (one == other != "")


def _listeners(case: Case) -> list[_Listener]:
    topology = case.loaded.topology
    found = [_Listener("sshd", SSH_PORT, EVERYWHERE, ())]
    if not isinstance(topology, ActiveActive):
        for name, group in topology.services.items():
            for index, member in enumerate(group.members):
                if isinstance(member, OcfMember):
                    continue
                place: KeyPath = ("services", name, "members", index)
                found += _unit(member.name, member.ports_used, place, nginx=isinstance(member, NginxMember))
        for name, database in topology.databases.items():
            found.append(
                _Listener(f"database {name}", database.port, EVERYWHERE, ("databases", name, "port"))
            )
        return found
    for name, service in topology.local_services.items():
        found += _unit(
            name, service.ports_used, ("local_services", name), nginx=isinstance(service, NginxMember)
        )
    balancer = topology.load_balancer
    for name, frontend in balancer.frontends.items():
        for address in frontend.addresses:
            here = ("load_balancer", "frontends", name, "port")
            found.append(_Listener(f"frontend {name}", frontend.port, address, here))
    for what, port in (("peers_port", balancer.peers_port), ("statistics_port", balancer.statistics_port)):
        found.append(
            _Listener(f"HAProxy's {what}", port, topology.management_network, ("load_balancer", what))
        )
    return found


def _unit(name: str, ports: tuple[int, ...], place: KeyPath, *, nginx: bool) -> list[_Listener]:
    """The nginx that hadeploy sets up listens on every address; of other units only they know on which."""
    where = (*place, "port") if nginx else (*place, "ports")
    return [_Listener(name, port, EVERYWHERE if nginx else "", where) for port in ports]


RULE = Rule(
    code="HA103",
    family=Family.SECURITY,
    severity=Severity.ERROR,
    title="No two programs that may run on one node listen on one port",
    reason="the second does not start: in a cluster that shows only when a service moves to the node of another, "
    "which is when it is needed",
    mend="give each a port of its own; clients see only the virtual address",
    source="bind(2), EADDRINUSE; firewalld's services high-availability and ssh for the ports",
    check=_check,
)
