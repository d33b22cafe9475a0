"""hadeploy check: every rendered file through the parser of the daemon that reads it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hadeploy.cli.findings import show_findings
from hadeploy.cli.terminal import echo


class CheckFormat(StrEnum):
    """How verdicts are printed."""

    TEXT = "text"
    JSON = "json"


class Parsers(StrEnum):
    """Whose parsers are asked."""

    RELEASE = "release"
    OWN = "own"


def check(
    topologies: Annotated[
        list[Path],
        typer.Argument(help="Topology files, or folders with a topology.yaml below.", metavar="TOPOLOGY..."),
    ],
    parsers: Annotated[
        Parsers,
        typer.Option(
            help="release: those of the members' release, out of its node image, where root has built one; else, as "
            "with own, this machine's."
        ),
    ] = Parsers.RELEASE,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail also where a file could not be checked.")
    ] = False,
    output: Annotated[
        CheckFormat, typer.Option("--format", help="For people or for programs.")
    ] = CheckFormat.TEXT,
) -> None:
    """Render every file and have it read by the daemon's own parser; no host is touched, no network is needed.

    Each member is played here with its name, interfaces and users: keepalived -t, haproxy -c, corosync -t, nft -c,
    nginx -t, systemd-analyze verify, and for the cluster its schema and crm_verify. The report says which version judged.
    A file without a parser here is reported as not checked. Exit code 1 when any is refused.
    """
    from hadeploy.app.check import check_topologies
    from hadeploy.cli import check_view
    from hadeploy.proof.parsers import State

    reports, findings = check_topologies(
        topologies, release=parsers is Parsers.RELEASE, tell=lambda text: echo(text, err=True)
    )
    show_findings(findings)
    if output is CheckFormat.JSON:
        echo(check_view.as_json(reports))
    else:
        check_view.show(reports)
    unchecked = any(verdict.state is State.UNCHECKED for report in reports for verdict in report.verdicts)
    if findings.has_errors or (strict and unchecked):
        raise typer.Exit(1)
