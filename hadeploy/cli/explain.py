"""hadeploy explain: what a code means, why it matters, what to write instead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from hadeploy.cli.terminal import echo

if TYPE_CHECKING:
    from hadeploy.app.explain import Explanation


class ExplainFormat(StrEnum):
    """How an explanation is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


def explain(
    code: Annotated[
        str | None,
        typer.Argument(help="A code such as HA013, or a family such as vrrp; all codes when left out."),
    ] = None,
    output: Annotated[
        ExplainFormat, typer.Option("--format", help="For people, for programs, or for a review.")
    ] = ExplainFormat.TEXT,
) -> None:
    """Say what a finding's code means: the reason, the mend, and YAML that breaks the rule and YAML that does not."""
    from hadeploy.app.explain import all_explanations, explain_family, nearest
    from hadeploy.app.explain import explain as explain_code

    if code is None:
        _print(all_explanations(), output, table=True)
        return
    known = explain_code(code)
    if known is not None:
        _print((known,), output, table=False)
        return
    family = explain_family(code)
    if family:
        _print(family, output, table=True)
        return
    near = nearest(code)
    hint = f"did you mean {', '.join(near)}?" if near else "hadeploy explain lists every code"
    echo(f"there is no code {code}\n    hint: {hint}", err=True)
    raise typer.Exit(1)


def _print(known: Sequence[Explanation], output: ExplainFormat, *, table: bool) -> None:
    from hadeploy.cli import explain_view

    match output:
        case ExplainFormat.JSON:
            echo(json.dumps({"version": 1, "codes": [asdict(one) for one in known]}, indent=2))
        case ExplainFormat.MARKDOWN:
            echo("\n".join(explain_view.as_markdown(one) for one in known), nl=False)
        case ExplainFormat.TEXT if table:
            explain_view.show_table(known)
        case ExplainFormat.TEXT:
            explain_view.show(known[0])
