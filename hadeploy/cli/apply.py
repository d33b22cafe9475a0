"""hadeploy apply: make the hosts what the topology says."""

from __future__ import annotations

import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hadeploy.cli.access import AskBecomePass, Inventories, ask_become_password, refuse_both
from hadeploy.cli.findings import stop_on_errors
from hadeploy.cli.terminal import echo

if TYPE_CHECKING:
    from hadeploy.app.apply import PreparedApply

INTERRUPTED = 130


def apply(
    topology: Annotated[Path, typer.Argument(help="Topology file.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say what would change.")] = False,
    lab: Annotated[
        bool, typer.Option("--lab", help="The nodes of this topology's lab, not the real hosts.")
    ] = False,
    inventory: Inventories = None,
    ask_become_pass: AskBecomePass = False,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the Ansible project is written.")] = Path(
        "build"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="One document on stdout, for programs.")] = False,
    wipe: Annotated[
        list[str] | None,
        typer.Option(metavar="VOLUME@NODE", help="Destroy what is on this backing disk. Repeatable."),
    ] = None,
    adopt: Annotated[
        list[str] | None,
        typer.Option(
            metavar="VOLUME@NODE", help="Make what is on this backing disk the volume's content. Repeatable."
        ),
    ] = None,
    take_over_file: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH[@NODE]",
            help="Replace this file, which is not hadeploy's; a copy is kept on its host. Repeatable.",
        ),
    ] = None,
    take_over_unit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="UNIT[@NODE]",
            help="Stop and disable this unit, which hadeploy did not start and whose place it takes. Repeatable.",
        ),
    ] = None,
    take_over_object: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Replace this resource, constraint or property of the cluster, which is not hadeploy's. Repeatable.",
        ),
    ] = None,
    take_over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN|ID",
            help="Take the hosts' lock over from this run, which is known to be dead; or hosts from the deployment with this"
            " id. Repeatable.",
        ),
    ] = None,
) -> None:
    """Compile the topology and apply it over SSH.

    What hadeploy check refuses is refused before the first connection. All members must answer, every file must pass
    its daemon's own parser there too, and the cluster's configuration must verify before the first daemon is told.
    Ended by Ctrl-C, SIGTERM or SIGHUP, the next apply completes it. A second apply changes nothing. One apply at a time
    changes a host, from whatever machine; another one is refused and names the first.
    At the end the cluster's status is read, and waited for while it changes: exit code 1 where it stays degraded, also when
    there was nothing to change.
    """
    from hadeploy.app.apply import (
        ApplyRequest,
        apply_topology,
        ask_further,
        look_at_service,
        look_first,
        prepare,
    )
    from hadeploy.cli.apply_view import as_document, progress_view, show_outcome
    from hadeploy.cli.check_view import summary
    from hadeploy.cli.look_view import as_data, as_result, show_look
    from hadeploy.run.sole import sole_run
    from hadeploy.spec.deployment import ID

    refuse_both(lab, inventory)
    runs = [word for word in take_over or () if not ID.fullmatch(word)]
    if any(not re.fullmatch(r"[0-9A-Za-z]+", word) for word in runs):
        raise typer.BadParameter(
            "it is neither a run nor the id of a deployment: take the one that the refusal names",
            param_hint="--take-over",
        )
    if len(runs) > 1:
        raise typer.BadParameter("one run holds the lock of a host: name one", param_hint="--take-over")
    request = ApplyRequest(
        topology=topology,
        out=out,
        lab=lab,
        inventories=tuple(inventory or ()),
        check=check,
        wipe=tuple(wipe or ()),
        adopt=tuple(adopt or ()),
        take_over=tuple(take_over or ()),
        take_over_files=tuple(take_over_file or ()),
        take_over_units=tuple(take_over_unit or ()),
        become_password=ask_become_password() if ask_become_pass else None,
        take_over_objects=tuple(take_over_object or ()),
    )
    with ExitStack() as until_the_end:
        until_the_end.enter_context(sole_run(topology))
        prepared, findings = prepare(request, until_the_end.enter_context)
        stop_on_errors(findings)
        if prepared is None:
            raise typer.Exit(1)
        echo(summary(prepared.checked), err=True)
        if not (yes or check or sys.stdin.isatty()):
            echo("there is nobody to ask: apply with --yes, or look first with --check", err=True)
            raise typer.Exit(1)
        look = look_first(prepared)
        if look.refused:
            further = ask_further(prepared).failures if look.answered else ()
            if as_json:
                echo(as_document(as_result(look, further), None, as_data(look)))
            show_look(look, further)
            raise typer.Exit(1)
        show_look(look)
        if yes or check:
            for words in prepared.removed:
                echo(words, err=True)
        else:
            prepared = _ask(prepared)
        with progress_view(quiet=as_json, diffs=check) as tell:
            outcome = apply_topology(prepared, tell)
            try:
                served = look_at_service(prepared, outcome, tell)
            except KeyboardInterrupt:
                echo("interrupted: all was applied; hadeploy status says whether it is served", err=True)
                raise typer.Exit(INTERRUPTED) from None
    if as_json:
        echo(as_document(outcome, served, as_data(look)))
    else:
        show_outcome(outcome, served, check=check)
    if outcome.interrupted:
        raise typer.Exit(INTERRUPTED)
    if not outcome.succeeded or (served is not None and served.problems):
        raise typer.Exit(1)


def _ask(prepared: PreparedApply) -> PreparedApply:
    """What a person said yes to; what listens and would be closed is part of it."""
    from hadeploy.app.apply import look_at_closing, with_closed
    from hadeploy.app.closing import allow_line

    for words in prepared.removed:
        echo(words)
    for deployment in prepared.taken_over:
        echo(
            f"hosts that belong to the deployment {deployment} are taken from it: what it runs there is stopped and removed"
        )
    for disk in prepared.destroyed:
        echo(f"everything on {disk} will be destroyed")
    for name in prepared.request.take_over_files:
        echo(f"{name} will be replaced where it is not hadeploy's; a copy is kept on its host")
    for name in prepared.request.take_over_objects:
        echo(f"{name} in the cluster's configuration will be replaced or removed where it is not hadeploy's")
    for name in prepared.request.take_over_units:
        echo(f"{name} will be stopped and disabled where it runs")
    closing = look_at_closing(prepared)
    for each in closing:
        echo(
            f"{each.protocol} port {each.port} on {each.host}, where {each.process} listens, will be closed by the firewall"
        )
    if closing:
        echo(f"to let it in, answer no and write in the topology: {allow_line(closing)}")
    if not typer.confirm(f"Apply {prepared.design.name} to {', '.join(prepared.targets)}?"):
        raise typer.Exit(1)
    return with_closed(prepared, closing)
