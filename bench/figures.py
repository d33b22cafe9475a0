"""A measured figure, and where figures are kept."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
DATA = HERE / "results.json"
PAGE = HERE / "results.md"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its bound.

    Attributes:
        what: what was measured.
        unit: of ``values``.
        values: every run; the median is what counts.
        bound: at most this much, or None where a number is only to be known.
        note: how it is to be read; empty for none.
    """

    what: str
    unit: str
    values: tuple[float, ...]
    bound: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        """The middle of all runs."""
        return statistics.median(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether the bound holds; None without one."""
        return None if self.bound is None else self.median <= self.bound


@dataclass(frozen=True, slots=True)
class Section:
    """Figures that one command measures."""

    name: str
    title: str
    figures: Sequence[Figure]
    text: str = ""
    measured: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())


def keep(section: Section) -> None:
    """Put a section into the data, in place of its former self, and write the page anew."""
    data = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    data[section.name] = {**asdict(section), "machine": _machine()}
    DATA.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(_page(data), encoding="utf-8")


def _machine() -> str:
    cores = len(
        [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")]
    )
    return f"{cores} cores, Linux {platform.release()}, Python {platform.python_version()}"


def _page(data: dict[str, dict[str, object]]) -> str:
    lines = [
        "# Measurements",
        "",
        "Written by `make bench`; one section alone: `python bench/bench.py SECTION`. Medians; every run is in results.json.",
    ]
    for name, section in sorted(data.items()):
        lines += ["", f"## {section['title']}", ""]
        lines.append(f"`python bench/bench.py {name}`, {section['measured']}, {section['machine']}")
        lines += [
            "",
            "| what | median | lowest - highest | runs | bound | reached |",
            "|---|---|---|---|---|---|",
        ]
        figures = section["figures"]
        assert isinstance(figures, list)
        for raw in figures:
            figure = Figure(**{**raw, "values": tuple(raw["values"])})
            bound = "" if figure.bound is None else f"≤ {figure.bound:g} {figure.unit}"
            reached = {None: "", True: "yes", False: "**no**"}[figure.reached]
            lines.append(
                f"| {figure.what} | {figure.median:.3g} {figure.unit} | {min(figure.values):.3g} - {max(figure.values):.3g} "
                f"| {len(figure.values)} | {bound} | {reached} |"
            )
        notes = [f"- {raw['what']}: {raw['note']}" for raw in figures if raw["note"]]
        lines += ["", *notes] if notes else []
        if section["text"]:
            lines += ["", str(section["text"])]
    return "\n".join(lines) + "\n"
