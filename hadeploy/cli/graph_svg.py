"""A design as a drawing that stands alone: no style sheet, no script, no program that lays it out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from hadeploy.cli.drawing import Drawing, Entry, Layout, TextRow, draw, text_width
from hadeploy.cli.graph_parts import homes, written
from hadeploy.cli.pages import page_environment
from hadeploy.design.balancing import BalancedBackend, BalancedFrontend
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

TEMPLATE = "report/graph.svg.j2"
NODE, ENTRY = 208, 250
GUESTS_SHOWN = 8
LEGEND_HEIGHT = 28
LEGEND = (
    "green: runs here when all is well · dashed: nothing runs here · blue: cluster links · orange: fences"
)
LEGEND_SHORT = "green: served from here when all is well"


@dataclass(frozen=True, slots=True)
class GraphPage:
    """What the template prints: the drawing, and below it what its colours mean."""

    drawing: Drawing
    height: int
    legend: str


def as_svg(design: Design) -> str:
    """The drawing as text."""
    names = (" ".join((segment.name, *segment.subnets)) for segment in design.segments)
    layout = Layout(NODE, max(text_width(name) for name in names), ENTRY, detailed=True)
    contents = {member.name: tuple(_contents(design, member)) for member in design.members}
    drawing = draw(design, contents, entries=tuple(_entries(design)), layout=layout)
    legend = LEGEND if design.cluster is not None else LEGEND_SHORT
    page = GraphPage(drawing, drawing.height + LEGEND_HEIGHT, legend)
    return page_environment().get_template(TEMPLATE).render(page=page)


def _contents(design: Design, member: Member) -> Iterator[TextRow]:
    """Addresses, what runs here when all is well, and what may come."""
    for segment in design.segments:
        for address in member.on(segment.name):
            yield TextRow(f"{segment.name} {address}", "faint")
    if member.capacity:
        yield TextRow(", ".join(f"{key} {amount}" for key, amount in member.capacity), "faint")
    for volume in design.volumes:
        for replica in volume.replicas:
            if replica.member == member.name:
                disk = PurePosixPath(replica.disk).name or "breaks ties"
                yield TextRow(f"{volume.name}: {disk}", "volume")
    for database in design.databases:
        if member.name in database.names:
            yield TextRow(f"{database.name}: PostgreSQL {database.version}", "volume")
    places = homes(design)
    yield from (
        TextRow(service, "service") for service, names in places.items() if names[:1] == (member.name,)
    )
    yield from _elected(design, member)
    if design.balancer is not None:
        for backend in design.balancer.backends:
            for server in backend.servers:
                if server.member == member.name:
                    yield TextRow(f"{backend.name}: {server.name} :{server.port}", "service")
    guests = [service for service, names in places.items() if member.name in names[1:]]
    yield from (TextRow(f"may run {service}", "faint") for service in guests[:GUESTS_SHOWN])
    if len(guests) > GUESTS_SHOWN:
        yield TextRow(f"and {len(guests) - GUESTS_SHOWN} more", "faint")


def _elected(design: Design, member: Member) -> Iterator[TextRow]:
    if design.vrrp is None:
        return
    for instance in design.vrrp.instances:
        priorities = dict(instance.priorities)
        priority = priorities.get(member.name)
        if priority is not None:
            style = "service" if priority == max(priorities.values()) else "faint"
            yield TextRow(f"{instance.name} VRRP {priority}", style)


def _entries(design: Design) -> Iterator[Entry]:
    """Services with their addresses, or load balancers' frontends; then addresses that neither has."""
    shown: set[str] = set()
    for group in design.cluster.resources.groups if design.cluster is not None else ():
        addresses = [address for address in design.virtual_addresses if address.group == group.name]
        shown |= {address.name for address in addresses}
        rows = [TextRow(written(address), "address") for address in addresses]
        rows += [TextRow(each.name, "service") for each in group.resources if each.type != "IPaddr2"]
        rows += [
            TextRow(f"{volume.name}: DRBD {volume.generation}, protocol {volume.protocol}", "volume")
            for volume in design.volumes
            if volume.group == group.name
        ]
        rows += [
            TextRow(f"{each.name}: {'synchronous' if each.synchronous else 'asynchronous'}", "volume")
            for each in design.databases
            if each.group == group.name
        ]
        yield Entry(group.name, tuple(rows), tuple(dict.fromkeys(a.segment for a in addresses)))
    if design.balancer is not None:
        backends = {backend.name: backend for backend in design.balancer.backends}
        for frontend in design.balancer.frontends:
            bound = {address for address, _ in frontend.binds}
            shown |= {address.name for address in design.virtual_addresses if address.address in bound}
            yield _frontend(design, frontend, backends.get(frontend.backend))
    for address in design.virtual_addresses:
        if address.name not in shown:
            yield Entry(address.name, (TextRow(written(address), "address"),), (address.segment,))


def _frontend(design: Design, frontend: BalancedFrontend, backend: BalancedBackend | None) -> Entry:
    rows = [TextRow(f"{address} :{port}", "address") for address, port in frontend.binds]
    if backend is not None:
        rows.append(TextRow(f"to {backend.name}: {backend.mode}, {backend.balance}", "service"))
        rows += [
            TextRow(f"{server.name} {server.address}:{server.port}", "service")
            for server in backend.servers
            if not server.member
        ]
    segments = {address.address: address.segment for address in design.virtual_addresses}
    joined = dict.fromkeys(segments[address] for address, _ in frontend.binds if address in segments)
    mode = "" if frontend.mode == frontend.name else f" ({frontend.mode})"
    return Entry(f"{frontend.name}{mode}", tuple(rows), tuple(joined))
