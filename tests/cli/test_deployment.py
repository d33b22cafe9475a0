"""Whose a project is, and what of that apply and compile write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from hadeploy.app.build import compile_topologies, compile_topology
from hadeploy.project.write import OtherDeploymentError
from hadeploy.spec.deployment import id_file, read_id

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "active-passive" / "topology.yaml"


@pytest.fixture
def topology(tmp_path: Path) -> Path:
    return copy(tmp_path / "a" / "topology.yaml")


def copy(to: Path) -> Path:
    to.parent.mkdir(parents=True)
    shutil.copy(EXAMPLE, to)
    return to


def deployment_in(project: Path) -> dict[str, str]:
    return yaml.safe_load((project / "vars" / "hadeploy.yml").read_text())["hadeploy_deployment"]


def test_compile_makes_the_id_and_puts_it_into_the_project(topology: Path, tmp_path: Path):
    (project,), findings = compile_topologies([topology], tmp_path / "build")
    assert not findings.has_errors
    made, _ = read_id(id_file(topology))
    assert made
    assert deployment_in(project) == {"id": made, "name": "active-passive"}
    assert json.loads((project / "manifest.json").read_text())["deployment"] == made
    before = (project / "manifest.json").read_bytes()
    compile_topologies([topology], tmp_path / "build")
    assert (project / "manifest.json").read_bytes() == before


def test_who_only_looks_makes_none(topology: Path, tmp_path: Path):
    done, _ = compile_topology(topology, tmp_path / "build")
    assert done is not None
    assert deployment_in(done[0]) == {"id": "", "name": "active-passive"}
    assert not id_file(topology).exists()


def test_another_topology_of_the_name_does_not_overwrite_the_project(topology: Path, tmp_path: Path):
    (project,), _ = compile_topologies([topology], tmp_path / "build")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    other = copy(tmp_path / "b" / "topology.yaml")
    for call in (
        lambda: compile_topologies([other], tmp_path / "build"),
        lambda: compile_topology(other, tmp_path / "build"),
        lambda: compile_topology(other, tmp_path / "build", make_id=True),
    ):
        with pytest.raises(OtherDeploymentError) as refused:
            call()
        assert before[project / "manifest.json"].decode().count(read_id(id_file(topology))[0]) == 1
        assert read_id(id_file(topology))[0] in str(refused.value)
        assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_clone_and_a_moved_topology_may(topology: Path, tmp_path: Path):
    compile_topologies([topology], tmp_path / "build")
    clone = copy(tmp_path / "clone" / "topology.yaml")
    shutil.copy(id_file(topology), id_file(clone))
    assert compile_topologies([clone], tmp_path / "build")[0]


def test_two_of_one_name_in_one_call_are_refused(topology: Path, tmp_path: Path):
    other = copy(tmp_path / "b" / "topology.yaml")
    written, findings = compile_topologies([topology, other], tmp_path / "build")
    assert written == []
    assert findings.has_errors
    assert not (tmp_path / "build").exists()


def test_a_damaged_id_stops_before_anything_is_written(topology: Path, tmp_path: Path):
    id_file(topology).write_text("# comment\n???\n")
    assert compile_topologies([topology], tmp_path / "build")[0] == []
    done, findings = compile_topology(topology, tmp_path / "build", make_id=True)
    assert done is None
    assert [(each.code, str(each.span)) for each in findings if each.is_error] == [
        ("BUILD010", f"{id_file(topology)}:2:1")
    ]
    assert not (tmp_path / "build").exists()
    assert id_file(topology).read_text() == "# comment\n???\n"
