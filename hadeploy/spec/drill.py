"""What a drill may do to the real hosts, and how it asks for their services."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.names import UrlPath
from hadeploy.spec.values import Name, Port, SpecModel

if TYPE_CHECKING:
    from hadeploy.spec.load import LoadedTopology

Breakage = Literal["power-cut", "service-crash", "daemon-crash", "backend-death", "link-cut"]


class DrillProbe(SpecModel):
    """The client of one virtual address."""

    port: Annotated[Port | None, Field(description="default: the first that its service is known by")] = None
    protocol: Annotated[
        Literal["http", "tcp"] | None, Field(description="http: an answer of 2xx; tcp: a connection")
    ] = None
    path: UrlPath = "/"


class Drill(SpecModel):
    """A drill breaks what it is pointed at; real hosts only where this says so."""

    allowed: Annotated[
        bool, Field(strict=True, description="true: hadeploy drill --i-mean-it may strike the real hosts")
    ] = False
    breakages: Annotated[
        tuple[Breakage, ...],
        Field(description="what may be done to them; power is cut by their fence devices"),
    ] = ("power-cut", "service-crash", "daemon-crash", "backend-death", "link-cut")
    probes: Annotated[dict[Name, DrillProbe], Field(description="by virtual address")] = {}


def check_drill(loaded: "LoadedTopology") -> Iterator[Diagnostic]:
    """Probes must be of addresses that exist."""
    topology, source = loaded.topology, loaded.source
    for name in topology.drill.probes:
        if name not in topology.virtual_addresses:
            known = ", ".join(topology.virtual_addresses)
            yield Diagnostic(
                "SPEC030",
                f"there is no virtual address {name}",
                source.key_span("drill", "probes", name),
                mend=f"one of: {known}" if known else "",
            )
