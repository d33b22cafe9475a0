"""How a status is shown: tables for people, one document for programs."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from hadeploy.cli.console import Console
from hadeploy.health.problem import HostProblem
from hadeploy.plan.status import UNKNOWN, Status

FENCING_ROWS = 5


def as_json(status: Status) -> str:
    """The whole status; ``degraded`` says what the exit code says."""
    verdict = {"degraded": status.degraded, "verdict": status.verdict}
    return json.dumps({"version": 1, **verdict, **asdict(status)}, indent=2)


def show(console: Console, status: Status) -> None:
    """One table: nodes, addresses, groups, servers, fencing; then what is wrong, in sentences."""
    table = Table(title=_title(status), title_justify="left", show_lines=False)
    table.add_column("what")
    table.add_column("name")
    table.add_column("state")
    table.add_column("where")
    for node in status.nodes:
        table.add_row(
            "node",
            node.name,
            _mark(node.state, well=node.well),
            "controller" if node.name == status.dc else "",
        )
    for fact in status.hosts:
        table.add_row("host", fact.host, _mark(fact.found, well=not fact.is_error), _expected(fact))
    if status.device is not None:
        votes = f"{status.device.votes} vote{'' if status.device.votes == 1 else 's'}"
        state = ", ".join(dict.fromkeys(state for _, state in status.device.members)) or "unknown"
        table.add_row(
            "arbiter",
            status.device.name,
            _mark(f"{state}, {votes}", well=status.device.well),
            "quorum device",
        )
    table.add_section()
    for address in status.addresses:
        state = {0: UNKNOWN if address.unknown else "nowhere", 1: "held"}.get(
            len(address.holders), "HELD TWICE"
        )
        table.add_row(
            "address",
            f"{address.name} {address.address}",
            _mark(state, well=len(address.holders) == 1),
            ", ".join(address.holders),
        )
    table.add_section()
    for group in status.groups:
        well = bool(group.node) and not group.broken
        state = "started" if well else ", ".join(group.broken) or "stopped"
        table.add_row("group", group.name, _mark(state, well=well), group.node)
    for copy in status.volumes:
        words = ", ".join(part for part in (copy.role, copy.disk, copy.connection) if part) or "not running"
        where = f"{copy.member}, {copy.progress}" if copy.progress else copy.member
        table.add_row("volume", copy.volume, _mark(words, well=copy.well), where)
    for instance in status.databases:
        words = f"{instance.state}, {instance.data}" if instance.data else instance.state
        table.add_row("database", instance.database, _mark(words, well=instance.well), instance.member)
    for kept in status.kept_wal:
        table.add_row(
            "kept WAL", kept.database, Text("remove it when nobody needs it"), f"{kept.member}: {kept.path}"
        )
    for server in status.servers:
        for balancer, state in server.states:
            table.add_row(
                "server",
                f"{server.backend}/{server.server}",
                _mark(state, well=state == "UP"),
                f"seen by {balancer}",
            )
    table.add_section()
    for event in status.fencing[:FENCING_ROWS]:
        table.add_row("fencing", event.target, f"{event.action} {event.status}", event.completed)
    console.print(table)
    for problem in status.problems:
        certain = problem not in status.unknown
        words = f"degraded: {problem}" if certain else problem
        console.print(Text(words, style="bold red" if certain else "bold yellow"), soft_wrap=True)
    if not status.problems:
        console.print(Text("all well", style="green"))
    elif status.verdict == UNKNOWN:
        console.print(Text("unknown: not all nodes could be asked", style="bold yellow"))


def _expected(fact: HostProblem) -> str:
    return f"{fact.expected} (risk accepted: {fact.accepted})" if fact.accepted else fact.expected


def _title(status: Status) -> str:
    quorum = {None: "", True: ", quorate", False: ", NO QUORUM"}[status.quorate]
    return f"{status.name} ({status.pattern}{quorum})"


def _mark(state: str, *, well: bool) -> Text:
    return Text(state, style="green" if well else "bold red")
