"""Load balancers: frontends, backends, peers. Times in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BalancedServer:
    """One server behind a backend.

    Attributes:
        address: or a name, where ``resolve`` says so.
        checked: False: it counts as alive whatever happens.
        maxconn: connections at once, 0 for any number.
        member: that it runs on, empty for one outside the design.
    """

    name: str
    address: str
    port: int
    weight: int
    backup: bool
    checked: bool = True
    maxconn: int = 0
    resolve: bool = False
    member: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """How a dead server is found; ``path``, ``host`` and ``expect_status`` matter for kind ``http``.

    Attributes:
        fast_interval_ms: while a server is in doubt; 0: as always.
        port: of who answers for the server, 0 for its own.
        tls: whether checks speak TLS; None: as requests do, on the same port.
        user: who logs in, for databases.
    """

    kind: str
    path: str
    expect_status: int
    interval_ms: int
    timeout_ms: int
    fall: int
    rise: int
    fast_interval_ms: int = 0
    port: int = 0
    tls: bool | None = None
    user: str = ""
    host: str = ""

    @property
    def detection_ms(self) -> int:
        """How long a server that died just after a good check gets requests (configuration.txt, 5.2: inter, fall)."""
        again = self.fast_interval_ms or self.interval_ms
        return self.interval_ms + (self.fall - 1) * again + self.timeout_ms


@dataclass(frozen=True, slots=True)
class ServerTls:
    """TLS to the servers; ``ca_file`` and ``server_name`` may be empty."""

    verify: str
    ca_file: str
    server_name: str


@dataclass(frozen=True, slots=True)
class BalancedBackend:
    """Servers that do the same work."""

    name: str
    mode: str
    balance: str
    check: Check
    servers: tuple[BalancedServer, ...]
    stick_on_source: bool
    shares_table: bool = True
    closes_sessions: bool = False
    tls: ServerTls | None = None


@dataclass(frozen=True, slots=True)
class BalancedFrontend:
    """Where clients come in: one bind for each address. ``clients_from``: subnets that are let in, empty for anyone."""

    name: str
    binds: tuple[tuple[str, int], ...]
    mode: str
    backend: str
    clients_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BalancerPlan:
    """HAProxy's share of the design, the same on every member but for its own name and address.

    Attributes:
        peers: (member, address) that exchange stick tables.
        statistics: (member, address) where /metrics answers.
        bind: ``nonlocal`` (a kernel setting), ``transparent`` (an option of each bind) or ``plain``.
        open_files: 0: what ``maxconn`` needs.
    """

    frontends: tuple[BalancedFrontend, ...]
    backends: tuple[BalancedBackend, ...]
    connect_ms: int
    client_ms: int
    server_ms: int
    http_request_ms: int
    maxconn: int
    peers: tuple[tuple[str, str], ...]
    peers_port: int
    statistics: tuple[tuple[str, str], ...]
    statistics_port: int
    queue_ms: int = 0
    retries: int = 3
    redispatch: bool = True
    hard_stop_ms: int = 30_000
    bind: str = "nonlocal"
    open_files: int = 0
    resolvers: tuple[str, ...] = ()

    def backend(self, name: str) -> BalancedBackend:
        """The backend of that name."""
        return next(backend for backend in self.backends if backend.name == name)
