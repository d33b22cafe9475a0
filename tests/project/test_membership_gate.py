"""Ansible itself, on this machine alone: a part of the members is never changed without the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hadeploy.daemons.registry import shares
from hadeploy.design.design import Design
from hadeploy.project.build import build
from hadeploy.project.playbook import playbook

pytestmark = pytest.mark.programs

ROLES = Path(__file__).resolve().parents[2] / "roles"
ANSIBLE = str(Path(sys.executable).parent / "ansible-playbook")
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
GONE = {
    "ansible_connection": "ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_python_interpreter": "/x",
}


def play(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "ANSIBLE_HOST_KEY_CHECKING": "0",
        "ANSIBLE_NOCOLOR": "1",
        "HADEPLOY_IPMI_PASSWORD": "x",
    }
    return subprocess.run(
        [ANSIBLE, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_limit_is_refused_before_anything(design_of: Callable[..., Design], tmp_path: Path):
    design = design_of("active-passive")
    build(design, tmp_path / "a")
    first, *_ = (member.name for member in design.members)
    overlay = tmp_path / "overlay.yml"
    overlay.write_text(yaml.safe_dump({"all": {"vars": LOCAL}}))
    done = play(tmp_path / "a", "site.yml", "-i", "inventory.yml", "-i", str(overlay), "--limit", first)
    assert done.returncode != 0
    assert "never changed alone" in done.stdout
    assert "Compare the host" not in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--tags", "foo"),
        ("--tags", "always"),
        ("--skip-tags", "foo"),
        ("--limit", "typo"),
        ("--start-at-task", "Compare the live CIB with the compiled one"),
        ("--start-at-task", "Release the lock"),
        ("--start-at-task", "no such task"),
    ],
)
def test_a_part_of_the_project_is_never_run(design_of: Callable[..., Design], tmp_path: Path, arguments):
    """Whatever it is called: it fails, and no module of hadeploy was run on a host."""
    design = design_of("active-passive")
    build(design, tmp_path / "a")
    overlay = tmp_path / "overlay.yml"
    overlay.write_text(yaml.safe_dump({"all": {"vars": LOCAL | {"hadeploy_corosync_authkey": "eA=="}}}))
    done = play(tmp_path / "a", "site.yml", "-i", "inventory.yml", "-i", str(overlay), "--check", *arguments)
    assert "changed: [" not in done.stdout
    if (
        "matching task" in done.stderr
    ):  # Ansible itself says so, where it has nothing to start at, and runs nothing
        assert "[ERROR]: No matching task" in done.stderr
        assert "TASK [" not in done.stdout
        return
    assert done.returncode != 0, done.stdout + done.stderr
    if arguments[0] in ("--tags", "--skip-tags"):
        assert "APPLY096" in done.stdout
        assert "Compare the host" not in done.stdout


def test_an_unreachable_member_ends_the_run(design_of: Callable[..., Design], tmp_path: Path):
    design = design_of("active-passive")
    build(design, tmp_path / "a")
    hosts = {member.name: LOCAL for member in design.members[:-1]} | {design.members[-1].name: GONE}
    overlay = tmp_path / "overlay.yml"
    overlay.write_text(
        yaml.safe_dump({"all": {"hosts": hosts, "vars": {"hadeploy_corosync_authkey": "eA=="}}})
    )
    done = play(tmp_path / "a", "site.yml", "-i", "inventory.yml", "-i", str(overlay), "--check")
    assert done.returncode != 0
    assert "UNREACHABLE" in done.stdout
    for name in ("Install", "Check", "Write", "Corosync"):
        assert f"PLAY [{name}]" not in done.stdout


def test_an_unreachable_arbiter_ends_the_run_like_a_member(design_of: Callable[..., Design], tmp_path: Path):
    design = design_of("quorum-device")
    build(design, tmp_path / "a")
    hosts = {member.name: LOCAL for member in design.members} | {"arbiter": GONE}
    overlay = tmp_path / "overlay.yml"
    overlay.write_text(
        yaml.safe_dump({"all": {"hosts": hosts, "vars": {"hadeploy_corosync_authkey": "eA=="}}})
    )
    done = play(tmp_path / "a", "site.yml", "-i", "inventory.yml", "-i", str(overlay), "--check")
    assert done.returncode != 0
    assert "UNREACHABLE" in done.stdout
    for name in ("Observe the authority", "Install", "Write", "Arbiter", "Corosync", "Quorum device"):
        assert f"PLAY [{name}]" not in done.stdout


@pytest.mark.parametrize("guarded", [True, False])
def test_why_each_play_has_both_keywords(design_of: Callable[..., Design], tmp_path: Path, guarded: bool):
    """A member is lost in one play, the next is for another member. Without max_fail_percentage it would be told."""
    generated = playbook(shares(design_of("active-passive")))[0]
    keywords = ("gather_facts", "any_errors_fatal", *(("max_fail_percentage",) if guarded else ()))
    header = {key: generated[key] for key in keywords}
    marker = tmp_path / "told"
    plays = [
        {"name": "One", "hosts": "h1,h2", **header, "tasks": [{"ansible.builtin.ping": None}]},
        {
            "name": "Two",
            "hosts": "h3",
            **header,
            "tasks": [{"ansible.builtin.file": {"path": str(marker), "state": "touch", "mode": "0644"}}],
        },
    ]
    (tmp_path / "site.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
    (tmp_path / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"hosts": {"h1": LOCAL, "h2": GONE, "h3": LOCAL}}})
    )
    play(tmp_path, "site.yml", "-i", "hosts.yml")
    assert marker.exists() is not guarded


def test_a_rolling_play_stops_where_a_member_was_lost(tmp_path: Path):
    roles = Path(__file__).resolve().parents[2] / "roles"
    marker = tmp_path / "told"
    rolling = {
        "name": "Rolling",
        "hosts": "h1,h2",
        "serial": 1,
        "vars": {"hadeploy_nodes": {"h1": "n1", "h2": "n2"}},
        "gather_facts": False,
        "any_errors_fatal": True,
        "max_fail_percentage": 0,
        "tasks": [
            {"ansible.builtin.import_role": {"name": "observe", "tasks_from": "united.yml"}},
            {"ansible.builtin.ping": None},
            {"ansible.builtin.file": {"path": str(marker), "state": "touch", "mode": "0644"}},
        ],
    }
    (tmp_path / "site.yml").write_text(yaml.safe_dump([rolling], sort_keys=False))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"h1": GONE, "h2": LOCAL}}}))
    (tmp_path / "ansible.cfg").write_text(f"[defaults]\nroles_path = {roles}\n")
    done = play(tmp_path, "site.yml", "-i", "hosts.yml")
    assert done.returncode != 0
    assert "n1 was lost" in done.stdout.replace("\n", " ")
    assert not marker.exists()


@pytest.mark.parametrize(
    "file", sorted(ROLES.glob("*/tasks/*.yml")), ids=lambda file: str(file.relative_to(ROLES))
)
def test_tasks_are_delegated_to_hosts_as_the_inventory_calls_them(file: Path):
    """A node of the topology may have another name there, and a host that is not in the inventory cannot be reached."""
    for task in yaml.safe_load(file.read_text()) or ():
        if "{{ item }}" in str(task.get("delegate_to", "")):
            assert "hadeploy_hosts" in str(task["loop"])
            assert "hadeploy_members" not in str(task["loop"])
