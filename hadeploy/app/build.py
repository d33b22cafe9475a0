"""Compile topologies into Ansible projects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hadeploy.app.validate import judge_together, load_judged
from hadeploy.design.design import Design
from hadeploy.diagnostics import Diagnostics
from hadeploy.project.build import build


def compile_topology(path: Path, out: Path) -> tuple[tuple[Path, Design] | None, Diagnostics]:
    """Write one project below ``out``, in a folder named as the topology."""
    judged, findings = load_judged(path)
    if judged is None:
        return None, findings
    _, design = judged
    destination = out / design.name
    build(design, destination)
    return (destination, design), findings


def compile_topologies(paths: Sequence[Path], out: Path) -> tuple[list[Path], Diagnostics]:
    """Write a project for each topology when all are valid and none collides with another; else none."""
    cases, findings = judge_together(paths)
    if findings.has_errors:
        return [], findings
    written = []
    for case in cases:
        destination = out / case.design.name
        build(case.design, destination)
        written.append(destination)
    return written, findings
