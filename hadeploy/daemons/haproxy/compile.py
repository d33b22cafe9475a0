"""Design to haproxy.cfg's model."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.daemons.haproxy.config import BackendConfig, FrontendConfig, HaproxyConfig, Peer, ServerConfig
from hadeploy.daemons.haproxy.words import word
from hadeploy.daemons.notice import notice
from hadeploy.design.balancing import BalancedBackend, BalancedServer, BalancerPlan, Check
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

SECOND_MS = 1000
DNS_PORT = 53


def compile_haproxy(design: Design, member: Member) -> HaproxyConfig | None:
    """None without load balancers. Peers only where a backend sticks: an unused section is one more open port."""
    plan = design.balancer
    if plan is None:
        return None
    shares = any(backend.stick_on_source and backend.shares_table for backend in plan.backends)
    return HaproxyConfig(
        notice=notice(design),
        member=member.name,
        global_settings=tuple(_global_settings(plan)),
        defaults=tuple(_defaults(plan)),
        statistics_socket=_socket(dict(plan.statistics)[member.name], plan.statistics_port),
        peers=tuple(Peer(name, _socket(address, plan.peers_port)) for name, address in plan.peers)
        if shares
        else (),
        resolvers=tuple(_socket(address, DNS_PORT) for address in plan.resolvers),
        binding=" transparent" if plan.bind == "transparent" else "",
        frontends=tuple(
            FrontendConfig(
                frontend.name,
                frontend.mode,
                tuple(_socket(address, port) for address, port in frontend.binds),
                frontend.backend,
            )
            for frontend in plan.frontends
        ),
        backends=tuple(_backend(plan, backend) for backend in plan.backends),
    )


def _socket(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _global_settings(plan: BalancerPlan) -> Iterator[str]:
    yield f"maxconn {plan.maxconn}"
    if plan.open_files:
        yield f"ulimit-n {plan.open_files}"
    yield "stats socket /run/haproxy/admin.sock mode 660 level admin expose-fd listeners"
    whole = plan.hard_stop_ms % SECOND_MS == 0
    yield (
        f"hard-stop-after {plan.hard_stop_ms // SECOND_MS}s"
        if whole
        else f"hard-stop-after {plan.hard_stop_ms}ms"
    )


def _defaults(plan: BalancerPlan) -> Iterator[str]:
    yield f"timeout connect {plan.connect_ms}ms"
    yield f"timeout client {plan.client_ms}ms"
    yield f"timeout server {plan.server_ms}ms"
    yield f"timeout queue {plan.queue_ms}ms"
    yield f"timeout http-request {plan.http_request_ms}ms"
    if plan.redispatch:
        yield "# Every retry goes to another server, not only the last."
    yield f"retries {plan.retries}"
    yield "option redispatch 1" if plan.redispatch else "no option redispatch"


def _backend(plan: BalancerPlan, backend: BalancedBackend) -> BackendConfig:
    return BackendConfig(
        name=backend.name,
        settings=tuple(_settings(backend)),
        servers=tuple(
            ServerConfig(server.name, _socket(server.address, server.port), tuple(_options(plan, server)))
            for server in backend.servers
        ),
    )


def _settings(backend: BalancedBackend) -> Iterator[str]:
    yield f"mode {backend.mode}"
    yield f"balance {backend.balance}"
    yield f"timeout check {backend.check.timeout_ms}ms"
    if backend.mode == "http":
        yield "option forwardfor"
        yield "retry-on conn-failure empty-response"
        yield "http-request disable-l7-retry if !{ method GET HEAD OPTIONS }"
    yield from _check(backend.check)
    if backend.stick_on_source:
        yield f"stick-table type ipv6 size 100k expire 30m{' peers hadeploy' if backend.shares_table else ''}"
        yield "stick on src"
    options = (*_check_options(backend.check), *_tls_options(backend))
    if options:
        yield f"default-server {' '.join(options)}"


def _check(check: Check) -> Iterator[str]:
    match check.kind:
        case "http":
            yield "option httpchk"
            host = f" hdr Host {word(check.host)}" if check.host else ""
            yield f"http-check send meth GET uri {word(check.path)}{host}"
            yield f"http-check expect status {check.expect_status}"
        case "pgsql" | "mysql":
            yield f"option {check.kind}-check user {word(check.user)}"
        case "redis":
            yield "option redis-check"


def _check_options(check: Check) -> Iterator[str]:
    if check.kind == "none":
        return
    yield f"check inter {check.interval_ms}ms"
    if check.fast_interval_ms:
        yield f"fastinter {check.fast_interval_ms}ms"
    yield f"fall {check.fall} rise {check.rise}"
    if check.port:
        yield f"port {check.port}"
    if check.tls is not None:
        yield "check-ssl" if check.tls else "no-check-ssl"


def _tls_options(backend: BalancedBackend) -> Iterator[str]:
    """The name goes into the handshake, and is what the certificate must hold; ``sni`` alone does neither for checks."""
    tls = backend.tls
    if tls is not None:
        yield f"ssl verify {tls.verify}"
        if tls.ca_file:
            yield f"ca-file {word(tls.ca_file)}"
        if tls.server_name:
            yield f"verifyhost {tls.server_name} sni str({tls.server_name}) check-sni {tls.server_name}"
    if backend.closes_sessions:
        yield "on-marked-down shutdown-sessions"


def _options(plan: BalancerPlan, server: BalancedServer) -> Iterator[str]:
    """With resolvers a name may become known later; without, one that is unknown at the start stays so: a fault."""
    yield f"weight {server.weight}"
    if server.backup:
        yield "backup"
    if not server.checked:
        yield "no-check"
    if server.maxconn:
        yield f"maxconn {server.maxconn}"
    if server.resolve:
        yield "init-addr last,none resolvers hadeploy" if plan.resolvers else "init-addr last,libc,none"
