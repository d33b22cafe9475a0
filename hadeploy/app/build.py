"""Compile topologies into Ansible projects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from hadeploy.app.deployment import known_id, made_id
from hadeploy.app.pace import at_lab_pace
from hadeploy.app.status import lab_of
from hadeploy.app.validate import judge_together, load_judged
from hadeploy.design.design import Design
from hadeploy.diagnostics import Diagnostics
from hadeploy.project.build import Whose, build
from hadeploy.run.forked import do_all
from hadeploy.run.sole import sole_project
from hadeploy.spec.deployment import id_file, only_warned, read_id


def compile_topology(
    path: Path,
    out: Path,
    *,
    lab: bool = False,
    hold: Callable[[AbstractContextManager[None]], object] | None = None,
    before: Callable[[Path], None] = lambda _: None,
    make_id: bool = False,
) -> tuple[tuple[Path, Design] | None, Diagnostics]:
    """Write one project below ``out``, in a folder named as the topology.

    With ``lab`` it is made for the topology's lab, and in a folder of its own where that is too slow for the topology.
    ``hold`` keeps the project from being written anew by others for longer than this call.
    ``before`` is given that folder before anything is written there.
    With ``make_id`` the deployment gets an id where it has none yet.

    Raises:
        RunError: another run uses that project.
        OtherDeploymentError: the folder holds the project of another topology of the same name.
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
    whose, found = _whose(path, loaded.topology.name, lab=lab, make_id=make_id)
    findings += found
    if findings.has_errors:
        return None, findings
    before(destination)
    if hold is None:
        _write(design, destination, whose)
    else:
        hold(sole_project(destination))
        build(design, destination, whose)
    return (destination, design), findings


def compile_topologies(paths: Sequence[Path], out: Path) -> tuple[list[Path], Diagnostics]:
    """Write a project for each topology when all are valid and none collides with another; else none.

    Deployments that have no id get one, so that a project protects its hosts without hadeploy, too. Where it cannot be kept,
    that is a warning, and hosts know the deployment by its name alone.
    """
    cases, findings = judge_together(paths)
    if findings.has_errors:
        return [], findings
    ids: dict[Path, Whose] = {}
    for case in cases:
        whose, found = _whose(case.loaded.path, case.design.name, lab=False, make_id=True)
        findings += only_warned(found)
        ids[case.loaded.path] = whose
    if findings.has_errors:
        return [], findings
    # Making the files of many hosts takes the processor, and writing them the disk's journal: several at once overlap both.
    do_all(lambda case: _write(case.design, out / case.design.name, ids[case.loaded.path]), cases)
    return [out / case.design.name for case in cases], findings


def _whose(path: Path, name: str, *, lab: bool, make_id: bool) -> tuple[Whose, Diagnostics]:
    """The deployment of a project."""
    state = lab_of(name, path)[0] if lab else None
    deployment, findings = (
        made_id(path, name, state) if make_id and not (lab and state is None) else known_id(path, state)
    )
    return Whose(deployment, read_id(id_file(path))[0]), findings


def _write(design: Design, destination: Path, whose: Whose) -> None:
    with sole_project(destination):
        build(design, destination, whose)
