"""Apply a topology: compile, make what is missing of the secrets, run the project, say what came of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hadeploy.app.build import compile_topology
from hadeploy.app.check import CheckReport, check_before_connecting
from hadeploy.app.closing import Closing, closing_of
from hadeploy.app.deployment import known_id, strange
from hadeploy.app.look import Look, look_at_hosts
from hadeploy.app.removed import objects_of, removed_objects
from hadeploy.app.secrets import all_secrets, former_secrets, vault_of
from hadeploy.app.served import PATIENCE_SECONDS, Served, await_served
from hadeploy.app.status import StatusReader, access_of, lab_of
from hadeploy.daemons.registry import shares
from hadeploy.design.design import Design
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.lab.state import LabState
from hadeploy.observe.facts import Belonging
from hadeploy.plan.observed import HostView
from hadeploy.plan.status import Status
from hadeploy.project.inventory import nodes_of
from hadeploy.project.playbook import LOOKING
from hadeploy.run.ansible import LOOK, SITE, apply_project
from hadeploy.run.ask import Reach
from hadeploy.run.connections import Access, known_inventories, read_reaches
from hadeploy.run.errors import RunError
from hadeploy.run.events import RunEvent, RunResult
from hadeploy.run.vault import ensure_generated, vault_password
from hadeploy.spec.deployment import ID
from hadeploy.spec.secret import DEFAULT_VAULT


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """What a person asked for.

    ``wipe`` and ``adopt`` name disks as ``volume@node``, ``take_over`` a run that is dead, and deployments whose hosts are to
    be this one's. The other ``take_over_…`` name what is not hadeploy's and may be replaced or stopped, files and units as
    ``name`` or ``name@node``.
    """

    topology: Path
    out: Path
    lab: bool
    inventories: tuple[Path, ...]
    check: bool
    wipe: tuple[str, ...] = ()
    adopt: tuple[str, ...] = ()
    take_over: tuple[str, ...] = ()
    take_over_files: tuple[str, ...] = ()
    take_over_units: tuple[str, ...] = ()
    close: tuple[Closing, ...] = ()
    become_password: bytes | None = None
    take_over_objects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreparedApply:
    """An apply that can start: nothing but the project's folder and the vault was written so far.

    ``removed`` says what happens to objects that hold data and were in the former build of this topology; ``deployment`` is
    the id of the deployment.
    """

    request: ApplyRequest
    design: Design
    checked: CheckReport
    project: Path
    access: Access
    reaches: tuple[Reach, ...]
    removed: tuple[str, ...] = ()
    deployment: str = ""

    @property
    def destroyed(self) -> tuple[str, ...]:
        """Disks whose content goes, as a person should read them once more."""
        destructible = _disks(self.design) | _copies(self.design)
        return tuple(words for name, words in destructible.items() if name in self.request.wipe)

    @property
    def taken_over(self) -> tuple[str, ...]:
        """Ids of other deployments whose hosts become this one's."""
        return tuple(word for word in self.request.take_over if ID.fullmatch(word))

    @property
    def targets(self) -> tuple[str, ...]:
        """The hosts that are meant."""
        where = "lab" if self.request.lab else ""
        return tuple(f"{where} {reach.host} ({reach.address})".strip() for reach in self.reaches)


