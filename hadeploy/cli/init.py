"""hadeploy init: a commented starting file for a pattern."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.terminal import echo
from hadeploy.spec.topology import PATTERNS


def init(
    pattern: Annotated[str, typer.Argument(help=", ".join(PATTERNS))],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write it.")] = Path(
        "topology.yaml"
    ),
) -> None:
    """Write a commented topology that validates, and the schema that gives editors completion."""
    from hadeploy.spec.schema import json_schema
    from hadeploy.spec.starter import starter_text

    if pattern not in PATTERNS[:3]:
        built = ", ".join(PATTERNS[:3])
        why = "is not built yet" if pattern in PATTERNS else "is not a pattern"
        echo(f"{pattern} {why}; write one of: {built}", err=True)
        raise typer.Exit(1)
    if output.exists():
        echo(f"{output} exists and is left as it is; name another file with --output", err=True)
        raise typer.Exit(1)
    output.write_text(starter_text(pattern), encoding="utf-8")
    schema_file = output.parent / "topology.schema.json"
    schema_file.write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
    echo(f"wrote {output} and {schema_file.name}; next: hadeploy validate {output}")
