from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from hadeploy.run import ansible, private
from hadeploy.run.ansible import apply_project
from hadeploy.run.connections import Access
from hadeploy.run.errors import RunError
from hadeploy.run.events import RunEvent
from hadeploy.run.vault import ensure_generated

pytestmark = pytest.mark.programs

SECRET = "opensesame-4711"


@pytest.fixture
def make_project(tmp_path: Path):
    def make(*tasks: dict, hosts: tuple[str, ...] = ("h1", "h2")) -> Path:
        project = tmp_path / "project"
        project.mkdir()
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory = {"all": {"hosts": dict.fromkeys(hosts, local)}}
        (project / "inventory.yml").write_text(yaml.safe_dump(inventory))
        plays = [
            {"name": "First", "hosts": "all", "gather_facts": False, "tasks": list(tasks)},
            {
                "name": "Nobody",
                "hosts": "localhost:!localhost",
                "gather_facts": False,
                "tasks": [{"ansible.builtin.ping": {}}],
            },
        ]
        (project / "site.yml").write_text(yaml.safe_dump(plays, sort_keys=False))
        (project / "ansible.cfg").write_text("[defaults]\nforks = 2\n")
        return project

    return make


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a run keeps its private directory."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(private, "MEMORY", folder)
    return folder


def test_events_arrive_and_are_counted(make_project, place: Path):
    seen: list[RunEvent] = []
    project = make_project({"name": "Ask", "ansible.builtin.command": {"argv": ["true"]}})
    result = apply_project(project, on_event=seen.append)
    assert result.succeeded
    assert result.changed
    assert not result.interrupted
    assert [(count.host, count.ok, count.changed, count.failed) for count in result.hosts] == [
        ("h1", 1, 1, 0),
        ("h2", 1, 1, 0),
    ]
    assert [name for name, _ in result.phases] == ["First"]
    assert (seen[0].phase, seen[0].status) == ("First", "started")
    assert {(event.host, event.status) for event in seen} >= {
        ("h1", "running"),
        ("h1", "changed"),
        ("h2", "changed"),
    }
    assert list(place.iterdir()) == []


def test_host_keys_are_checked(make_project, place: Path):
    """ansible-runner asks Ansible not to, where nobody contradicts."""
    checks = "{{ lookup('ansible.builtin.config', 'host_key_checking', plugin_type='connection', plugin_name='ssh') }}"
    project = make_project({"name": "Judge", "ansible.builtin.assert": {"that": f"{checks[2:-2]} | bool"}})
    result = apply_project(project)
    assert result.succeeded, result.failures


def test_a_failure_is_told_with_host_phase_and_words(make_project, place: Path):
    project = make_project(
        {"name": "Judge", "ansible.builtin.fail": {"msg": "not today"}, "when": "inventory_hostname == 'h2'"}
    )
    result = apply_project(project)
    assert not result.succeeded
    assert [(f.host, f.phase, f.task, f.status, f.message) for f in result.failures] == [
        ("h2", "First", "Judge", "failed", "not today")
    ]


def test_what_ansible_cannot_even_start_is_told_too(make_project, place: Path):
    project = make_project()
    (project / "site.yml").write_text("- hosts: all\n  tasks: [{no_such_module_anywhere: {}}]\n")
    result = apply_project(project)
    assert not result.succeeded
    assert "no_such_module_anywhere" in result.failures[0].message


def test_check_mode_changes_nothing_and_shows_diffs(make_project, place: Path, tmp_path: Path):
    target = tmp_path / "target"
    seen: list[RunEvent] = []
    project = make_project(
        {
            "name": "Write",
            "ansible.builtin.copy": {"content": "hello\n", "dest": str(target), "mode": "0644"},
        },
        hosts=("h1",),
    )
    result = apply_project(project, check=True, on_event=seen.append)
    assert result.changed
    assert not target.exists()
    assert any("+hello" in event.diff for event in seen)


