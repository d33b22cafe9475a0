"""hadeploy graph: what a topology will be, as a picture."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import show_findings
from hadeploy.cli.terminal import echo


class GraphFormat(StrEnum):
    """What the picture is written as."""

    MERMAID = "mermaid"
    DOT = "dot"
    SVG = "svg"


def graph(
    topology: Annotated[Path, typer.Argument(help="Topology file.")],
    output: Annotated[
        GraphFormat,
        typer.Option(
            "--format",
            help="Mermaid for Markdown pages, DOT for Graphviz, or SVG as a drawing that needs neither.",
        ),
    ] = GraphFormat.MERMAID,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it to this file.")] = None,
) -> None:
    """Draw the design: members, networks, cluster links, fencing, addresses, services, volumes and load balancers.

    Needs no root and no network. Design rules are not asked: a design that they refuse is drawn, too.
    """
    from hadeploy.app.validate import load_design
    from hadeploy.cli import graph_svg, graph_text
    from hadeploy.cli.graph_parts import parts_of

    design, findings = load_design(topology)
    show_findings(findings)
    if design is None:
        raise typer.Exit(1)
    match output:
        case GraphFormat.MERMAID:
            text = graph_text.as_mermaid(parts_of(design))
        case GraphFormat.DOT:
            text = graph_text.as_dot(parts_of(design))
        case GraphFormat.SVG:
            text = graph_svg.as_svg(design)
    if out is None:
        echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
        echo(f"wrote {out}", err=True)
