"""What an apply that did not end well says of what it changed: from its own events, with real Ansible."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.cli.apply_view import show_outcome
from hadeploy.project.playbook import LOOKING
from hadeploy.run.ansible import apply_project
from hadeploy.run.events import RunEvent, RunResult

pytestmark = pytest.mark.programs

NOTHING = "nothing was changed on any host"
FAIL = {"name": "Refuse", "ansible.builtin.fail": {"msg": "refused"}}
LOOK = {"name": "Look", "ansible.builtin.command": {"argv": ["true"]}, "changed_when": False}
CHANGE = {"name": "Change", "ansible.builtin.command": {"argv": ["true"]}}


@pytest.fixture
def run(tmp_path: Path):
    def play(*plays: tuple[str, list[dict[str, Any]]], **more: Any) -> RunResult:
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        (tmp_path / "inventory.yml").write_text(
            yaml.safe_dump({"all": {"hosts": {"n1": local, "n2": local}}})
        )
        written = [
            {"name": name, "hosts": "all", "gather_facts": False, "any_errors_fatal": True, "tasks": tasks}
            for name, tasks in plays
        ]
        (tmp_path / "site.yml").write_text(yaml.safe_dump(written, sort_keys=False))
        (tmp_path / "ansible.cfg").write_text("[defaults]\n")
        return apply_project(tmp_path, looking=LOOKING, **more)

    return play


def said(result: RunResult, capsys: pytest.CaptureFixture[str], *, check: bool = False) -> str:
    show_outcome(result, None, check=check)
    return " ".join(capsys.readouterr().out.split())


def test_a_refusal_before_the_first_change(run, capsys):
    result = run(("Observe", [LOOK]), ("Check", [FAIL]))
    assert (result.succeeded, result.changed, result.changes) == (False, False, ())
    assert said(result, capsys).endswith(f"the apply stopped: {NOTHING}")


def test_the_same_refusal_after_packages_were_installed(run, capsys):
    """The parser's word used to say `nothing was written`, whatever went before."""
    result = run(("Install", [CHANGE]), ("Check", [FAIL]))
    assert result.changes == (("Install", ("n1", "n2")),)
    words = said(result, capsys)
    assert NOTHING not in words
    assert "changed until then, as far as is known: Install (n1, n2)" in words


def test_a_task_that_failed_may_have_changed_something_before(run, capsys):
    result = run(("Observe", [LOOK]), ("Write", [{**FAIL, "when": "inventory_hostname == 'n2'"}]))
    assert result.changed
    assert result.changes == (("Write", ("n2",)),)
    assert NOTHING not in said(result, capsys)


def test_an_interrupt_in_the_middle_of_a_task(run, capsys):
    slow = {"name": "Slow", "ansible.builtin.command": {"argv": ["sleep", "30"]}, "changed_when": False}

    def interrupt(event: RunEvent) -> None:
        if event.task == "Slow" and event.status == "running":
            os.kill(os.getpid(), signal.SIGINT)

    result = run(("Write", [slow]), on_event=interrupt)
    assert result.interrupted
    words = said(result, capsys)
    assert words.startswith(
        "interrupted (it was in phase Write): changed until then, as far as is known: Write"
    )
    result = run(("Observe", [slow]), on_event=interrupt)
    assert said(result, capsys).startswith(f"interrupted (it was in phase Observe): {NOTHING}")


def test_what_ansible_could_not_even_start(run, tmp_path, capsys):
    result = run(("Observe", [{"name": "No", "no_such_module_anywhere": {}}]))
    assert said(result, capsys).endswith(NOTHING)


def test_check_mode_only_says_what_would_be(run, capsys):
    result = run(
        ("Install", [{**CHANGE, "check_mode": False, "changed_when": True}]), ("Check", [FAIL]), check=True
    )
    assert said(result, capsys, check=True).endswith(NOTHING)