def prepare(
    request: ApplyRequest, hold: Callable[[AbstractContextManager[None]], object] | None = None
) -> tuple[PreparedApply | None, Diagnostics]:
    """Everything that can be refused before the first connection.

    Args:
        request: what is asked for.
        hold: enters what must last until the apply has ended: nobody else may write its project meanwhile.

    Raises:
        RunError: an inventory cannot be read or does not name all hosts, or another run uses the project.
        NotAProjectError: the destination holds something else.
        OtherDeploymentError: the destination holds the project of another topology of this name.
    """
    known_inventories(request.inventories)
    former: list[dict[str, Any]] = []
    done, findings = compile_topology(
        request.topology,
        request.out,
        lab=request.lab,
        hold=hold,
        before=lambda project: former.extend(objects_of(project)),
        make_id=not request.check,
    )
    if done is None:
        return None, findings
    project, design = done
    findings += Diagnostics.of(_named_disks(request, design))
    findings += Diagnostics.of(_named_to_take_over(request, design))
    if findings.has_errors:
        return None, findings
    lab: LabState | None = None
    if request.lab:
        lab, found = lab_of(design.name, request.topology)
        findings += found
        if lab is None:
            return None, findings
        access = Access((lab.overlay,))
    else:
        access = access_of(request.topology, design, request.inventories, request.become_password)
    access = replace(access, project=project)
    reaches = read_reaches(design, access)
    checked, found = check_before_connecting(design)
    findings += found
    if findings.has_errors:
        return None, findings
    try:
        vault, password = _secrets(request, design, lab)
    except RunError as error:
        return None, findings + Diagnostics((Diagnostic(error.code, error.message, mend=error.mend),))
    access = replace(access, vault_file=vault, vault_password=password or access.vault_password)
    removed = removed_objects(former, design)
    own, found = known_id(request.topology, lab)
    return PreparedApply(request, design, checked, project, access, reaches, removed, own), findings + found


def _disks(design: Design) -> dict[str, str]:
    """What --wipe and --adopt call the disks of volumes, and what each is to a person."""
    return {
        f"{volume.name}@{replica.member}": f"{replica.disk} on {replica.member}"
        for volume in design.volumes
        for replica in volume.diskful
    }


def _copies(design: Design) -> dict[str, str]:
    """The same of the copies of databases, which can only be made anew."""
    return {
        f"{database.name}@{member}": f"{database.data} on {member}"
        for database in design.databases
        for member in database.names
    }


def _named_disks(request: ApplyRequest, design: Design) -> Iterator[Diagnostic]:
    """A disk that is named must be one of the design, and one fate is enough for it."""
    disks, copies = _disks(design), _copies(design)
    for option, names, known in (
        ("--wipe", request.wipe, disks | copies),
        ("--adopt", request.adopt, disks),
    ):
        for name in names:
            if name not in known:
                yield Diagnostic(
                    "APPLY002",
                    f"{option} {name}: there is no such disk",
                    mend=f"one of: {', '.join(sorted(known))}" if known else "the topology has none",
                )
    for name in sorted(set(request.wipe) & set(request.adopt)):
        yield Diagnostic(
            "APPLY003",
            f"{name} is to be destroyed and to be kept",
            mend="name it under --wipe or under --adopt",
        )


def _named_to_take_over(request: ApplyRequest, design: Design) -> Iterator[Diagnostic]:
    """A file or unit that is named must be one of the design: a name that is mistyped accepts nothing."""
    files: dict[str, set[str]] = {}
    units: dict[str, set[str]] = {}
    for share in shares(design):
        for artifact in share.artifacts:
            files.setdefault(artifact.path, set()).add(share.host)
        for unit in share.units:
            units.setdefault(unit.name, set()).add(share.host)
    for option, names, known in (
        ("--take-over-file", request.take_over_files, files),
        ("--take-over-unit", request.take_over_units, units),
    ):
        exact = {*known, *(f"{name}@{host}" for name, hosts in known.items() for host in hosts)}
        for name in names:
            if name not in exact:
                yield Diagnostic(
                    "APPLY092",
                    f"{option} {name}: there is no such file or unit in this topology",
                    mend=f"one of: {', '.join(sorted(known))}, each for all nodes or as NAME@NODE",
                )


def _secrets(request: ApplyRequest, design: Design, lab: LabState | None) -> tuple[Path | None, bytes | None]:
    """The vault, with all that hadeploy makes itself in it. A lab has its own: it must not touch the real one."""
    sources = {(secret.source, secret.reference) for secret in all_secrets(design)}
    if not any(source in ("vault", "generated") for source, _ in sources):
        return None, None
    generated = sorted(reference for source, reference in sources if source == "generated")
    if lab is not None:
        vault, password = lab.folder / DEFAULT_VAULT, _lab_password(lab)
    else:
        vault, password = vault_of(request.topology, design), vault_password()
    if not request.check:
        ensure_generated(vault, generated, password, former_secrets(design))
    return vault, password


