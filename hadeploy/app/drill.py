"""Drill a topology: bring about its mishaps one at a time, and hold what clients notice against the prediction."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from hadeploy.app.deployment import known_id
from hadeploy.app.pace import at_lab_pace
from hadeploy.app.status import StatusReader, access_of, lab_of, read_journals
from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.durations import durations_of
from hadeploy.design.patterns import expand
from hadeploy.design.recovery import Mishap
from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.drill.campaign import Campaign, Outcome, Tell, run_campaign
from hadeploy.drill.cases import choose
from hadeploy.drill.hosts_world import HostsWorld
from hadeploy.drill.lab_world import LabWorld
from hadeploy.drill.measure import merge
from hadeploy.drill.world import World
from hadeploy.lab.observer import Probe
from hadeploy.run.connections import known_inventories
from hadeploy.spec.drill import DrillProbe
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.measurements import load_measurements, write_measurements
from hadeploy.spec.service import NginxMember
from hadeploy.spec.topology import ActiveActive, TopologyBase


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """What a person asked for.

    Attributes:
        topology: file.
        faults: as written for ``--fault``; all when empty.
        lab: the nodes of the topology's lab.
        hosts: the real hosts, by ``--i-mean-it``.
        inventories: how the real hosts are reached.
        become_password: for root's rights there, typed.
    """

    topology: Path
    faults: tuple[str, ...] = ()
    lab: bool = False
    hosts: bool = False
    inventories: tuple[Path, ...] = ()
    become_password: bytes | None = None


@dataclass(frozen=True, slots=True)
class PreparedDrill:
    """A drill that can start: nothing was touched so far, and the cluster is well."""

    loaded: LoadedTopology
    campaign: Campaign
    mishaps: tuple[Mishap, ...]


def prepare_drill(request: DrillRequest) -> tuple[PreparedDrill | None, Diagnostics]:
    """Everything that can be refused before the first fault; a degraded cluster is.

    Raises:
        RunError: the inventory cannot be read, or does not name all hosts.
    """
    known_inventories(request.inventories)
    loaded, findings = load_valid(request.topology)
    if loaded is None:
        return None, findings
    if request.lab == request.hosts:
        return None, findings + _where()
    design = expand(loaded.topology)
    if request.lab:
        design, found = at_lab_pace(loaded, design)
        findings += found
    measured, found = load_measurements(loaded.path)
    findings += found
    mishaps, found = choose(design, request.faults)
    findings += found
    probes, found = probes_of(loaded, design)
    findings += found
    if findings.has_errors or measured is None:
        return None, findings
    world, reader, found = _world(request, loaded.topology, design)
    findings += found
    if world is None or reader is None:
        return None, findings
    status = reader.read()
    if status.degraded:
        return None, findings + _degraded(status.problems)
    campaign = Campaign(
        design=design,
        world=world,
        probes=probes,
        read_status=reader.read,
        durations=durations_of(measured, design.name, design.release.name),
        endless=bool(request.faults),
        recovery_seconds=world.recovery_seconds,
        read_timeline=partial(read_journals, reader) if design.cluster is not None else None,
    )
    return PreparedDrill(loaded, campaign, mishaps), findings


@dataclass(frozen=True, slots=True)
class DrillReport:
    """A drill that was held.

    Attributes:
        name: of the topology.
        pattern: as written.
        release: of the members.
        where: ``lab`` or ``hosts``.
        begun: when, in UTC (ISO 8601).
        seconds: how long it took.
        outcome: what it came to.
    """

    name: str
    pattern: str
    release: str
    where: str
    begun: str
    seconds: float
    outcome: Outcome


def drill_and_tell(prepared: PreparedDrill, tell: Tell) -> DrillReport:
    """Bring about every chosen mishap; what was broken is mended, also when a person interrupts it."""
    design = prepared.campaign.design
    begun, clock = datetime.now(UTC), time.monotonic()
    outcome = run_campaign(prepared.campaign, prepared.mishaps, tell)
    return DrillReport(
        name=design.name,
        pattern=design.pattern,
        release=design.release.name,
        where=prepared.campaign.world.name,
        begun=begun.isoformat(timespec="seconds"),
        seconds=time.monotonic() - clock,
        outcome=outcome,
    )


def keep_measurements(prepared: PreparedDrill, report: DrillReport) -> tuple[Path | None, Diagnostics]:
    """Put what the drill measured into the file beside the topology; None where it measured nothing."""
    samples = [sample for finding in report.outcome.findings for sample in finding.samples]
    known, findings = load_measurements(prepared.loaded.path)
    if not samples or known is None:
        return None, findings
    merged = merge(
        known,
        samples,
        topology=report.name,
        release=report.release,
        where=report.where,
        day=report.begun[: len("2026-01-01")],
    )
    return write_measurements(prepared.loaded.path, merged), findings


def _world(
    request: DrillRequest, topology: TopologyBase, design: Design
) -> tuple[World | None, StatusReader | None, Diagnostics]:
    if request.lab:
        state, findings = lab_of(design.name, request.topology)
        if state is None:
            return None, None, findings
        return LabWorld(state, design), StatusReader.for_lab(request.topology), findings
    if not topology.drill.allowed:
        return None, None, _not_allowed()
    access = access_of(request.topology, design, request.inventories, request.become_password)
    own, findings = known_id(request.topology)
    if findings.has_errors:
        return None, None, findings
    reader = replace(StatusReader.for_hosts(design, access), deployment=own)
    members = {member.name for member in design.members}
    reaches = [reach for reach in reader.reaches if reach.host in members]
    return HostsWorld(design, reaches, topology.drill.breakages), reader, findings


def _not_allowed() -> Diagnostics:
    return Diagnostics(
        (
            Diagnostic(
                "DRILL005",
                "the topology does not allow a drill on its hosts",
                detail="whoever wrote it has not said that these hosts may lose their power for a test",
                mend="drill: {allowed: true}",
            ),
        )
    )


def _where() -> Diagnostics:
    return Diagnostics(
        (
            Diagnostic(
                "DRILL004",
                "say where the drill takes place",
                detail="a drill breaks what it is pointed at, so nothing is taken for granted",
                mend="--lab for the nodes of the topology's lab, --i-mean-it for the real hosts",
            ),
        )
    )


def _degraded(problems: tuple[str, ...]) -> Diagnostics:
    return Diagnostics.of(
        Diagnostic(
            "DRILL001",
            f"not well before the drill: {problem}",
            detail="a second failure on top of one that is there already proves nothing and may stop services for good",
            mend="mend the cluster first; hadeploy status shows when it is well",
        )
        for problem in problems
    )


def probes_of(loaded: LoadedTopology, design: Design) -> tuple[tuple[Probe, ...], Diagnostics]:
    """A client for every virtual address, at the first port that its service is known to answer on."""
    known = dict(_ports(loaded.topology, design))
    probes = []
    findings = []
    for virtual in design.virtual_addresses:
        wish = loaded.topology.drill.probes.get(virtual.name, DrillProbe())
        port, protocol = known.get(virtual.name, (0, "tcp"))
        port = wish.port or port
        if port:
            asked = Probe(virtual.name, virtual.address, port, wish.protocol or protocol, wish.path)
            probes.append(asked)
        else:
            findings.append(_nobody_to_ask(loaded, virtual.name, virtual.address))
    return tuple(probes), Diagnostics.of(findings)


def _nobody_to_ask(loaded: LoadedTopology, name: str, address: str) -> Diagnostic:
    return Diagnostic(
        "DRILL003",
        f"no port is known at which a client could ask {name} ({address})",
        loaded.source.span("virtual_addresses", name),
        detail="an outage is measured by asking",
        mend=f"services.NAME.ports, or drill: {{probes: {{{name}: {{port: ...}}}}}}",
    )


def _ports(topology: TopologyBase, design: Design) -> Iterator[tuple[str, tuple[int, str]]]:
    """(virtual address, (port, protocol)) for each address that somebody answers on."""
    if isinstance(topology, ActiveActive):
        for frontend in reversed(topology.load_balancer.frontends.values()):
            for address in frontend.addresses:
                yield address, (frontend.port, frontend.mode)
        return
    for database in design.databases:
        for virtual in design.virtual_addresses:
            if virtual.group == database.group:
                yield virtual.name, (database.port, "tcp")
    services = getattr(topology, "services", {})
    for virtual in design.virtual_addresses:
        group = services.get(virtual.group)
        if group is not None and group.ports_used:
            http = {member.port for member in group.members if isinstance(member, NginxMember)}
            port = group.ports_used[0]
            yield virtual.name, (port, "http" if port in http else "tcp")
