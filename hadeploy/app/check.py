"""Hold every rendered file against the parser of the daemon that reads it, before any host is touched."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hadeploy.app.validate import judge_together
from hadeploy.daemons.artifact import ClusterInformationBase, Share
from hadeploy.daemons.registry import cluster_information_base, shares
from hadeploy.design.design import Design
from hadeploy.diagnostics import Diagnostic, Diagnostics, Severity
from hadeploy.lab.errors import LabError
from hadeploy.lab.parsers import can_make_parser_root, ensure_parser_root, parser_root
from hadeploy.lab.tell import Tell, say_nothing
from hadeploy.proof.job import Job, JobOutcome
from hadeploy.proof.parsers import State, Verdict, in_state, read_answer, united
from hadeploy.proof.rooms import Room, room_job, rooms, unjudged
from hadeploy.run import parser_room
from hadeploy.run.accepted import AcceptedAnswers, answers_folder, key_of, parsers_identity
from hadeploy.run.jobs import run_jobs


@dataclass(frozen=True, slots=True)
class Judges:
    """Whose parsers are asked.

    Attributes:
        root: a tree of the release's own, or None for this machine's.
        place: the same for people.
        versions_will_run: whether members will run just these.
    """

    root: Path | None
    place: str
    versions_will_run: bool


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What came of one design.

    Attributes:
        name: of the design.
        judges: who judged.
        verdicts: one a file and parser, in the order of the members.
        unjudged: files that nothing can judge, by host.
    """

    name: str
    judges: Judges
    verdicts: tuple[Verdict, ...]
    unjudged: tuple[tuple[str, str], ...] = field(default=())


def release_judges(release: str, *, make: bool, tell: Tell = say_nothing) -> tuple[Judges, Diagnostics]:
    """The release's own parsers where root has them, else this machine's.

    Args:
        release: of the members.
        make: whether they may be made of the release's node image, once, which takes a minute.
        tell: told what takes long.
    """
    findings = Diagnostics()
    root = parser_root(release)
    if root is None and make and can_make_parser_root(release):
        try:
            root = ensure_parser_root(release, tell)
        except LabError as error:
            problem = Diagnostic(error.code, error.message, mend=error.mend, severity=Severity.WARNING)
            findings = Diagnostics((problem,))
    if root is None:
        return own_judges(release), findings
    return Judges(root, f"the {release} node image", versions_will_run=True), findings


def own_judges(release: str) -> Judges:
    """This machine's parsers."""
    own = own_release()
    return Judges(None, f"this machine ({own})" if own else "this machine", versions_will_run=own == release)


def own_release() -> str:
    """This machine's release in the words of a topology: ``debian-12``; empty where it does not say."""
    try:
        about = platform.freedesktop_os_release()
    except OSError:
        return ""
    return "-".join(part for part in (about.get("ID", ""), about.get("VERSION_ID", "")) if part)


def check_topologies(
    paths: Sequence[Path], *, release: bool = True, tell: Tell = say_nothing
) -> tuple[list[CheckReport], Diagnostics]:
    """Check every design; none where a rule refuses any.

    Args:
        paths: topologies, or folders.
        release: whether the parsers of the members' release are preferred to this machine's.
        tell: told what takes long.
    """
    cases, findings = judge_together(paths)
    if findings.has_errors:
        return [], findings
    reports = []
    for case in cases:
        name = case.design.release.name
        judges, found = own_judges(name), Diagnostics()
        if release:
            judges, found = release_judges(name, make=True, tell=tell)
        report = check_design(case.design, judges)
        findings += found + refusals(report)
        reports.append(report)
    return reports, findings


def check_design(design: Design, judges: Judges, known: AcceptedAnswers | None = None) -> CheckReport:
    """Render every file and have it judged.

    Args:
        design: whose files.
        judges: whose parsers.
        known: answers of the same parsers to the same files, taken instead of asking again.
    """
    parts, cib = shares(design), cluster_information_base(design)
    return CheckReport(
        design.name,
        judges,
        check_parts(design, parts, cib, judges, known),
        tuple((artifact.host, artifact.path) for artifact in unjudged(parts)),
    )


