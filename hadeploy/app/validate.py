"""Validate topologies: the spec stage, and what the design says about it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from hadeploy.app.topology_files import find_topologies
from hadeploy.design.design import Design
from hadeploy.diagnostics import Diagnostics
from hadeploy.spec.load import LoadedTopology, load_topology
from hadeploy.spec.references import check_references
from hadeploy.spec.topology import ActiveActive

if TYPE_CHECKING:
    from hadeploy.design.recovery import Recovery
    from hadeploy.rules.rule import Case


def load_valid(path: Path) -> tuple[LoadedTopology | None, Diagnostics]:
    """Load one topology through every check of the spec stage."""
    loaded, findings = load_topology(path)
    if loaded is None:
        return None, findings
    findings += check_references(loaded)
    findings += _check_volumes(loaded) + _check_databases(loaded) + _check_renamed(loaded)
    if findings.has_errors:
        return None, findings
    from hadeploy.spec.agents import check_agents
    from hadeploy.spec.properties import check_properties

    findings += check_agents(loaded, _ask_agent) + check_properties(loaded)
    return (None if findings.has_errors else loaded), findings


def load_known_valid(path: Path) -> LoadedTopology:
    """Load a topology that was valid when its lab was made.

    Raises:
        ValueError: it is not valid (any more).
    """
    loaded, findings = load_valid(path)
    if loaded is None:
        raise ValueError("; ".join(finding.summary for finding in findings))
    return loaded


def _check_volumes(loaded: LoadedTopology) -> Diagnostics:
    """What the release's DRBD can do is data of the design stage, so it is handed to the spec stage here."""
    if isinstance(loaded.topology, ActiveActive) or not (
        loaded.topology.volumes or any(group.volumes for group in loaded.topology.services.values())
    ):
        return Diagnostics()
    from hadeploy.design.release import load_release
    from hadeploy.spec.volumes import DrbdRelease, check_volumes

    release = load_release(loaded.topology.release)
    return check_volumes(loaded, DrbdRelease(release.drbd_module, release.drbd_utils))


def _check_databases(loaded: LoadedTopology) -> Diagnostics:
    """A service without members is one of a database, or a mistake; most topologies have neither."""
    topology = loaded.topology
    if isinstance(topology, ActiveActive) or not (
        topology.databases
        or any(group.databases or not group.members for group in topology.services.values())
    ):
        return Diagnostics()
    from hadeploy.spec.databases import check_databases

    return check_databases(loaded)


def _check_renamed(loaded: LoadedTopology) -> Diagnostics:
    """Only objects that hold data have had other names."""
    topology = loaded.topology
    if isinstance(topology, ActiveActive) or not (topology.volumes or topology.databases):
        return Diagnostics()
    from hadeploy.spec.renamed import check_renamed

    return check_renamed(loaded)


def _ask_agent(name: str) -> str | None:
    """Only agents that no release's packages bring are asked, so only then is there anything to start."""
    from hadeploy.run.agents import ask_agent

    return ask_agent(name)


def load_judged(path: Path) -> tuple[tuple[LoadedTopology, Design] | None, Diagnostics]:
    """Load one topology, expand it and hold it against every design rule; None when any of them refuses it."""
    case, findings = _judge(path)
    if case is None or findings.has_errors:
        return None, findings
    return (case.loaded, case.design), findings


def load_design(path: Path) -> tuple[Design | None, Diagnostics]:
    """Load one topology and expand it, whatever the design rules say of it."""
    loaded, findings = load_valid(path)
    if loaded is None:
        return None, findings
    from hadeploy.design.patterns import expand

    return expand(loaded.topology), findings


def _judge(path: Path) -> tuple[Case | None, Diagnostics]:
    """The design even where a rule refuses it; None where the spec stage did."""
    loaded, findings = load_valid(path)
    if loaded is None:
        return None, findings
    from hadeploy.design.patterns import expand
    from hadeploy.rules import check_rules
    from hadeploy.rules.rule import Case

    design = expand(loaded.topology)
    recoveries, found = recoveries_of(loaded, design)
    case = Case(loaded, design, recoveries)
    return case, findings + found + check_rules(case)


def recoveries_of(loaded: LoadedTopology, design: Design) -> tuple[tuple[Recovery, ...], Diagnostics]:
    """How long the design's recoveries take, by what was measured beside its topology; none where no rto is promised.

    Rules lie below the daemons whose timing this is made of, so it is made here and given to them.
    """
    if design.rto_ms is None:
        return (), Diagnostics()
    from hadeploy.app.predict import predict_design

    return predict_design(loaded, design)


def judge_together(paths: Iterable[Path]) -> tuple[list[Case], Diagnostics]:
    """Every design that the spec stage lets through, and every finding: of each, and of all seen together.

    A design that breaks a rule of its own is seen together with the others all the same: a person mends both at once.
    Folders stand for the topologies below them.
    """
    from hadeploy.rules import check_rules_across

    files, findings = find_topologies(paths)
    cases = []
    for file in files:
        case, found = _judge(file)
        findings += found
        if case is not None:
            cases.append(case)
    return cases, findings + check_rules_across(cases)


def validate_topologies(paths: Iterable[Path]) -> tuple[int, Diagnostics]:
    """How many topologies there are, and every finding of every one."""
    files, findings = find_topologies(paths)
    _, found = judge_together(files)
    return len(files), findings + found
