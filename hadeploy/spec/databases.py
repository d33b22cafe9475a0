"""What typing cannot see of databases: names, addresses, who has them, settings that are not the topology's to make."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.spec.database import Database
from hadeploy.spec.database_settings import check_settings
from hadeploy.spec.homes import chosen_elsewhere
from hadeploy.spec.load import LoadedTopology, did_you_mean
from hadeploy.spec.names import zoneless
from hadeploy.spec.service import ServiceGroup
from hadeploy.spec.source import SourceMap
from hadeploy.spec.topology import ActiveActive, ClusteredTopology

Findings = Iterator[Diagnostic]

PACKAGED = "main"
"""What Debian's package calls the instance that it makes itself when it is installed."""


def check_databases(loaded: LoadedTopology) -> Diagnostics:
    """All findings about the databases of a typed topology."""
    topology, source = loaded.topology, loaded.source
    if isinstance(topology, ActiveActive):
        return Diagnostics()
    names = list(_names(topology, source))
    return Diagnostics.of(
        [
            *names,
            *_users(topology, source),
            *_members(topology, source),
            *_access(topology, source),
            *_certificates(topology, source),
            *_settings(topology, source),
            *_ports(topology, source),
            *(() if names else _homes(topology, source)),
        ]
    )


def nodes_of(topology: ClusteredTopology, database: Database) -> tuple[str, ...]:
    """Who has a copy, in the order of the topology."""
    return tuple(node for node in topology.nodes if not database.nodes or node in database.nodes)


def _names(topology: ClusteredTopology, source: SourceMap) -> Findings:
    for name, database in topology.databases.items():
        here = ("databases", name)
        for index, node in enumerate(database.nodes):
            if node not in topology.nodes:
                yield Diagnostic(
                    "SPEC030",
                    f"there is no node {node}",
                    source.span(*here, "nodes", index),
                    mend=did_you_mean(node, topology.nodes),
                )
        if len(nodes_of(topology, database)) < 2:
            yield Diagnostic(
                "SPEC100",
                f"database {name} is on one node alone",
                source.span(*here, "nodes") if database.nodes else source.key_span(*here),
                detail="nothing follows it, so its node takes the data with it",
                mend="name a second node",
            )
        if name == PACKAGED:
            yield Diagnostic(
                "SPEC101",
                f"a database cannot be called {name}",
                source.key_span(*here),
                detail="Debian's package makes an instance of that name when it is installed, and hadeploy touches nothing"
                " that it did not make",
                mend="name it by what is in it",
            )
        if name in topology.volumes:
            yield Diagnostic(
                "SPEC043",
                f"the name {name} is taken by volume {name}",
                source.key_span(*here),
                detail="--wipe NAME@NODE would mean either",
            )