def check_parts(
    design: Design,
    parts: Sequence[Share],
    cib: ClusterInformationBase | None,
    judges: Judges,
    known: AcceptedAnswers | None = None,
) -> tuple[Verdict, ...]:
    """The verdicts on given files of a design; what the release's tree has no parser for is asked of this machine's."""
    played = list(rooms(design, parts, cib, ordinary=os.geteuid() != 0))
    verdicts = _ask(played, judges, known)
    if judges.root is None:
        return verdicts
    unchecked = in_state(verdicts, State.UNCHECKED)
    rest = [room.only({(v.path, v.parser) for v in unchecked if v.host == room.host}) for room in played]
    second = _ask([room for room in rest if room.judged], own_judges(design.release.name), known)
    better = {(v.host, v.path, v.parser): v for v in second if v.state is not State.UNCHECKED}
    return tuple(better.get((v.host, v.path, v.parser), v) for v in verdicts)


def _ask(played: Sequence[Room], judges: Judges, known: AcceptedAnswers | None = None) -> tuple[Verdict, ...]:
    """Play every room whose answer is not known, many at once."""
    program = Path(parser_room.__file__).read_text(encoding="utf-8")
    ordinary = os.geteuid() != 0
    keys = [_key(room, judges, program, ordinary=ordinary) for room in played] if known else []
    outcomes = {
        number: JobOutcome(0, answer, "", 0.0)
        for number, key in enumerate(keys)
        if known and (answer := known.find(key))
    }
    with tempfile.TemporaryDirectory(prefix="hadeploy-check-") as folder:

        def jobs() -> Iterator[tuple[int, Job]]:
            for number, room in enumerate(played):
                if number in outcomes:
                    continue
                yield (
                    number,
                    room_job(
                        room,
                        sys.executable,
                        program,
                        root=str(judges.root or ""),
                        stage="" if room.isolated else f"{folder}/{room.host}",
                        ordinary=ordinary,
                    ),
                )

        asked = dict(run_jobs(jobs()))
    outcomes |= asked
    verdicts: list[Verdict] = []
    for number, room in enumerate(played):
        said = read_answer(room, outcomes[number], judges.place)
        verdicts += said
        if known and number in asked and all(verdict.state is State.ACCEPTED for verdict in said):
            known.keep(keys[number], outcomes[number].stdout)
    return united(verdicts)


def _key(room: Room, judges: Judges, program: str, *, ordinary: bool) -> str:
    """All that the answer depends on: the room with its files, who plays it, and the parsers."""
    parsers = parsers_identity(judges.root, {each.check.parser for each in room.judged}, parser_room.PATH)
    return key_of(room.plan(ordinary=ordinary), program, parsers)


def refusals(report: CheckReport) -> Diagnostics:
    """One error a refused file, with the parser's own words."""
    refused = in_state(report.verdicts, State.REFUSED)
    return Diagnostics(tuple(_refusal(verdict, Severity.ERROR) for verdict in refused))


def _refusal(verdict: Verdict, severity: Severity) -> Diagnostic:
    parser = f"{verdict.parser} {verdict.version}".strip()
    where = f"\n{verdict.path}, line {verdict.line}" if verdict.line else ""
    return Diagnostic(
        "CHECK001",
        f"{parser} refuses {verdict.path} of {verdict.host}",
        detail=f"{verdict.words}{where}",
        mend="the words tell which value of the topology it comes from; if none, this is an error of hadeploy",
        severity=severity,
    )


def check_before_connecting(design: Design) -> tuple[CheckReport, Diagnostics]:
    """What an apply asks of the parsers that are there; nothing is made for it.

    What the same parsers accepted before is not shown to them again: hadeploy check asks anew, always. Members run their
    own parsers before anything is written. Where a version here is not theirs, its refusal only
    warns: theirs decide.
    """
    release = design.release.name
    judges, findings = release_judges(release, make=False)
    report = check_design(design, judges, AcceptedAnswers(answers_folder()))
    theirs = {each.place for each in (judges, own_judges(release)) if each.versions_will_run}
    refused = in_state(report.verdicts, State.REFUSED)
    found = (_refusal(v, Severity.ERROR if v.place in theirs else Severity.WARNING) for v in refused)
    return report, findings + Diagnostics(tuple(found))
