"""Validate topologies: the spec stage, and what the design says about it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hadeploy.diagnostics import Diagnostics
from hadeploy.spec.load import LoadedTopology, load_topology
from hadeploy.spec.references import check_references


def load_valid(path: Path) -> tuple[LoadedTopology | None, Diagnostics]:
    """Load one topology through every check of the spec stage."""
    loaded, findings = load_topology(path)
    if loaded is None:
        return None, findings
    findings += check_references(loaded)
    if findings.has_errors:
        return None, findings
    from hadeploy.spec.agents import check_agents

    findings += check_agents(loaded)
    return (None if findings.has_errors else loaded), findings


def validate_topologies(paths: Iterable[Path]) -> Diagnostics:
    """Every finding of every topology."""
    findings = Diagnostics()
    for path in paths:
        _, found = load_valid(path)
        findings += found
    return findings