def _lab_password(lab: LabState) -> bytes:
    file = lab.folder / "vault-password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32), encoding="ascii")
    return file.read_bytes()


def _variables(request: ApplyRequest) -> dict[str, object]:
    named = {
        "hadeploy_wipe": list(request.wipe),
        "hadeploy_adopt": list(request.adopt),
        "hadeploy_take_over": list(request.take_over),
        "hadeploy_take_over_files": list(request.take_over_files),
        "hadeploy_take_over_units": list(request.take_over_units),
        "hadeploy_take_over_objects": list(request.take_over_objects),
        "hadeploy_close": [each.variable for each in request.close],
    }
    return {name: value for name, value in named.items() if value}


def look_first(prepared: PreparedApply) -> Look:
    """What the hosts are like, before anything is written."""
    reader = StatusReader.of(prepared.design, prepared.reaches, arbiter=True)

    def foreign(view: HostView) -> bool:
        found = view.facts.belonging
        if not isinstance(found, Belonging) or found.id in prepared.taken_over:
            return False
        members = {member.name for member in prepared.design.members}
        return view.host in members and bool(strange(view.facts, prepared.design.name, prepared.deployment))

    return look_at_hosts(reader, lab=prepared.request.lab, foreign=foreign)


def ask_further(prepared: PreparedApply) -> RunResult:
    """What the hosts' own modules refuse beside a look that was refused: files of another hand, another deployment, data.

    So that a person reads all that stands in the way at once. Nothing is changed, and no lock is taken.

    Raises:
        RunError: the run cannot start.
    """
    return _run(prepared, check=True, playbook=LOOK)


def look_at_closing(prepared: PreparedApply) -> tuple[Closing, ...]:
    """What listens and would be closed, for the question.

    Raises:
        RunError: the run cannot start.
    """
    return closing_of(ask_further(prepared).failures) if prepared.design.firewall is not None else ()


def with_closed(prepared: PreparedApply, closing: tuple[Closing, ...]) -> PreparedApply:
    """The same, where a person let that be closed."""
    return replace(prepared, request=replace(prepared.request, close=closing))


def apply_topology(prepared: PreparedApply, tell: Callable[[RunEvent], None]) -> RunResult:
    """Run the project; blocks until it ends or is interrupted.

    Raises:
        RunError: the run cannot start.
    """
    return _run(prepared, check=prepared.request.check, playbook=SITE, tell=tell)


def _run(
    prepared: PreparedApply, *, check: bool, playbook: str, tell: Callable[[RunEvent], None] = lambda _: None
) -> RunResult:
    return apply_project(
        prepared.project,
        access=prepared.access,
        names=nodes_of(prepared.design),
        secrets_directory=prepared.request.topology.parent,
        variables=_variables(prepared.request),
        check=check,
        looking=LOOKING,
        playbook=playbook,
        on_event=tell,
    )


def look_at_service(
    prepared: PreparedApply, result: RunResult, tell: Callable[[RunEvent], None]
) -> Served | None:
    """Whether the cluster serves, once a run has ended; None where that was no question.

    A run that failed or was interrupted has said so, and ``--check`` that found something to do has left the cluster as it was.
    Where ``--check`` found nothing to do, the status is read once, without a wait.
    """
    check = prepared.request.check
    if not result.succeeded or (check and result.changed):
        return None
    phase, name = "Service", prepared.design.name
    announced: list[bool] = []

    def waiting(problems: tuple[str, ...]) -> None:
        if not announced:
            announced.append(True)
            tell(RunEvent("", phase, "", "started"))
        tell(RunEvent(name, phase, "Wait until it is served", "running", message=f"waiting: {problems[0]}"))

    def read() -> Status:
        return StatusReader.of(prepared.design, prepared.reaches).read()

    return await_served(read, patience=0.0 if check else PATIENCE_SECONDS, tell=waiting)
