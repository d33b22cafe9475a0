"""Load balancers: what follows from the topology's ``load_balancer``."""

from __future__ import annotations

import ipaddress

from hadeploy.design.balancing import (
    BalancedBackend,
    BalancedFrontend,
    BalancedServer,
    BalancerPlan,
    Check,
    ServerTls,
)
from hadeploy.design.membership import Member
from hadeploy.spec.load_balancer import Backend, HealthCheck, LoadBalancer, Server
from hadeploy.spec.topology import ActiveActive

HARD_STOP_MS = 30_000
"""What a reload leaves of old connections; never less than a connection may be silent."""


def expand_balancer(topology: ActiveActive, members: tuple[Member, ...]) -> BalancerPlan:
    """The same on every member but for its own name and addresses."""
    wish: LoadBalancer = topology.load_balancer
    timeouts = wish.timeouts
    addresses = {
        name: str(ipaddress.ip_interface(virtual.address).ip)
        for name, virtual in topology.virtual_addresses.items()
    }
    statistics = statistics_network(topology)
    return BalancerPlan(
        frontends=tuple(
            BalancedFrontend(
                name,
                tuple((addresses[a], f.port) for a in f.addresses),
                f.mode,
                f.backend,
                f.clients_from or (),
            )
            for name, f in wish.frontends.items()
        ),
        backends=tuple(_backend(name, backend, members) for name, backend in wish.backends.items()),
        connect_ms=timeouts.connect,
        client_ms=timeouts.client,
        server_ms=timeouts.server,
        http_request_ms=timeouts.http_request,
        maxconn=wish.maxconn,
        peers=tuple((member.name, member.management_address) for member in members),
        peers_port=wish.peers_port,
        statistics=tuple((member.name, member.on(statistics)[0]) for member in members),
        statistics_port=wish.statistics_port,
        queue_ms=timeouts.connect if timeouts.queue is None else timeouts.queue,
        retries=wish.retries,
        redispatch=wish.redispatch,
        hard_stop_ms=max(HARD_STOP_MS, timeouts.client, timeouts.server)
        if wish.hard_stop_after is None
        else wish.hard_stop_after,
        bind=wish.bind,
        open_files=wish.open_files or 0,
        resolvers=wish.resolvers,
    )


def statistics_network(topology: ActiveActive) -> str:
    """Where /metrics answers."""
    return topology.load_balancer.statistics_network or topology.management_network


def _backend(name: str, wish: Backend, members: tuple[Member, ...]) -> BalancedBackend:
    tls = wish.tls
    return BalancedBackend(
        name=name,
        mode=wish.mode,
        balance=wish.balance,
        check=_check(wish.check),
        servers=tuple(_server(server, s, members) for server, s in wish.servers.items()),
        stick_on_source=wish.stick_on_source,
        shares_table=wish.share_table,
        closes_sessions=wish.close_sessions_of_dead,
        tls=ServerTls(tls.verify, tls.ca_file or "", tls.server_name or "") if tls is not None else None,
    )


def _check(wish: HealthCheck) -> Check:
    return Check(
        kind=wish.kind,
        path=wish.path,
        expect_status=wish.expect_status,
        interval_ms=wish.interval,
        timeout_ms=wish.timeout,
        fall=wish.fall,
        rise=wish.rise,
        fast_interval_ms=wish.fast_interval or 0,
        port=wish.port or 0,
        tls=wish.tls,
        user=wish.user,
        host=wish.host or "",
    )


def _server(name: str, wish: Server, members: tuple[Member, ...]) -> BalancedServer:
    address = wish.hostname or wish.address or ""
    if wish.node is not None:
        member = next(member for member in members if member.name == wish.node)
        address = member.on(wish.network)[0] if wish.network else member.addresses[0][1]
    return BalancedServer(
        name=name,
        address=address,
        port=wish.port,
        weight=wish.weight,
        backup=wish.backup,
        checked=wish.check,
        maxconn=wish.maxconn or 0,
        resolve=wish.hostname is not None,
        member=wish.node or _owner(address, members),
    )


def _owner(address: str, members: tuple[Member, ...]) -> str:
    """A server that is given by a member's address is on that member all the same."""
    return next((m.name for m in members if any(own == address for _, own in m.addresses)), "")
