"""Compile topologies into Ansible projects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from hadeploy.app.pace import at_lab_pace
from hadeploy.app.validate import judge_together, load_judged
from hadeploy.design.design import Design
from hadeploy.diagnostics import Diagnostics
from hadeploy.project.build import build
from hadeploy.run.forked import do_all
from hadeploy.run.sole import sole_project


def compile_topology(
    path: Path,
    out: Path,
    *,
    lab: bool = False,
    hold: Callable[[AbstractContextManager[None]], object] | None = None,
    before: Callable[[Path], None] = lambda _: None,
) -> tuple[tuple[Path, Design] | None, Diagnostics]:
    """Write one project below ``out``, in a folder named as the topology.

    With ``lab`` it is made for the topology's lab, and in a folder of its own where that is too slow for the topology.
    ``hold`` keeps the project from being written anew by others for longer than this call.
    ``before`` is given that folder before anything is written there.

    Raises:
        RunError: another run uses that project.
    """
    judged, findings = load_judged(path)
    if judged is None:
        return None, findings
    loaded, design = judged
    destination = out / design.name
    if lab:
        slower, found = at_lab_pace(loaded, design)
        findings += found
        if slower != design:
            design, destination = slower, out / f"{design.name}-in-lab"
    before(destination)
    if hold is None:
        _write(design, destination)
    else:
        hold(sole_project(destination))
        build(design, destination)
    return (destination, design), findings


def compile_topologies(paths: Sequence[Path], out: Path) -> tuple[list[Path], Diagnostics]:
    """Write a project for each topology when all are valid and none collides with another; else none."""
    cases, findings = judge_together(paths)
    if findings.has_errors:
        return [], findings
    # Making the files of many hosts takes the processor, and writing them the disk's journal: several at once overlap both.
    do_all(lambda case: _write(case.design, out / case.design.name), cases)
    return [out / case.design.name for case in cases], findings


def _write(design: Design, destination: Path) -> None:
    with sole_project(destination):
        build(design, destination)
