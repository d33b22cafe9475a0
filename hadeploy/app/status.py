"""Ask every member how it is, and judge the answers by the design."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hadeploy.app.validate import load_known_valid, load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.lab.errors import LabError
from hadeploy.lab.state import LabState, load_state
from hadeploy.observe.script import probe_script
from hadeploy.plan.observed import HostView, parse_host
from hadeploy.plan.status import Status, judge, watched_units
from hadeploy.plan.timeline import Timeline, read_entries, read_timeline
from hadeploy.run import journal_probe
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
        return judge(self.design, self.observe())

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
        return tuple(
            HostView(host, error=answer.error)
            if answer.error
            else parse_host(host, answer.output, answer.asked_at, answer.told_at)
            for host, answer in answers.items()
        )


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
