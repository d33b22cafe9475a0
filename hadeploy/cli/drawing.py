"""A design as a drawing: where every box and line is, in SVG's units. What stands in the boxes is the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hadeploy.design.design import Design

GAP = 22
MARGIN = 16
BUS_GAP = 30
LINE_HEIGHT = 16
NODE_HEAD = 26
DEVICE_HEIGHT = 24
DEVICE_GAP = 8
DROP = 34
MIDDLE = 5
"""From a text's baseline to the middle of its letters."""
LETTER = 7
"""Width of a letter, about; long names are cut so that they stay inside their box."""
PADDING = 10
ENTRY_HEAD = 24
ENTRY_FOOT = 8


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
class TextRow:
    """A line of text inside a box; ``style`` is a CSS class."""

    text: str
    style: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What clients come to: a box above the networks, joined to those that it answers on."""

    title: str
    rows: tuple[TextRow, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide things are.

    Attributes:
        node: a member's box, and with it a device's.
        label: the column of the networks' names.
        entry: the box of an entry.
        detailed: whether networks are named with their subnets, and devices with their agents.
    """

    node: int = 128
    label: int = 84
    entry: int = 232
    detailed: bool = False


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


def draw(
    design: Design,
    contents: Mapping[str, Sequence[TextRow]],
    *,
    entries: Sequence[Entry] = (),
    layout: Layout | None = None,
) -> Drawing:
    """Entries on top, then networks as buses, members below them, fence devices at the foot.

    Args:
        design: what is drawn.
        contents: what stands in each member's box, by its name.
        entries: what clients come to.
        layout: how wide things are.
    """
    return _Sketch(design, contents, entries, layout or Layout()).finish()


