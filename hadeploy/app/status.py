"""Ask every member how it is, and judge the answers by the design."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hadeploy.app.deployment import known_id, load_lab, strange
from hadeploy.app.validate import load_known_valid, load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.health.questions import deep_questions
from hadeploy.lab.errors import LabError
from hadeploy.lab.state import LabState
from hadeploy.observe.script import probe_script
from hadeploy.plan.observed import HostView, parse_host
from hadeploy.plan.status import Status, judge, watched_units
from hadeploy.plan.timeline import Timeline, read_entries, read_timeline
from hadeploy.run import journal_probe
from hadeploy.run.ask import Answer, Reach, ask_hosts
from hadeploy.run.connections import Access, known_inventories, read_reaches
from hadeploy.run.vault import known_password
from hadeploy.spec.secret import DEFAULT_VAULT

OUT = Path("build")
"""Where an apply compiles a project, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Reads the status of one design again and again.

    Attributes:
        design: what should be.
        reaches: of the hosts that are asked.
        deployment: its id, empty where it has none. What another deployment's host says counts as nothing; None: it does count.
    """

    design: Design
    reaches: tuple[Reach, ...]
    deployment: str | None = None

    @classmethod
    def for_lab(cls, topology: Path) -> StatusReader:
        """For a topology whose lab is up.

        Raises:
            ValueError: the topology is not valid.
            LabError: its lab is not up, or the one of its name is of another topology.
        """
        design = expand(load_known_valid(topology).topology)
        lab = load_lab(design.name, topology)
        return replace(cls.for_hosts(design, lab.overlay), deployment=known_id(topology, lab)[0])

    @classmethod
    def for_hosts(
        cls, design: Design, overlay: Access | Path | None, *, arbiter: bool = False
    ) -> StatusReader:
        """For a design whose hosts are reached as inventories say; with ``arbiter`` its host, too, where it is set up.

        Raises:
            RunError: Ansible cannot read them, or they do not name all hosts.
        """
        return cls.of(design, read_reaches(design, Access.of(overlay)), arbiter=arbiter)

    @classmethod
    def of(cls, design: Design, reaches: Sequence[Reach], *, arbiter: bool = False) -> StatusReader:
        """Of all hosts that are reached, the nodes are asked; with ``arbiter`` the quorum device's host, too."""
        asked = {member.name for member in design.members}
        if arbiter and design.arbiter is not None:
            asked.add(design.arbiter.host)
        return cls(design, tuple(reach for reach in reaches if reach.host in asked))

    def read(self, *, deep: bool = False) -> Status:
        """Ask all members at once; ``deep``: also what takes a second, such as who reaches whom."""
        return judge(self.design, self.observe(deep_questions(self.design) if deep else None))

    def observe(self, questions: Mapping[str, Mapping[str, object]] | None = None) -> tuple[HostView, ...]:
        """What is to be seen on each host, in the order of the reaches.

        Args:
            questions: host -> what is asked besides that which every reading asks, see ``hadeploy.observe.probe.main``.
        """
        asked = {
            reach.host: json.dumps(
                {"units": watched_units(self.design, reach.host), **(questions or {}).get(reach.host, {})}
            )
            for reach in self.reaches
        }
        answers = ask_hosts(
            {reach.host: (reach, ("python3", "-", asked[reach.host])) for reach in self.reaches},
            probe_script(),
        )
        return tuple(self._view(host, answer) for host, answer in answers.items())

    def _view(self, host: str, answer: Answer) -> HostView:
        if answer.error:
            return HostView(host, error=answer.error)
        view = parse_host(host, answer.output, answer.asked_at, answer.told_at)
        members = {member.name for member in self.design.members}  # the arbiter may belong to others
        judged = self.deployment is not None and host in members
        why = strange(view.facts, self.design.name, self.deployment or "") if judged else ""
        return HostView(host, error=why) if why else view


def read_journals(reader: StatusReader, since: float) -> Timeline:
    """What the members' cluster daemons wrote since a moment (seconds since the epoch)."""
    script = Path(journal_probe.__file__).read_text(encoding="utf-8")
    question = ("python3", "-", f"{since:.6f}")
    answers = ask_hosts({reach.host: (reach, question) for reach in reader.reaches}, script)
    return read_timeline(
        [tuple(read_entries(answer.output)) for answer in answers.values() if not answer.error], since
    )


def lab_of(name: str, topology: Path) -> tuple[LabState | None, Diagnostics]:
    """The lab of a topology, or the finding that there is none."""
    try:
        return load_lab(name, topology), Diagnostics()
    except LabError as error:
        return None, Diagnostics((Diagnostic(error.code, error.message, mend=error.mend),))


def access_of(
    topology: Path, design: Design, inventories: Sequence[Path], become_password: bytes | None = None
) -> Access:
    """How a person says that the real hosts are reached, with the passwords that are known.

    Raises:
        RunError: an inventory is not there, or a password cannot be read.
    """
    return Access(
        known_inventories(inventories),
        topology.parent / (design.secrets_vault or DEFAULT_VAULT),
        known_password(),
        become_password,
        OUT / design.name,
    )


def read_status(
    topology: Path, *, lab: bool, inventories: Sequence[Path] = (), become_password: bytes | None = None
) -> tuple[Status | None, Diagnostics]:
    """The status of a topology's hosts, or of its lab's nodes.

    Raises:
        RunError: the inventory cannot be read, or does not name all hosts.
    """
    known_inventories(inventories)
    loaded, findings = load_valid(topology)
    if loaded is None:
        return None, findings
    design = expand(loaded.topology)
    state = None
    if lab:
        state, found = lab_of(design.name, topology)
        findings += found
        if state is None:
            return None, findings
    own, found = known_id(topology, state)
    findings += found
    if findings.has_errors:
        return None, findings
    access = state.overlay if state is not None else access_of(topology, design, inventories, become_password)
    reader = replace(StatusReader.for_hosts(design, access), deployment=own)
    return reader.read(deep=True), findings
