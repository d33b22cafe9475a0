from __future__ import annotations

import time

from hadeploy.run.program import MISSING, TIMED_OUT, run_program


def test_a_verdict_is_no_exception():
    done = run_program(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_input_is_given():
    assert run_program(["cat"], stdin=b"text").stdout == "text"


def test_a_missing_program_is_named():
    done = run_program(["no-such-program-anywhere"])
    assert done.code == MISSING
    assert "no-such-program-anywhere" in done.stderr


def test_one_that_never_ends_is_ended_with_its_children():
    began = time.monotonic()
    done = run_program(["sh", "-c", "sleep 300 & sleep 300"], seconds=0.2)
    assert done.code == TIMED_OUT
    assert time.monotonic() - began < 60
    assert "took more than 0.2 s" in done.stderr


def test_one_that_never_stops_talking_is_cut_short():
    done = run_program(["sh", "-c", "yes | head -c 1000000"], max_bytes=1000)
    assert len(done.stdout) == 1000