class _Sketch:
    """Collects the parts of a drawing."""

    def __init__(
        self,
        design: Design,
        contents: Mapping[str, Sequence[TextRow]],
        entries: Sequence[Entry],
        layout: Layout,
    ) -> None:
        self.design = design
        self.contents = contents
        self.entries = entries
        self.layout = layout
        self.lines: list[Line] = []
        self.boxes: list[Box] = []
        self.dots: list[Dot] = []
        self.labels: list[Label] = []
        count = len(design.members)
        self.width = layout.label + MARGIN * 2 + count * layout.node + (count - 1) * GAP
        if entries:
            self.width = max(self.width, layout.label + MARGIN * 2 + layout.entry)
        self.buses_top = MARGIN + self._entry_rows() * (self._entry_height() + GAP)
        rows = max((len(content) for content in contents.values()), default=1)
        self.node_height = NODE_HEAD + LINE_HEIGHT * max(rows, 1) + 8
        self.node_top = self.buses_top + len(design.segments) * BUS_GAP + 10
        self.height = self.node_top + self.node_height + MARGIN

    def finish(self) -> Drawing:
        """Draw all parts."""
        self._entries()
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
        return self.layout.label + MARGIN + index * (self.layout.node + GAP)

    def _links(self) -> set[str]:
        cluster = self.design.cluster
        return {link.segment for link in cluster.membership.links} if cluster is not None else set()

    def _bus_y(self, index: int) -> int:
        return self.buses_top + 8 + index * BUS_GAP

    def _entries_across(self) -> int:
        room = self.width - self.layout.label - 2 * MARGIN
        return max(1, (room + GAP) // (self.layout.entry + GAP))

    def _entry_rows(self) -> int:
        return -(-len(self.entries) // self._entries_across())

    def _entry_height(self) -> int:
        return (
            ENTRY_HEAD
            + LINE_HEIGHT * max((len(entry.rows) for entry in self.entries), default=0)
            + ENTRY_FOOT
        )

    def _entries(self) -> None:
        """Boxes in rows; each joined to its networks by lines that pass behind the boxes below."""
        width, height, across = self.layout.entry, self._entry_height(), self._entries_across()
        names = [segment.name for segment in self.design.segments]
        links = self._links()
        for number, entry in enumerate(self.entries):
            left = self.layout.label + MARGIN + number % across * (width + GAP)
            top = MARGIN + number // across * (height + GAP)
            self.boxes.append(Box(left, top, width, height, "entry", entry.title))
            self.labels.append(Label(left + width // 2, top + 16, _fit(entry.title, width), "entry-name"))
            for row, each in enumerate(entry.rows):
                y = top + ENTRY_HEAD + 10 + row * LINE_HEIGHT
                self.labels.append(Label(left + width // 2, y, _fit(each.text, width), each.style))
            for place, name in enumerate(entry.segments, start=1):
                x, y = left + place * width // (len(entry.segments) + 1), self._bus_y(names.index(name))
                self.lines.append(Line(x, top + height, x, y, "entry"))
                self.dots.append(Dot(x, y, "link" if name in links else "net", f"{entry.title} on {name}"))

    def _buses(self) -> None:
        links = self._links()
        for index, segment in enumerate(self.design.segments):
            y = self._bus_y(index)
            style = "link" if segment.name in links else "net"
            name = " ".join((segment.name, *(segment.subnets if self.layout.detailed else ())))
            label = self.layout.label
            self.lines.append(Line(label, y, self.width - MARGIN, y, f"bus {style}"))
            self.labels.append(Label(label - 8, y + MIDDLE, _fit(name, label), "bus-name", "end"))

    def _member(self, index: int, name: str) -> None:
        left, width = self._left(index), self.layout.node
        member = self.design.member(name)
        links = self._links()
        joined = [s for s in self.design.segments if member.on(s.name)]
        for number, segment in enumerate(joined, start=1):
            x = left + number * width // (len(joined) + 1)
            y = self._bus_y(self.design.segments.index(segment))
            style = "link" if segment.name in links else "net"
            self.lines.append(Line(x, y, x, self.node_top, style))
            self.dots.append(Dot(x, y, style, f"{name} {', '.join(member.on(segment.name))}"))
        content = self.contents[name]
        idle = all(row.style != "service" for row in content)
        capacity = ", ".join(f"{key} {amount}" for key, amount in member.capacity)
        title = f"{name}{f' ({capacity})' if capacity else ''}"
        box = Box(left, self.node_top, width, self.node_height, "member idle" if idle else "member", title)
        self.boxes.append(box)
        middle = left + width // 2
        self.labels.append(Label(middle, self.node_top + 18, _fit(name, width), "member-name"))
        for number, row in enumerate(content):
            y = self.node_top + NODE_HEAD + 12 + number * LINE_HEIGHT
            self.labels.append(Label(middle, y, _fit(row.text, width), row.style))

    def _arbiter(self) -> None:
        device = self.design.arbiter
        if device is None:
            return
        left, width = self.width, self.layout.node
        self.width += width + MARGIN
        self.boxes.append(Box(left, self.node_top, width, self.node_height, "arbiter", device.address))
        middle = left + width // 2
        self.labels.append(Label(middle, self.node_top + 18, _fit(device.host, width), "member-name"))
        self.labels.append(Label(middle, self.node_top + 38, f"arbiter, {device.algorithm}", "faint"))

    def _devices(self) -> None:
        """Each under its target, in the middle under several; in the first row in which it has room."""
        cluster = self.design.cluster
        if cluster is None or not cluster.fencing.devices:
            return
        width = self.layout.node
        names = [member.name for member in self.design.members]
        foot = self.node_top + self.node_height
        rows: list[list[int]] = []
        for device in cluster.fencing.devices:
            middles = [self._left(names.index(target)) + width // 2 for target in device.targets]
            middle = sum(middles) // len(middles)
            free = (n for n, taken in enumerate(rows) if all(abs(middle - t) >= width for t in taken))
            row = next(free, len(rows))
            rows += [[]] * (row == len(rows))
            rows[row] = [*rows[row], middle]
            y = foot + DROP + row * (DEVICE_HEIGHT + DEVICE_GAP)
            self.lines += [Line(middle, y, x, foot, "fence") for x in middles]
            title = f"{device.agent} fences {', '.join(device.targets)}"
            shown = f"{device.name} {device.agent}" if self.layout.detailed else device.name
            self.boxes.append(Box(middle - width // 2, y, width, DEVICE_HEIGHT, "device", title))
            self.labels.append(Label(middle, y + 16, _fit(shown, width), "device-name"))
        self.height = foot + DROP + len(rows) * (DEVICE_HEIGHT + DEVICE_GAP) + MARGIN


def text_width(text: str) -> int:
    """The width in which a text is not cut."""
    return len(text) * LETTER + PADDING


def _fit(text: str, width: int) -> str:
    letters = (width - PADDING) // LETTER
    return text if len(text) <= letters else f"{text[: letters - 1]}…"
