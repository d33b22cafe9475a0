"""A picture's parts as Mermaid and as DOT. Same parts, same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hadeploy.cli.graph_parts import Bond, Kind, Parts, Thing

SHAPES: Mapping[Kind, tuple[str, str, str]] = {
    Kind.ADDRESS: ("([", "])", "oval"),
    Kind.FRONTEND: ("[/", "\\]", "trapezium"),
    Kind.BACKEND: ("[[", "]]", "box3d"),
    Kind.SERVICE: ("(", ")", "box"),
    Kind.VOLUME: ("[(", ")]", "cylinder"),
    Kind.MEMBER: ("[", "]", "box"),
    Kind.NETWORK: ("[", "]", "box"),
    Kind.LINK: ("[", "]", "box"),
    Kind.ARBITER: ("{{", "}}", "hexagon"),
    Kind.FENCE: (">", "]", "cds"),
}
"""Mermaid's brackets, and DOT's shape."""

COLOURS: Mapping[Kind, tuple[str, str]] = {
    Kind.ADDRESS: ("#e3f3e6", "#1d5b2b"),
    Kind.FRONTEND: ("#e3f3e6", "#1d5b2b"),
    Kind.BACKEND: ("#e3f3e6", "#1d5b2b"),
    Kind.SERVICE: ("#d3ecd8", "#1d5b2b"),
    Kind.VOLUME: ("#f1def6", "#6c1f83"),
    Kind.MEMBER: ("#ffffff", "#1c2430"),
    Kind.NETWORK: ("#eef0f3", "#667080"),
    Kind.LINK: ("#dfeafa", "#2463b4"),
    Kind.ARBITER: ("#dfeafa", "#2463b4"),
    Kind.FENCE: ("#fbe3d3", "#b4541f"),
}
"""Ground, and line and letters; they hold on a dark page too, because every box has its own ground."""

ARROWS: Mapping[Bond, tuple[str, str, str]] = {
    Bond.LEADS: ("-->", "#1d5b2b", ""),
    Bond.HOME: ("==>", "#1d5b2b", " penwidth=2"),
    Bond.MAY: ("-.->", "#1d5b2b", " style=dashed"),
    Bond.LINK: ("===", "#2463b4", " penwidth=2 dir=none"),
    Bond.JOINED: ("---", "#8a94a3", " dir=none"),
    Bond.VOTES: ("-.-", "#2463b4", " style=dotted dir=none constraint=false"),
    Bond.FENCES: ("-.->", "#b4541f", " style=dashed"),
}
"""Mermaid's arrow, a colour, and DOT's further attributes."""

RANKS = ((Kind.ADDRESS,), (Kind.MEMBER, Kind.ARBITER), (Kind.NETWORK, Kind.LINK))
"""Kinds that stand side by side."""


def as_mermaid(parts: Parts) -> str:
    """A flowchart, as Markdown pages show it."""
    return "\n".join(_mermaid(parts)) + "\n"


def _mermaid(parts: Parts) -> Iterator[str]:
    names = _names(parts)
    yield "---"
    yield f"title: {parts.name}"
    yield "---"
    yield "flowchart TB"
    for thing in parts.things:
        opening, closing, _ = SHAPES[thing.kind]
        label = "<br>".join(_escaped(line) for line in thing.lines)
        yield f'  {names[thing.name]}{opening}"{label}"{closing}:::{thing.kind}'
    coloured: dict[str, list[str]] = {}
    for number, joint in enumerate(parts.joints):
        arrow, colour, _ = ARROWS[joint.bond]
        label = f'|"{_escaped(joint.label)}"|' if joint.label else ""
        yield f"  {names[joint.source]} {arrow}{label} {names[joint.target]}"
        coloured.setdefault(colour, []).append(str(number))
    for kind in dict.fromkeys(thing.kind for thing in parts.things):
        ground, line = COLOURS[kind]
        yield f"  classDef {kind} fill:{ground},stroke:{line},color:{line}"
    for colour, numbers in coloured.items():
        yield f"  linkStyle {','.join(numbers)} stroke:{colour}"


def _escaped(text: str) -> str:
    """What Mermaid would take for its own, as entities of its own."""
    for sign, code in (("#", "35"), ('"', "34"), ("<", "60"), (">", "62"), ("`", "96")):
        text = text.replace(sign, f"\0{code};")
    return text.replace("\0", "#")


def as_dot(parts: Parts) -> str:
    """A graph for Graphviz."""
    return "\n".join(_dot(parts)) + "\n"


def _dot(parts: Parts) -> Iterator[str]:
    names = _names(parts)
    yield f"digraph {_quoted(parts.name)} {{"
    yield "  rankdir=TB"
    yield "  nodesep=0.35"
    yield "  ranksep=0.6"
    yield '  node [fontname="sans-serif" fontsize=11 style="filled,rounded"]'
    yield '  edge [fontname="sans-serif" fontsize=9 arrowsize=0.7]'
    for thing in parts.things:
        ground, line = COLOURS[thing.kind]
        shape = SHAPES[thing.kind][2]
        look = f'shape={shape} fillcolor="{ground}" color="{line}" fontcolor="{line}"'
        rounded = "" if shape == "box" else " style=filled"
        yield f"  {names[thing.name]} [label={_label(thing)} {look}{rounded}]"
    for rank in RANKS:
        side_by_side = [names[thing.name] for thing in parts.things if thing.kind in rank]
        if len(side_by_side) > 1:
            yield f"  {{ rank=same; {'; '.join(side_by_side)} }}"
    for joint in parts.joints:
        _, colour, look = ARROWS[joint.bond]
        label = f" label={_quoted(joint.label)}" if joint.label else ""
        yield f'  {names[joint.source]} -> {names[joint.target]} [color="{colour}"{look}{label}]'
    yield "}"


def _names(parts: Parts) -> dict[str, str]:
    """Short names that mean nothing to either language."""
    return {thing.name: f"n{number}" for number, thing in enumerate(parts.things)}


def _label(thing: Thing) -> str:
    return _quoted("\n".join(thing.lines)).replace("\n", "\\n")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
