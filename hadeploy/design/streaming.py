"""Databases of the topology to databases of the design."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.design.databases import Login, ReplicatedDatabase
from hadeploy.design.hosting import Flow
from hadeploy.design.membership import Member, Segment
from hadeploy.design.promotable import RoleOperation, role_operations
from hadeploy.design.release import Release
from hadeploy.design.secrets import Secret, secret_reference
from hadeploy.spec.agents import advised_timeout
from hadeploy.spec.database import AccessRule, Database
from hadeploy.spec.databases import nodes_of
from hadeploy.spec.topology import ClusteredTopology

PGSQL_AGENT = "ocf:heartbeat:pgsql"


def expand_databases(
    topology: ClusteredTopology, release: Release, members: tuple[Member, ...], segments: tuple[Segment, ...]
) -> tuple[ReplicatedDatabase, ...]:
    """All databases in the order of the topology."""
    return tuple(_database(topology, release, members, segments, name) for name in topology.databases)


def _database(
    topology: ClusteredTopology,
    release: Release,
    members: tuple[Member, ...],
    segments: tuple[Segment, ...],
    name: str,
) -> ReplicatedDatabase:
    wish = topology.databases[name]
    group_name, group = next(
        (each, group) for each, group in topology.services.items() if name in group.databases
    )
    virtual = topology.virtual_addresses[wish.address or group.addresses[0]]
    primary = ipaddress.ip_interface(virtual.address).ip
    nodes = nodes_of(topology, wish)
    subnets = {segment.name: segment.subnets for segment in segments}
    return ReplicatedDatabase(
        name=name,
        group=group_name,
        version=wish.version or release.postgresql,
        port=wish.port,
        members=tuple(
            (member.name, _of_family(member.on(virtual.network), primary.version))
            for member in members
            if member.name in nodes
        ),
        primary_address=str(primary),
        synchronous=wish.replication == "synchronous",
        settings=tuple((key, _text(value)) for key, value in sorted(wish.settings.items())),
        logins=tuple(_login(rule, subnets) for rule in wish.access),
        secret=Secret(f"postgresql-{name}", "generated", secret_reference("postgresql", name)),
        operations=_operations(release.name, wish),
        failure_timeout_ms=group.failure_timeout,
        was=wish.was or "",
    )


def _of_family(addresses: tuple[str, ...], version: int) -> str:
    return next(each for each in addresses if ipaddress.ip_address(each).version == version)


def _text(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _login(rule: AccessRule, subnets: dict[str, tuple[str, ...]]) -> Login:
    sources = subnets.get(rule.network) or (str(ipaddress.ip_network(rule.network)),)
    return Login(rule.database, rule.user, sources, rule.method, rule.tls)


def _operations(release: str, wish: Database) -> tuple[RoleOperation, ...]:
    """A start may be a rewind first, so it is given no less than the agent advises for itself alone."""
    start = max(wish.operations.start, advised_timeout(release, PGSQL_AGENT, "start"))
    return role_operations(release, PGSQL_AGENT, wish.operations, start=start)


def database_flows(databases: tuple[ReplicatedDatabase, ...]) -> tuple[Flow, ...]:
    """Each member takes connections of the other members, and of those who may log in; nobody else is let in."""
    return tuple(flow for database in databases for flow in _flows(database))


def _flows(database: ReplicatedDatabase) -> Iterator[Flow]:
    copies = tuple(address for _, address in database.members)
    yield Flow(f"copies of database {database.name}", "tcp", (database.port,), copies, database.names)
    sources = [
        ipaddress.ip_network(source)
        for login in database.logins
        if login.method != "reject"
        for source in login.sources
    ]
    clients = (
        *map(str, ipaddress.collapse_addresses(each for each in sources if each.version == 4)),
        *map(str, ipaddress.collapse_addresses(each for each in sources if each.version == 6)),
    )
    if clients:
        yield Flow(f"clients of database {database.name}", "tcp", (database.port,), clients, database.names)
