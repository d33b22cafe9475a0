"""HAProxy frontends and backends, as a person writes them."""

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.firewall import Sources
from hadeploy.spec.names import FilePath, UrlPath
from hadeploy.spec.scalars import AS_TEXT, Switch, Whole
from hadeploy.spec.values import AddressOrLocal, Duration, Name, Port, SpecModel


class Server(SpecModel):
    """One server behind a backend: a node of this topology, any address, or a name that DNS knows."""

    node: Name | None = None
    address: AddressOrLocal | None = None
    hostname: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=253), AS_TEXT]
        | None
    ) = None
    network: Annotated[
        Name | None, Field(description="with node: which of its addresses; default the first")
    ] = None
    port: Port
    weight: Annotated[Whole, Field(ge=0, le=256)] = 100
    backup: Switch = False
    check: Annotated[Switch, Field(description="false: it counts as alive whatever happens")] = True
    maxconn: Annotated[
        Whole | None, Field(ge=1, description="connections at once; what is above waits (timeouts.queue)")
    ] = None


class HealthCheck(SpecModel):
    """How HAProxy learns that a server is dead."""

    kind: Annotated[
        Literal["http", "tcp", "pgsql", "mysql", "redis", "none"],
        Field(
            description="pgsql and mysql log in and ask no more: they do not tell a primary from a replica"
        ),
    ] = "http"
    path: UrlPath = "/"
    host: Annotated[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]+$"), AS_TEXT] | None,
        Field(description="Host of the request, for http"),
    ] = None
    expect_status: Annotated[Whole, Field(ge=100, le=599)] = 200
    user: Annotated[
        str,
        Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", description="who logs in, for pgsql and mysql"),
        AS_TEXT,
    ] = "haproxy"
    port: Annotated[Port | None, Field(description="where another program answers for the server")] = None
    tls: Annotated[
        Switch | None,
        Field(description="whether checks speak TLS; default: as clients' requests on that port"),
    ] = None
    interval: Duration = 1000
    fast_interval: Annotated[
        Duration | None, Field(description="while a server is neither surely dead nor surely alive")
    ] = None
    timeout: Annotated[Duration, Field(description="how long one check may take")] = 1000
    fall: Annotated[Whole, Field(ge=1, le=100, description="failed checks until dead")] = 2
    rise: Annotated[Whole, Field(ge=1, le=100, description="good checks until alive")] = 2


class ServerTls(SpecModel):
    """TLS between HAProxy and the servers."""

    verify: Annotated[Literal["required", "none"], Field(description="whether certificates are checked")] = (
        "required"
    )
    ca_file: Annotated[
        Literal["@system-ca"] | FilePath | None,
        Field(description="on every node; @system-ca: those of the system"),
    ] = None
    server_name: Annotated[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$"), AS_TEXT] | None,
        Field(description="that the certificates must hold"),
    ] = None


class Backend(SpecModel):
    """Servers that do the same work."""

    mode: Literal["http", "tcp"] = "http"
    balance: Literal["roundrobin", "leastconn", "source", "first"] = "roundrobin"
    check: HealthCheck = HealthCheck()
    servers: Annotated[dict[Name, Server], Field(min_length=1)]
    tls: Annotated[ServerTls | None, Field(description="left out: in clear text")] = None
    stick_on_source: Annotated[
        Switch, Field(description="a client stays on its server; the table is shared by peers")
    ] = False
    share_table: Annotated[
        Switch, Field(description="whether the nodes tell each other which client sticks to which server")
    ] = True
    close_sessions_of_dead: Annotated[
        Switch, Field(description="a server that is marked dead loses its open connections at once")
    ] = False


class Frontend(SpecModel):
    """Where clients come in."""

    addresses: Annotated[tuple[Name, ...], Field(min_length=1, description="virtual addresses")]
    port: Port
    mode: Literal["http", "tcp"] = "http"
    backend: Name
    clients_from: Annotated[
        Sources | None,
        Field(description="subnets or addresses whose clients are let in; left out: anyone"),
    ] = None


class Timeouts(SpecModel):
    """HAProxy's timeouts, all set, because an unset one is an unbounded wait."""

    connect: Duration = 2_000
    client: Duration = 30_000
    server: Duration = 30_000
    http_request: Duration = 10_000
    queue: Annotated[Duration | None, Field(description="for a free place at a server; default: connect")] = (
        None
    )


class LoadBalancer(SpecModel):
    """HAProxy on every node."""

    frontends: Annotated[dict[Name, Frontend], Field(min_length=1)]
    backends: Annotated[dict[Name, Backend], Field(min_length=1)]
    timeouts: Timeouts = Timeouts()
    retries: Annotated[Whole, Field(ge=0, le=10, description="of a connection that a server refused")] = 3
    redispatch: Annotated[Switch, Field(description="a retry goes to another server")] = True
    maxconn: Annotated[Whole, Field(ge=1)] = 4000
    open_files: Annotated[
        Whole | None, Field(ge=256, description="ulimit -n of HAProxy; default: what maxconn needs")
    ] = None
    bind: Annotated[
        Literal["nonlocal", "transparent", "plain"],
        Field(
            description="how a standby listens on an address that it does not hold: by a kernel setting, by an option of "
            "each bind, or not at all"
        ),
    ] = "nonlocal"
    hard_stop_after: Annotated[
        Duration | None,
        Field(
            description="what a reload leaves of old connections; default 30s, longer with longer timeouts"
        ),
    ] = None
    resolvers: Annotated[
        tuple[AddressOrLocal, ...], Field(description="name servers that are asked again while HAProxy runs")
    ] = ()
    peers_port: Port = 10000
    statistics_port: Annotated[
        Port, Field(description="/metrics for Prometheus, on the management network")
    ] = 8404
    statistics_network: Annotated[Name | None, Field(description="default: the management network")] = None
