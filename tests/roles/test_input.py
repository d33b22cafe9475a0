"""Programs that are told something and end without reading it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ansible.module_utils import basic
from ansible.module_utils.testing import patch_module_args


@pytest.fixture
def run(told):
    """AnsibleModule's own way to run a program, where the program has ended before it is told anything."""

    def ended_first(process: subprocess.Popen[bytes]) -> None:
        process.wait()
        told.may_stay_unread(process)

    def of(program: str) -> tuple[int, str, str]:
        with patch_module_args({}):
            module = basic.AnsibleModule(argument_spec={})
        return module.run_command(
            [sys.executable, "-c", program], data="no\n", before_communicate_callback=ended_first
        )

    return of


def test_one_that_asked_nothing_is_judged_by_how_it_ended(run):
    assert run("print('said')") == (0, "said\n", "")
    assert run("raise SystemExit('refused')") == (1, "", "refused\n")


def test_without_it_the_program_is_taken_for_one_that_failed():
    """What ansible-core does, and why this is here: once it no longer does, the module can go."""
    with patch_module_args({}):
        module = basic.AnsibleModule(argument_spec={})
    with pytest.raises(BrokenPipeError):
        module.run_command(
            [sys.executable, "-c", "pass"],
            data="no\n",
            before_communicate_callback=lambda process: process.wait(),
            handle_exceptions=False,
        )


def test_one_that_reads_is_told(told):
    process = subprocess.Popen(
        [sys.executable, "-c", "print(input())"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    told.may_stay_unread(process)
    process.stdin.write(b"no\n")
    process.stdin.close()
    assert process.stdout.read() == b"no\n"
    process.stdout.close()
    assert process.wait() == 0
