"""What the fault scenarios share: the lab that `create` brought up, and how to ask it how it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeploy.app.pace import lab_design
from hadeploy.app.status import StatusReader
from hadeploy.design.design import Design
from hadeploy.design.durations import Durations
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill.drill import run_fault, wait_until_well
from hadeploy.drill.fault import POWER_CUT, Fault
from hadeploy.drill.lab_world import EMULATED_RECOVERY_SECONDS, LabWorld, record_writers
from hadeploy.drill.records import Records
from hadeploy.drill.verdict import Verdict
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.observer import Probe
from hadeploy.lab.state import LabState, load_state
from hadeploy.lab.writer import Writer
from hadeploy.plan.status import Status
from hadeploy.proof.recovery import predict

PROJECT = Path(__file__).resolve().parent.parent

PATIENCE_SECONDS = 120.0
"""How long a cluster of nodes that are as fast as real ones may take to be well again."""

EMULATED_SECONDS = 120.0
"""What machines in software may take beyond a prediction, which is one of real ones."""


@pytest.fixture(scope="session")
def topology(request: pytest.FixtureRequest) -> Path:
    """Of the scenario whose ``faults`` folder, or a file of it, was asked for."""
    asked = Path(request.config.args[0].partition("::")[0]).resolve()
    scenario = next(each.parent for each in (asked, *asked.parents) if each.name == "faults")
    return PROJECT / "inventories" / scenario.name / "topology.yaml"


@pytest.fixture(scope="session")
def reader(topology: Path) -> StatusReader:
    return StatusReader.for_lab(topology)


@pytest.fixture(scope="session")
def design(reader: StatusReader) -> Design:
    return reader.design


@pytest.fixture(scope="session")
def lab(design: Design) -> LabState:
    return load_state(design.name)


@pytest.fixture(scope="session")
def patience(lab: LabState) -> float:
    """How long a cluster may take to be well again; short where it is known not to come."""
    own = EMULATED_RECOVERY_SECONDS if lab.is_emulated else PATIENCE_SECONDS
    return float(os.environ.get("HADEPLOY_PATIENCE", own))


@pytest.fixture(scope="session")
def read_status(reader: StatusReader) -> Callable[[], Status]:
    return reader.read


@pytest.fixture
def holder(read_status: Callable[[], Status], patience: float) -> Callable[[str], str]:
    """Who holds a virtual address, once all is well."""

    def of(name: str) -> str:
        status = wait_until_well(read_status, patience)
        (only,) = next(address for address in status.addresses if address.name == name).holders
        return only

    return of


@pytest.fixture(scope="session")
def paced(topology: Path) -> Design:
    """The design as it runs in this lab."""
    return lab_design(topology)


@pytest.fixture(scope="session")
def detection_seconds(paced: Design) -> float:
    """Until the loss of a member is certain."""
    assert paced.cluster is not None
    return (paced.cluster.membership.token_ms + paced.cluster.membership.consensus_ms) / 1000


@pytest.fixture
def worst_seconds(lab: LabState, paced: Design) -> Callable[[Mishap], float]:
    """How long a service may be out by a mishap that strikes its holder."""

    def of(mishap: Mishap) -> float:
        holders = {group.name: mishap.member for group in paced.cluster.resources.groups}
        worst = max(each.worst_ms for each in predict(paced, Durations(), holders) if each.mishap == mishap)
        return worst / 1000 + (EMULATED_SECONDS if lab.is_emulated else 0)

    return of


@pytest.fixture(scope="session")
def written() -> list[Writer]:
    """Every writer of every fault so far."""
    return []


@pytest.fixture
def move(lab: LabState, design: Design) -> Callable[[str, str], None]:
    """Move a group, as an operator does."""
    return LabWorld(lab, design).bring_home


@pytest.fixture(scope="session")
def other(design: Design) -> Callable[[str], str]:
    """The other one of two members."""
    first, second = (member.name for member in design.members)
    return lambda node: {first: second, second: first}[node]


@pytest.fixture(scope="session")
def kept_records() -> Callable[[Verdict], Records]:
    """What a verdict says of its one writer, once it proves anything."""

    def of(verdict: Verdict) -> Records:
        (only,) = verdict.records
        assert only.acknowledged > 10, "hardly anything was written: nothing is proven"
        assert only.over > 0, "nothing was written after the fault"
        assert only.lost == ()
        return only

    return of


@pytest.fixture(scope="session")
def shots() -> Callable[[Verdict], set[str]]:
    """Who lost its power by a fence device, by a verdict."""
    off = ("off", "cycle", "reset")
    return lambda verdict: {
        event.node for event in verdict.power if event.command in off and event.result == "done"
    }


@pytest.fixture
def strike(
    lab: LabState, design: Design, read_status: Callable[[], Status], patience: float, written: list[Writer]
) -> Callable[..., Verdict]:
    def writers() -> dict[str, Writer]:
        fresh = record_writers(lab, design)
        written.extend(fresh.values())
        return fresh

    def run(fault: Fault, victim: str, probes: list[Probe], **options: object) -> Verdict:
        verdict = run_fault(
            lab,
            design,
            fault,
            victim,
            probes=probes,
            read_status=read_status,
            recovery_seconds=patience,
            writers=writers,
            **options,
        )
        for outage in verdict.outages.values():
            print(
                f"{fault.name} at {victim}: {outage.name} out {outage.seconds:.2f} s, {outage.failed} failed"
            )
        for records in verdict.records:
            print(
                f"{records.name}: {records.acknowledged} acknowledged, {len(records.lost)} lost, "
                f"none for {records.silence:.2f} s"
            )
        assert verdict.double_owners == []
        assert [records for records in verdict.records if records.lost] == []
        assert [outage.name for outage in verdict.outages.values() if not outage.over] == []
        return verdict

    return run


@pytest.fixture
def survives_power_cut(
    strike: Callable[..., Verdict],
    holder: Callable[[str], str],
    worst_seconds: Callable[[Mishap], float],
    kept_records: Callable[[Verdict], Records],
    other: Callable[[str], str],
) -> Callable[[Probe], None]:
    """Cut the power of whoever serves an address: the other one takes over after fencing, with every record."""

    def prove(server: Probe) -> None:
        victim = holder(server.name)

        def taken_over(status: Status) -> bool:
            return status.addresses[0].holders == (other(victim),) and not status.groups[0].broken

        verdict = strike(POWER_CUT, victim, [server], until=taken_over)
        kept_records(verdict)
        assert verdict.outages[server.name].seconds <= worst_seconds(Mishap(Breakage.POWER_CUT, victim))
        assert verdict.fenced_before_takeover(server.address)
        assert verdict.ownership[server.address].sequence == (victim, other(victim))

    return prove


@pytest.fixture
def survives_crash(
    lab: LabState,
    strike: Callable[..., Verdict],
    holder: Callable[[str], str],
    kept_records: Callable[[Verdict], Records],
    shots: Callable[[Verdict], set[str]],
) -> Callable[[Probe, str], None]:
    """Kill the server whose number a file holds: it is started anew where it was, with every record.

    By Pacemaker, or by a parent of its own (mariadbd-safe) before Pacemaker asks.
    """

    def number(node: str, pid_file: str) -> str:
        return exec_in_node(lab, node, "sh", "-c", f"head -n 1 {pid_file} || true").strip()

    def prove(server: Probe, pid_file: str) -> None:
        here = holder(server.name)
        killed = number(here, pid_file)
        crash = Fault(
            "server crash",
            lambda lab, node: exec_in_node(lab, node, "kill", "-KILL", killed),
            lambda _lab, _node: None,
        )
        verdict = strike(
            crash,
            here,
            [server],
            until=lambda _status: number(here, pid_file) not in ("", killed),
            hold_seconds=20,
        )
        kept_records(verdict)
        assert verdict.moved == {}
        assert not shots(verdict)

    return prove


@pytest.fixture
def survives_move(
    strike: Callable[..., Verdict],
    holder: Callable[[str], str],
    kept_records: Callable[[Verdict], Records],
    shots: Callable[[Verdict], set[str]],
    move: Callable[[str, str], None],
    design: Design,
    other: Callable[[str], str],
) -> Callable[[Probe], None]:
    """Move the service behind an address, as before a node is serviced: it stops there, starts here, and nobody is fenced."""
    groups = {virtual.name: virtual.group for virtual in design.virtual_addresses}

    def prove(server: Probe) -> None:
        here = holder(server.name)
        verdict = strike(
            Fault(
                "move", lambda _lab, node: move(groups[server.name], other(node)), lambda _lab, _node: None
            ),
            here,
            [server],
            until=lambda status: status.addresses[0].holders == (other(here),),
        )
        kept_records(verdict)
        assert not shots(verdict)
        assert verdict.ownership[server.address].sequence == (here, other(here))

    return prove
