"""Simulate designs: what every failure, and every two at once, would do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hadeploy.app.validate import load_judged
from hadeploy.daemons.registry import cluster_information_base
from hadeploy.design.design import Design
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.proof.balanced import balancer_rows, steady_state
from hadeploy.proof.election import prove_elections
from hadeploy.proof.failures import Kind, Scenario, parse_failures, scenarios, single_failures
from hadeploy.proof.fencing import prove_fencing
from hadeploy.proof.job import Job
from hadeploy.proof.judgement import judge_case
from hadeploy.proof.matrix import Case, Question, Row, make_case
from hadeploy.proof.quorum import prove_quorum
from hadeploy.proof.scheduler_job import (
    PROGRAM,
    SHADOW_DIRECTORY,
    Decision,
    SchedulerError,
    decision_job,
    is_idle,
    read_decision,
    read_version,
    steady_job,
    version_job,
)
from hadeploy.proof.scheduler_status import StatusWriter
from hadeploy.proof.simulation import Home, Simulation
from hadeploy.proof.takeover import homes
from hadeploy.run.jobs import run_job, run_jobs
from hadeploy.run.program import TIMED_OUT
from hadeploy.spec.topology import ClusteredTopology, TopologyBase

OLDER_SCHEMA = "pacemaker-3.9"
"""Claimed to a scheduler that does not know the design's own yet (2.1 is the oldest that is supported)."""

SETTLING_ROUNDS = 5
"""Placements that the scheduler may want to improve upon before it must be content."""

SLOW_SECONDS = 5.0
"""A scheduler that thinks longer over one decision delays every recovery by as much."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SimulationRequest:
    """What is to be simulated.

    Attributes:
        topologies: files.
        fail: failures that happen together; every single failure and every pair when empty.
        kinds: of failures that are tried, alone and with each other; all when empty.
        pairs: whether two at once are tried, too.
        progress: told how many questions of how many are answered.
    """

    topologies: tuple[Path, ...]
    fail: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    pairs: bool = True
    progress: Progress = field(default=lambda _done, _all: None)


def simulate_topologies(
    request: SimulationRequest,
) -> tuple[list[tuple[Design, Simulation]], Diagnostics]:
    """Simulate each topology; one that any stage refuses is left out, with the findings that say why."""
    results, findings = list[tuple[Design, Simulation]](), Diagnostics()
    for path in request.topologies:
        judged, found = load_judged(path)
        findings += found
        if judged is None:
            continue
        loaded, design = judged
        simulation, found = simulate(design, loaded.topology, request)
        findings += found
        if simulation is not None:
            results.append((design, simulation))
    return results, findings


def simulate(
    design: Design, topology: TopologyBase, request: SimulationRequest
) -> tuple[Simulation | None, Diagnostics]:
    """Everything that can be proven about one design's behaviour under failures."""
    information_base = cluster_information_base(design)
    wanted, findings = _scenarios(design, request)
    if wanted is None:
        return None, findings
    if information_base is None:
        return _balancers(design, topology, wanted), findings
    version = read_version(run_job(version_job()))
    if not version:
        missing = Diagnostic(
            "SIM003",
            f"{PROGRAM} is not installed",
            detail="the simulation asks Pacemaker's own scheduler",
            mend="install pacemaker-cli-utils",
        )
        return None, findings + Diagnostics((missing,))
    with tempfile.TemporaryDirectory(prefix="hadeploy-simulate-") as folder:
        environment = {SHADOW_DIRECTORY: folder}
        try:
            steady = _settle(information_base.xml, environment)
            rows = tuple(_rows(design, topology, steady, wanted, environment, request.progress))
        except SchedulerError as error:
            return None, findings + Diagnostics((Diagnostic("SIM004", f"{design.name}: {error}"),))
    homes = tuple(_homes(design, steady.placement))
    occupied = {home.node for home in homes}
    return (
        Simulation(
            name=design.name,
            pattern=design.pattern,
            scheduler=version,
            homes=homes,
            idle=tuple(member.name for member in design.members if member.name not in occupied),
            rows=rows,
            quorum=prove_quorum(design),
            fencing=prove_fencing(design, _own_power(topology)),
            survives=topology.objectives.survives,
            remarks=steady.remarks,
        ),
        findings,
    )


