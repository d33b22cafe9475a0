"""Design to haproxy.cfg's model."""

from __future__ import annotations

import ipaddress

from hadeploy.daemons.haproxy.config import BackendConfig, FrontendConfig, HaproxyConfig, Peer, ServerConfig
from hadeploy.daemons.notice import notice
from hadeploy.design.balancing import BalancedBackend
from hadeploy.design.design import Design
from hadeploy.design.membership import Member


def compile_haproxy(design: Design, member: Member) -> HaproxyConfig | None:
    """None without load balancers. Peers only where a backend sticks: an unused section is one more open port."""
    plan = design.balancer
    if plan is None:
        return None
    sticks = any(backend.stick_on_source for backend in plan.backends)
    return HaproxyConfig(
        notice=notice(design),
        member=member.name,
        maxconn=plan.maxconn,
        connect_ms=plan.connect_ms,
        client_ms=plan.client_ms,
        server_ms=plan.server_ms,
        http_request_ms=plan.http_request_ms,
        statistics_socket=_socket(dict(plan.statistics)[member.name], plan.statistics_port),
        peers=tuple(Peer(name, _socket(address, plan.peers_port)) for name, address in plan.peers)
        if sticks
        else (),
        frontends=tuple(
            FrontendConfig(
                frontend.name,
                frontend.mode,
                tuple(_socket(address, port) for address, port in frontend.binds),
                frontend.backend,
            )
            for frontend in plan.frontends
        ),
        backends=tuple(_backend(backend) for backend in plan.backends),
    )


def _socket(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ipaddress.ip_address(address).version == 6 else f"{address}:{port}"


def _backend(backend: BalancedBackend) -> BackendConfig:
    check = backend.check
    return BackendConfig(
        name=backend.name,
        mode=backend.mode,
        balance=backend.balance,
        http=backend.mode == "http",
        http_check=check.kind == "http",
        check_path=check.path,
        expect_status=check.expect_status,
        check_timeout_ms=check.timeout_ms,
        check_interval_ms=check.interval_ms,
        fall=check.fall,
        rise=check.rise,
        sticks=backend.stick_on_source,
        servers=tuple(
            ServerConfig(server.name, _socket(server.address, server.port), server.weight, server.backup)
            for server in backend.servers
        ),
    )