def test_vault_and_environment_reach_ansible_and_nothing_is_left(
    make_project, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HADEPLOY_IPMI_PASSWORD", SECRET)
    vault = tmp_path / "v.yml"
    ensure_generated(vault, ["hadeploy_key"], SECRET.encode())
    leaks: list[str] = []

    def look(event: RunEvent) -> None:
        if event.status != "running":
            return
        for file in place.rglob("*"):
            if file.is_file() and SECRET in file.read_text(errors="replace"):
                leaks.append(file.name)
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                arguments = entry.read_bytes()
            except OSError:
                continue
            if SECRET.encode() in arguments:
                leaks.append(str(entry))

    project = make_project(
        {
            "name": "Use both",
            "ansible.builtin.assert": {
                "that": [
                    "hadeploy_key | length == 344",
                    f"lookup('env', 'HADEPLOY_IPMI_PASSWORD') == '{SECRET}'",
                ]
            },
        }
    )
    (project / "site.yml").write_text(
        (project / "site.yml").read_text().replace(SECRET, "' ~ 'opensesame' ~ '-4711")
    )
    result = apply_project(
        project, access=Access(vault_file=vault, vault_password=SECRET.encode()), on_event=look
    )
    assert result.succeeded, result.failures
    assert leaks == []
    assert list(place.iterdir()) == []


def test_a_vault_without_its_password_is_refused(make_project, place: Path, tmp_path: Path):
    vault = tmp_path / "v.yml"
    ensure_generated(vault, ["key"], b"x")
    with pytest.raises(RunError) as caught:
        apply_project(make_project(), access=Access(vault_file=vault))
    assert caught.value.code == "RUN010"


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path):
    with pytest.raises(RunError) as caught:
        apply_project(tmp_path)
    assert caught.value.code == "RUN001"


def test_an_inventory_that_is_not_there_is_named(make_project, tmp_path: Path):
    with pytest.raises(RunError) as caught:
        apply_project(make_project(), access=Access((tmp_path / "overlay.yml",)))
    assert caught.value.code == "RUN002"


def test_ways_to_reach_hosts_do_not_share_connections(tmp_path: Path):
    one, other, folder = tmp_path / "one", tmp_path / "other", tmp_path / "folder"
    one.write_text("a")
    other.write_text("b")
    (folder / "group_vars").mkdir(parents=True)
    (folder / "hosts").write_text("a")
    given = ((), (one,), (other,), (one, other), (folder,))
    ways = [ansible._connections(tmp_path, inventories) for inventories in given]
    (folder / "group_vars" / "all.yml").write_text("ansible_port: 2222")
    ways.append(ansible._connections(tmp_path, (folder,)))
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "n1").write_text("ansible_host: 192.0.2.1")
    ways.append(ansible._connections(tmp_path, (one,)))
    assert len(set(ways)) == len(ways)


INTERRUPTED = """
import os, signal, sys, threading
from pathlib import Path
from hadeploy.run.ansible import apply_project
from hadeploy.run.connections import Access
def see(event):
    if event.status == "running":
        threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
result = apply_project(Path(sys.argv[1]), on_event=see)
print(result.interrupted, result.succeeded, round(result.seconds))
"""


def test_an_interrupt_ends_ansible_and_says_so(make_project, tmp_path: Path):
    """In a process of its own: the interrupt is its own, and no child may be left of it."""
    marker = tmp_path / "marker"
    project = make_project(
        {"name": "Wait", "ansible.builtin.command": {"argv": ["sleep", "601.3"]}},
        {"name": "Never", "ansible.builtin.file": {"path": str(marker), "state": "touch", "mode": "0644"}},
        hosts=("h1",),
    )
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), str(project)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    interrupted, succeeded, seconds = done.stdout.split()
    assert (interrupted, succeeded) == ("True", "False"), done.stderr
    assert int(seconds) < 200
    assert not marker.exists()


def test_importing_run_is_cheap():
    code = (
        "import sys, hadeploy.run.ansible, hadeploy.run.vault;"
        "print([m for m in sys.modules if m.startswith('ansible')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
