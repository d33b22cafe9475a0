"""How explanations look: on a terminal, and as Markdown for pages and for code scanning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from hadeploy.app.explain import Explanation
from hadeploy.cli.console import Console

INDENT = 4
ACROSS = "It shows only when several topologies are validated together: hadeploy validate inventories/"


def show(known: Explanation) -> None:
    """One code for a person, to stdout."""
    console = Console(highlight=False)
    for part in _parts(known):
        console.print(part)


def _parts(known: Explanation) -> Iterator[RenderableType]:
    style = "red" if known.severity == "error" else "yellow"
    yield Text.assemble((known.code, f"bold {style}"), f"  {known.family}, {known.severity}")
    yield Text(f"{known.title}.", "bold")
    yield ""
    yield _entry("Why", known.reason)
    yield _entry("Mend", known.mend)
    if known.across:
        yield _entry("Where", ACROSS)
    if known.base:
        beside = f", judged together with {known.beside}" if known.beside else ""
        yield _entry("In", f"the example {known.base} (inventories/{known.base}/topology.yaml){beside}")
    for heading, yaml, colour in (("Breaks it", known.bad, "red"), ("Holds", known.good, "green")):
        if yaml:
            yield Group("", Text(f"{heading}:", colour), Padding(_yaml(yaml), (0, 0, 0, INDENT)))
    yield ""
    if known.source:
        yield _entry("Source", known.source)
    if known.acceptable:
        yield _entry(
            "Accept", f"accept_risks: [{{rule: {known.code}, reason: ...}}], and every report repeats it"
        )


def _entry(heading: str, text: str) -> RenderableType:
    row = Table.grid(padding=(0, 2))
    row.add_column(min_width=6, style="bold")
    row.add_column(ratio=1, overflow="fold")
    row.add_row(heading, Text(text))
    return row


def _yaml(text: str) -> Syntax:
    return Syntax(text.rstrip("\n"), "yaml", theme="ansi_dark", background_color="default", word_wrap=True)


def show_table(known: Sequence[Explanation]) -> None:
    """Many codes, by family, to stdout."""
    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for family, members in groupby(sorted(known, key=lambda one: _order(known, one)), lambda one: one.family):
        table.add_row(Text(family, "bold"), "", "")
        for one in members:
            style = "red" if one.severity == "error" else "yellow"
            table.add_row(f"  {one.code}", Text(one.severity, style), Text(one.title))
    console.print(table)
    if console.is_terminal:
        console.print("\nhadeploy explain CODE tells the reason, the mend and the source of one", style="dim")


def _order(known: Sequence[Explanation], one: Explanation) -> tuple[int, str]:
    families = list(dict.fromkeys(each.family for each in known))
    return families.index(one.family), one.code


def as_markdown(known: Explanation) -> str:
    """A page about one code; ends with a newline."""
    return "\n".join(_markdown(known))


def _markdown(known: Explanation) -> Iterator[str]:
    yield f"# {known.code}: {known.title}\n"
    yield f"Family {known.family}, {known.severity}.\n"
    yield f"**Why.** {_sentence(known.reason)}\n"
    yield f"**What to do.** {_sentence(known.mend)}\n"
    if known.across:
        yield f"{ACROSS.replace('hadeploy validate inventories/', '`hadeploy validate inventories/`')}.\n"
    if known.base:
        beside = f", judged together with {known.beside}" if known.beside else ""
        yield f"In the example [{known.base}](../../inventories/{known.base}/topology.yaml){beside}:\n"
    for heading, yaml in (("This breaks it", known.bad), ("This does not", known.good)):
        if yaml:
            yield f"{heading}:\n\n```yaml\n{yaml.rstrip()}\n```\n"
    if known.source:
        yield f"**Source.** {known.source}.\n"
    if known.acceptable:
        yield (
            "A design that must break it says so by name, and every report repeats the reason:\n\n"
            f"```yaml\naccept_risks:\n  - rule: {known.code}\n    reason: why it is worth the risk here\n```\n"
        )


def _sentence(text: str) -> str:
    """With a capital, unless it begins with a name that has none (``two_node``, ``cluster.links``)."""
    plain = text.partition(" ")[0].isalpha()
    return f"{text[:1].upper() if plain else text[:1]}{text[1:]}."
