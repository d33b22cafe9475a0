"""Compile topologies into Ansible projects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hadeploy.app.validate import load_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from hadeploy.diagnostics import Diagnostics
from hadeploy.project.build import build


def compile_topology(path: Path, out: Path) -> tuple[tuple[Path, Design] | None, Diagnostics]:
    """Write one project below ``out``, in a folder named as the topology."""
    loaded, findings = load_valid(path)
    if loaded is None:
        return None, findings
    design = expand(loaded.topology)
    destination = out / design.name
    build(design, destination)
    return (destination, design), findings


def compile_topologies(paths: Sequence[Path], out: Path) -> tuple[list[Path], Diagnostics]:
    """Write a project for each valid topology."""
    written = []
    findings = Diagnostics()
    for path in paths:
        done, found = compile_topology(path, out)
        findings += found
        if done is not None:
            written.append(done[0])
    return written, findings