def _users(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """Every database belongs to exactly one service, whose address leads to its primary."""
    users: dict[str, list[str]] = {name: [] for name in topology.databases}
    unknown = False
    for name, group in topology.services.items():
        for index, database in enumerate(dict.fromkeys(group.databases)):
            place = source.span("services", name, "databases", index)
            if database not in users:
                unknown = True
                mend = did_you_mean(database, topology.databases)
                yield Diagnostic("SPEC030", f"there is no database {database}", place, mend=mend)
                continue
            users[database].append(name)
            if len(users[database]) > 1:
                yield Diagnostic(
                    "SPEC102",
                    f"database {database} belongs to {' and '.join(users[database])}",
                    place,
                    detail="its primary is on one node; two services would pull it two ways",
                    mend="make the services one, or write on_top_of at the other",
                )
            yield from _address(topology, source, name, group, database)
    for database, names in users.items():
        if not names and not unknown:
            yield Diagnostic(
                "SPEC103",
                f"nobody uses database {database}",
                source.key_span("databases", database),
                mend="name it in a service's databases, or remove it",
            )


def _address(
    topology: ClusteredTopology, source: SourceMap, service: str, group: ServiceGroup, name: str
) -> Findings:
    database = topology.databases[name]
    if not group.addresses:
        yield Diagnostic(
            "SPEC104",
            f"service {service} has no virtual address, by which standbys would find the primary of {name}",
            source.key_span("services", service),
            mend="write one under virtual_addresses, and name it in addresses",
        )
        return
    wished = database.address or group.addresses[0]
    if wished not in group.addresses:
        yield Diagnostic(
            "SPEC104",
            f"{wished} is no address of service {service}, which has database {name}",
            source.span("databases", name, "address"),
            detail="standbys would look for the primary where it is not",
            mend=f"one of: {', '.join(group.addresses)}",
        )
        return
    virtual = topology.virtual_addresses.get(wished)
    if virtual is None or virtual.network not in topology.networks:
        return
    family = ipaddress.ip_interface(virtual.address).version
    for node in nodes_of(topology, database):
        own = topology.nodes[node].addresses.get(virtual.network, ())
        if not any(ipaddress.ip_address(each).version == family for each in own):
            yield Diagnostic(
                "SPEC033",
                f"node {node} has no IPv{family} address on {virtual.network}, over which database {name} is replicated",
                source.span("nodes", node, "addresses"),
            )


def _members(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """Addresses stay until the primary has handed over its last write, so nothing else may stand in between."""
    for name, group in topology.services.items():
        if not group.databases:
            if not group.members:
                yield Diagnostic(
                    "SPEC105",
                    f"service {name} has no members",
                    source.key_span("services", name),
                    detail="there is nothing to run",
                    mend="write members, or databases",
                )
            continue
        for key in ("members", "volumes"):
            if getattr(group, key):
                yield Diagnostic(
                    "SPEC105",
                    f"service {name} has databases and {key}",
                    source.key_span("services", name, key),
                    detail="the primary goes before its address, so that standbys get its last write; what else is in the"
                    " service would lose it while it runs",
                    mend=f"a service of its own with on_top_of: [{name}]",
                )
        if len(set(group.databases)) > 1:
            yield Diagnostic(
                "SPEC105",
                f"service {name} has {len(group.databases)} databases",
                source.span("services", name, "databases"),
                detail="their primaries would have to fail over together, and the standby of one may be behind",
                mend="give each a service and an address of its own",
            )


def _access(topology: ClusteredTopology, source: SourceMap) -> Findings:
    for name, database in topology.databases.items():
        for index, rule in enumerate(database.access):
            if rule.network in topology.networks:
                continue
            place = source.span("databases", name, "access", index, "network")
            try:
                ipaddress.ip_network(zoneless(rule.network))
            except ValueError:
                yield Diagnostic(
                    "SPEC030",
                    f"{rule.network} is neither a network of the topology nor a subnet",
                    place,
                    mend=did_you_mean(rule.network, topology.networks),
                )


def _certificates(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """The server refuses TLS until it has a certificate, and with it every connection that must have it."""
    for name, database in topology.databases.items():
        for index, rule in enumerate(database.access):
            if (rule.tls or rule.method == "cert") and str(database.settings.get("ssl")).lower() not in (
                "true",
                "on",
                "yes",
                "1",
            ):
                yield Diagnostic(
                    "SPEC109",
                    f"database {name}: this login wants TLS, and the server offers none",
                    source.span("databases", name, "access", index),
                    mend="settings: {ssl: true, ssl_cert_file: ..., ssl_key_file: ...}, the files the same on all nodes",
                )


def _settings(topology: ClusteredTopology, source: SourceMap) -> Findings:
    for name, database in topology.databases.items():
        place = ("databases", name, "settings")
        yield from check_settings(name, database.settings, len(nodes_of(topology, database)), source, place)


def _ports(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """Instances of two databases may stand on one node, one of them as a standby."""
    taken: dict[tuple[int, str], str] = {}
    for name, database in topology.databases.items():
        for node in nodes_of(topology, database):
            other = taken.setdefault((database.port, node), name)
            if other != name:
                yield Diagnostic(
                    "SPEC107",
                    f"databases {other} and {name} both answer on port {database.port} of {node}",
                    source.span("databases", name, "port"),
                    mend="give one another port",
                )
                break


def _homes(topology: ClusteredTopology, source: SourceMap) -> Findings:
    """A service runs only where its database has a copy."""
    for name, group in topology.services.items():
        for database in (topology.databases[each] for each in group.databases if each in topology.databases):
            able = nodes_of(topology, database)
            for node, place in chosen_elsewhere(topology, source, name, able):
                yield Diagnostic(
                    "SPEC108",
                    f"service {name} cannot run on {node}, which has no copy of its database",
                    place,
                    mend=f"one of: {', '.join(able)}; or add {node} to the database's nodes",
                )
