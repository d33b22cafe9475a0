"""HAProxy frontends and backends, as a person writes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.values import Address, Duration, Name, Port, SpecModel


class Server(SpecModel):
    """One server behind a backend: a node of this topology, or any address."""

    node: Name | None = None
    address: Address | None = None
    network: Annotated[
        Name | None, Field(description="with node: which of its addresses; default the first")
    ] = None
    port: Port
    weight: Annotated[int, Field(ge=0, le=256)] = 100
    backup: bool = False


class HealthCheck(SpecModel):
    """How HAProxy learns that a server is dead."""

    kind: Literal["http", "tcp"] = "http"
    path: Annotated[str, Field(pattern=r"^/[^\s]*$")] = "/"
    expect_status: Annotated[int, Field(ge=100, le=599)] = 200
    interval: Duration = 1000
    timeout: Annotated[Duration, Field(description="how long one check may take")] = 1000
    fall: Annotated[int, Field(ge=1, le=100, description="failed checks until dead")] = 2
    rise: Annotated[int, Field(ge=1, le=100, description="good checks until alive")] = 2


class Backend(SpecModel):
    """Servers that do the same work."""

    mode: Literal["http", "tcp"] = "http"
    balance: Literal["roundrobin", "leastconn", "source", "first"] = "roundrobin"
    check: HealthCheck = HealthCheck()
    servers: Annotated[dict[Name, Server], Field(min_length=1)]
    stick_on_source: Annotated[
        bool, Field(description="a client stays on its server; the table is shared by peers")
    ] = False


class Frontend(SpecModel):
    """Where clients come in."""

    addresses: Annotated[tuple[Name, ...], Field(min_length=1, description="virtual addresses")]
    port: Port
    mode: Literal["http", "tcp"] = "http"
    backend: Name


class Timeouts(SpecModel):
    """HAProxy's timeouts, all set, because an unset one is an unbounded wait."""

    connect: Duration = 2_000
    client: Duration = 30_000
    server: Duration = 30_000
    http_request: Duration = 10_000


class LoadBalancer(SpecModel):
    """HAProxy on every node."""

    frontends: Annotated[dict[Name, Frontend], Field(min_length=1)]
    backends: Annotated[dict[Name, Backend], Field(min_length=1)]
    timeouts: Timeouts = Timeouts()
    maxconn: Annotated[int, Field(ge=1)] = 4000
    peers_port: Port = 10000
    statistics_port: Annotated[
        Port, Field(description="/metrics for Prometheus, on the management network")
    ] = 8404