def _balancers(design: Design, topology: TopologyBase, wanted: Sequence[Scenario]) -> Simulation:
    """Addresses under VRRP and what is balanced behind them: no program is asked, the rules are few and known."""
    survives = topology.objectives.survives
    found = tuple(Home(service, where) for service, where in steady_state(design))
    holding = set(homes(design).values())
    return Simulation(
        name=design.name,
        pattern=design.pattern,
        scheduler="keepalived's election (RFC 5798)",
        homes=found,
        idle=tuple(member.name for member in design.members if member.name not in holding),
        rows=tuple(balancer_rows(design, wanted, survives)),
        quorum=None,
        fencing=None,
        survives=survives,
        elections=prove_elections(design, survives),
    )


def _scenarios(design: Design, request: SimulationRequest) -> tuple[tuple[Scenario, ...] | None, Diagnostics]:
    if not request.fail:
        singles = [
            failure
            for failure in single_failures(design)
            if not request.kinds or failure.kind in request.kinds
        ]
        return scenarios(singles, pairs=request.pairs), Diagnostics()
    scenario, findings = parse_failures(request.fail, design)
    return (None if scenario is None else (scenario,)), findings


def _own_power(topology: TopologyBase) -> tuple[str, ...]:
    """Fence devices that lose power with their target."""
    return topology.devices_on_own_power() if isinstance(topology, ClusteredTopology) else ()


@dataclass(frozen=True, slots=True)
class _Steady:
    """Where everything runs when all is well, and the writer of statuses for its configuration."""

    writer: StatusWriter
    placement: Mapping[str, str]
    remarks: tuple[str, ...]


def _settle(cib: str, environment: Mapping[str, str]) -> _Steady:
    """Find the state in which the scheduler wants nothing any more.

    Raises:
        SchedulerError: there is none, or none that this program can describe.
    """
    writer, remarks = StatusWriter(cib), list[str]()
    first = run_job(decision_job(writer.unprobed()), environment)
    if first.code not in (0, TIMED_OUT) and f'"{OLDER_SCHEMA}"' not in cib:
        writer = StatusWriter(cib, OLDER_SCHEMA)
        remarks.append(f"this scheduler does not know the release's own CIB schema; judged as {OLDER_SCHEMA}")
        first = run_job(decision_job(writer.unprobed()), environment)
    placement = read_decision(first).placement_after({})
    if first.seconds > SLOW_SECONDS:
        remarks.append(
            f"the scheduler thinks {first.seconds:.0f} s over one decision, and every recovery waits for it"
        )
    for _ in range(SETTLING_ROUNDS):
        answer = run_job(steady_job(writer.status(placement)), environment)
        if is_idle(answer):
            return _Steady(writer, placement, tuple(remarks))
        better = read_decision(answer).placement_after(placement)
        if better == placement:
            break
        placement = better
    wants = ", ".join(f"{action.kind} {action.resource}" for action in read_decision(answer).actions)
    raise SchedulerError(
        f"there is no state that the scheduler leaves alone; it wants to {wants or 'monitor'}"
    )


def _homes(design: Design, placement: Mapping[str, str]) -> Iterator[Home]:
    if design.cluster is None:
        return
    for group in design.cluster.resources.groups:
        nodes = {placement.get(resource.name, "") for resource in group.resources}
        yield Home(group.name, nodes.pop() if len(nodes) == 1 else "")


def _rows(
    design: Design,
    topology: TopologyBase,
    steady: _Steady,
    wanted: Sequence[Scenario],
    environment: Mapping[str, str],
    progress: Progress,
) -> Iterator[Row]:
    """Ask every question once, then judge every case."""
    cases = [make_case(design, scenario, steady.placement) for scenario in wanted]
    decisions = _ask(cases, steady, environment, progress)
    for case in cases:
        yield judge_case(design, case, steady.placement, decisions, topology.objectives.survives)


def _ask(
    cases: Sequence[Case], steady: _Steady, environment: Mapping[str, str], progress: Progress
) -> dict[Question, Decision]:
    questions = tuple(dict.fromkeys(side.question for case in cases for side in case.sides))

    def jobs() -> Iterator[tuple[Question, Job]]:
        for question in questions:
            yield question, decision_job(question.cib(steady.writer, steady.placement))

    decisions = {}
    for question, outcome in run_jobs(jobs(), environment=environment):
        decisions[question] = read_decision(outcome)
        progress(len(decisions), len(questions))
    return decisions
