"""What typing cannot see of the load balancers: names that must exist, and modes that must fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.load import LoadedTopology, did_you_mean
from hadeploy.spec.source import SourceMap
from hadeploy.spec.topology import ActiveActive

Findings = Iterator[Diagnostic]


def check_balancer(loaded: LoadedTopology) -> Findings:
    """All findings about ``load_balancer``; none where there is no such thing."""
    topology, source = loaded.topology, loaded.source
    if not isinstance(topology, ActiveActive):
        return
    balancer = topology.load_balancer
    yield from _statistics(topology, source)
    for name, frontend in balancer.frontends.items():
        here = ("load_balancer", "frontends", name)
        for index, address in enumerate(frontend.addresses):
            if address not in topology.virtual_addresses:
                yield _unknown(
                    source, "virtual address", address, topology.virtual_addresses, *here, "addresses", index
                )
        if frontend.backend not in balancer.backends:
            yield _unknown(source, "backend", frontend.backend, balancer.backends, *here, "backend")
        elif balancer.backends[frontend.backend].mode != frontend.mode:
            yield Diagnostic(
                "SPEC041",
                f"frontend {name} is {frontend.mode}, its backend {frontend.backend} is not",
                source.span(*here),
                mend="give both the same mode",
            )
    for name, backend in balancer.backends.items():
        for server_name, server in backend.servers.items():
            here_server = ("load_balancer", "backends", name, "servers", server_name)
            if [server.node, server.address, server.hostname].count(None) != 2:
                yield Diagnostic(
                    "SPEC042",
                    f"server {server_name} needs a node, an address or a hostname, and one of them alone",
                    source.span(*here_server),
                )
            if server.node is not None and server.node not in topology.nodes:
                yield _unknown(source, "node", server.node, topology.nodes, *here_server, "node")
            elif server.node is not None and server.network is not None:
                known = topology.nodes[server.node].addresses
                if server.network not in known:
                    yield _unknown(
                        source, f"address of {server.node} on", server.network, known, *here_server, "network"
                    )


def _statistics(topology: ActiveActive, source: SourceMap) -> Findings:
    network = topology.load_balancer.statistics_network
    if network is None:
        return
    here = ("load_balancer", "statistics_network")
    if network not in topology.networks:
        yield _unknown(source, "network", network, topology.networks, *here)
        return
    for node, wish in topology.nodes.items():
        if not wish.addresses.get(network):
            yield Diagnostic(
                "SPEC033",
                f"node {node} has no address on {network}, where its statistics are to be",
                source.span("nodes", node, "addresses"),
                mend=f"write its address on {network}, or leave out load_balancer.statistics_network",
            )


def _unknown(source: SourceMap, what: str, name: str, known: Iterable[str], *path: str | int) -> Diagnostic:
    return Diagnostic(
        "SPEC030", f"there is no {what} {name}", source.span(*path), mend=did_you_mean(name, known)
    )
