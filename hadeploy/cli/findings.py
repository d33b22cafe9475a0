"""How diagnostics are shown: one line each that editors can jump to, then why and what to write instead."""

from __future__ import annotations

import json
from dataclasses import asdict
from textwrap import indent

import typer

from hadeploy.cli.terminal import echo, secho
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.diagnostics.characters import escaped


def show_findings(findings: Diagnostics) -> None:
    """Print findings for people, to stderr."""
    for finding in findings:
        place = f"{finding.span}: " if finding.span else ""
        level = "" if finding.is_error else "warning: "
        secho(escaped(f"{place}{level}{finding.code} {finding.summary}"), err=True, bold=True)
        if finding.detail:
            echo(indent(finding.detail, "    "), err=True)
        if finding.mend:
            echo(f"    hint: {finding.mend}", err=True)


def as_json(findings: Diagnostics) -> str:
    """All findings as one JSON document."""
    return json.dumps({"version": 1, "findings": [_one(finding) for finding in findings]}, indent=2)


def _one(finding: Diagnostic) -> dict[str, object]:
    return {**asdict(finding), "severity": str(finding.severity)}


def stop_on_errors(findings: Diagnostics) -> None:
    """Show findings; end with exit code 1 when any is an error."""
    show_findings(findings)
    if findings.has_errors:
        raise typer.Exit(1)
