"""The topology as a drawing: where every box and line is, in SVG's units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hadeploy.design.design import Design
from hadeploy.proof.simulation import Simulation

NODE_WIDTH = 128
GAP = 22
MARGIN = 16
LABEL = 84
BUS_GAP = 30
LINE_HEIGHT = 16
NODE_HEAD = 26
DEVICE_HEIGHT = 24
DROP = 34
MIDDLE = 5
"""From a text's baseline to the middle of its letters."""
SERVICES_SHOWN = 8
LETTER = 7
"""Width of a letter, about; long names are cut so that they stay inside their box."""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line; ``style`` is a CSS class."""

    x1: int
    y1: int
    x2: int
    y2: int
    style: str


@dataclass(frozen=True, slots=True)
class Box:
    """A rounded rectangle with a tooltip."""

    x: int
    y: int
    width: int
    height: int
    style: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A text; ``anchor`` as in SVG."""

    x: int
    y: int
    text: str
    style: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Dot:
    """A junction of a member with a network, with its address as tooltip."""

    x: int
    y: int
    style: str
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything to draw, back to front."""

    width: int
    height: int
    title: str
    lines: tuple[Line, ...]
    boxes: tuple[Box, ...]
    dots: tuple[Dot, ...]
    labels: tuple[Label, ...]


def draw(design: Design, simulation: Simulation) -> Drawing:
    """Networks as buses above, members below them with what they run, fence devices at the foot."""
    return _Sketch(design, simulation).finish()


class _Sketch:
    """Collects the parts of a drawing."""

    def __init__(self, design: Design, simulation: Simulation) -> None:
        self.design = design
        self.contents = {member.name: _contents(simulation, member.name) for member in design.members}
        self.lines: list[Line] = []
        self.boxes: list[Box] = []
        self.dots: list[Dot] = []
        self.labels: list[Label] = []
        count = len(design.members)
        self.width = LABEL + MARGIN * 2 + count * NODE_WIDTH + (count - 1) * GAP
        self.buses_end = MARGIN + len(design.segments) * BUS_GAP
        rows = max((len(content) for content in self.contents.values()), default=1)
        self.node_height = NODE_HEAD + LINE_HEIGHT * max(rows, 1) + 8
        self.node_top = self.buses_end + 10
        self.height = self.node_top + self.node_height + MARGIN

    def finish(self) -> Drawing:
        """Draw all parts."""
        self._buses()
        for index, member in enumerate(self.design.members):
            self._member(index, member.name)
        self._arbiter()
        self._devices()
        return Drawing(
            self.width,
            self.height,
            f"{self.design.name}: networks, members, services and fence devices",
            tuple(self.lines),
            tuple(self.boxes),
            tuple(self.dots),
            tuple(self.labels),
        )

    def _left(self, index: int) -> int:
        return LABEL + MARGIN + index * (NODE_WIDTH + GAP)

    def _links(self) -> set[str]:
        cluster = self.design.cluster
        return {link.segment for link in cluster.membership.links} if cluster is not None else set()

    def _bus_y(self, index: int) -> int:
        return MARGIN + 8 + index * BUS_GAP

    def _buses(self) -> None:
        links = self._links()
        for index, segment in enumerate(self.design.segments):
            y = self._bus_y(index)
            style = "link" if segment.name in links else "net"
            self.lines.append(Line(LABEL, y, self.width - MARGIN, y, f"bus {style}"))
            self.labels.append(Label(LABEL - 8, y + MIDDLE, _fit(segment.name, LABEL), "bus-name", "end"))

    def _member(self, index: int, name: str) -> None:
        left = self._left(index)
        member = self.design.member(name)
        links = self._links()
        joined = [s for s in self.design.segments if member.on(s.name)]
        for number, segment in enumerate(joined, start=1):
            x = left + number * NODE_WIDTH // (len(joined) + 1)
            y = self._bus_y(self.design.segments.index(segment))
            style = "link" if segment.name in links else "net"
            self.lines.append(Line(x, y, x, self.node_top, style))
            self.dots.append(Dot(x, y, style, f"{name} {', '.join(member.on(segment.name))}"))
        content = self.contents[name]
        capacity = ", ".join(f"{key} {amount}" for key, amount in member.capacity)
        self.boxes.append(
            Box(
                left,
                self.node_top,
                NODE_WIDTH,
                self.node_height,
                "member" if content else "member idle",
                f"{name}{f' ({capacity})' if capacity else ''}",
            )
        )
        middle = left + NODE_WIDTH // 2
        self.labels.append(Label(middle, self.node_top + 18, _fit(name, NODE_WIDTH), "member-name"))
        for row, text in enumerate(content or ("stands by",)):
            y = self.node_top + NODE_HEAD + 12 + row * LINE_HEIGHT
            self.labels.append(Label(middle, y, _fit(text, NODE_WIDTH), "service" if content else "faint"))

    def _arbiter(self) -> None:
        cluster = self.design.cluster
        device = cluster.membership.quorum.device if cluster is not None else None
        if device is None:
            return
        left = self.width
        self.width += NODE_WIDTH + MARGIN
        self.boxes.append(Box(left, self.node_top, NODE_WIDTH, self.node_height, "arbiter", device.address))
        middle = left + NODE_WIDTH // 2
        self.labels.append(Label(middle, self.node_top + 18, _fit(device.host, NODE_WIDTH), "member-name"))
        self.labels.append(Label(middle, self.node_top + 38, f"arbiter, {device.algorithm}", "faint"))

    def _devices(self) -> None:
        """Each under its target, in the middle under several; those that share a place stand below each other."""
        cluster = self.design.cluster
        if cluster is None or not cluster.fencing.devices:
            return
        names = [member.name for member in self.design.members]
        foot = self.node_top + self.node_height
        rows: dict[int, int] = {}
        for device in cluster.fencing.devices:
            middles = [self._left(names.index(target)) + NODE_WIDTH // 2 for target in device.targets]
            middle = sum(middles) // len(middles)
            row = rows.get(middle, 0)
            rows[middle] = row + 1
            y = foot + DROP + row * (DEVICE_HEIGHT + 8)
            self.lines += [Line(middle, y, x, foot, "fence") for x in middles]
            title = f"{device.agent} fences {', '.join(device.targets)}"
            self.boxes.append(Box(middle - NODE_WIDTH // 2, y, NODE_WIDTH, DEVICE_HEIGHT, "device", title))
            self.labels.append(Label(middle, y + 16, _fit(device.name, NODE_WIDTH), "device-name"))
        self.height = foot + DROP + max(rows.values()) * (DEVICE_HEIGHT + 8) + MARGIN


def _contents(simulation: Simulation, name: str) -> tuple[str, ...]:
    """What a member runs when all is well: services, or the addresses that VRRP prefers there."""
    return _cut([home.service for home in simulation.homes if home.node == name])


def _cut(texts: Sequence[str]) -> tuple[str, ...]:
    if len(texts) <= SERVICES_SHOWN:
        return tuple(texts)
    return (*texts[: SERVICES_SHOWN - 1], f"and {len(texts) - SERVICES_SHOWN + 1} more")


def _fit(text: str, width: int) -> str:
    letters = (width - 10) // LETTER
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
