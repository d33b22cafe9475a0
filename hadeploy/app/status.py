"""Ask every member how it is, and judge the answers by the design."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hadeploy.app.validate import load_known_valid, load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.lab.errors import LabError
from hadeploy.lab.state import LabState, load_state
from hadeploy.plan.observed import HostView, parse_host
from hadeploy.plan.status import Status, judge, watched_units
from hadeploy.plan.timeline import Timeline, read_entries, read_timeline
from hadeploy.run import journal_probe, status_probe
from hadeploy.run.ask import Reach, ask_hosts, read_reaches


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Reads the status of one design again and again."""

    design: Design
    reaches: tuple[Reach, ...]

    @classmethod
    def for_lab(cls, topology: Path) -> StatusReader:
        """For a topology whose lab is up.

        Raises:
            ValueError: the topology is not valid.
            LabError: its lab is not up.
        """
        design = expand(load_known_valid(topology).topology)
        return cls(design, _reaches(design, load_state(design.name).overlay))

    @classmethod
    def for_hosts(cls, design: Design, overlay: Path | None) -> StatusReader:
        """For a design whose hosts are reached as an inventory overlay says.

        Raises:
            RunError: the overlay is not there, or is no YAML inventory.
        """
        return cls(design, _reaches(design, overlay))

    def read(self) -> Status:
        """Ask all members at once."""
        units = {member.name: watched_units(self.design, member.name) for member in self.design.members}
        script = Path(status_probe.__file__).read_text(encoding="utf-8")
        answers = ask_hosts(
            {reach.host: (reach, ("python3", "-", *units[reach.host])) for reach in self.reaches}, script
        )
        views = []
        for host, answer in answers.items():
            views.append(
                parse_host(host, answer.output) if answer.error == "" else HostView(host, error=answer.error)
            )
        return judge(self.design, views)


def read_journals(reader: StatusReader, since: float) -> Timeline:
    """What the members' cluster daemons wrote since a moment (seconds since the epoch)."""
    script = Path(journal_probe.__file__).read_text(encoding="utf-8")
    question = ("python3", "-", f"{since:.6f}")
    answers = ask_hosts({reach.host: (reach, question) for reach in reader.reaches}, script)
    return read_timeline(
        [tuple(read_entries(answer.output)) for answer in answers.values() if not answer.error], since
    )


def _reaches(design: Design, overlay: Path | None) -> tuple[Reach, ...]:
    return read_reaches({member.name: member.management_address for member in design.members}, overlay)


def lab_of(design: Design) -> tuple[LabState | None, Diagnostics]:
    """The lab of a design, or the finding that there is none."""
    try:
        return load_state(design.name), Diagnostics()
    except LabError as error:
        return None, Diagnostics((Diagnostic(error.code, error.message, mend=error.mend),))


def read_status(topology: Path, *, lab: bool, inventory: Path | None) -> tuple[Status | None, Diagnostics]:
    """The status of a topology's hosts, or of its lab's nodes."""
    loaded, findings = load_valid(topology)
    if loaded is None:
        return None, findings
    design = expand(loaded.topology)
    if lab:
        state, found = lab_of(design)
        findings += found
        if state is None:
            return None, findings
        inventory = state.overlay
    return StatusReader.for_hosts(design, inventory).read(), findings
