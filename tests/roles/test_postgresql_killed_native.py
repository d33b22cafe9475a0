"""PostgreSQL's own programs, killed in the middle of their work with the run that started them, and the run repeated."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.roles.postgresql_modules import Run, loaded
from tests.roles.real_postgresql import INSTALLED, MEMBERS, as_owner, database, free_port, sql, start

pytestmark = pytest.mark.native

SECONDS = 60.0


@pytest.fixture
def databases() -> Iterator[dict[str, dict]]:
    if os.geteuid() != 0 or not INSTALLED:
        pytest.fail("run make test as root: it installs PostgreSQL")
    root = Path(tempfile.mkdtemp(prefix="hadeploy-killed-"))
    root.chmod(0o755)
    port = free_port()
    try:
        yield {host: database(root, host, port) for host in MEMBERS}
    finally:
        for host in MEMBERS:
            if (root / host / "data" / "postmaster.pid").exists():
                as_owner("pg_ctl", "stop", "--mode=immediate", f"--pgdata={root / host / 'data'}")
        shutil.rmtree(root)


def killed(run: Run, half_done: Callable[[], bool], **params: object) -> None:
    """The run with all that it started is killed when its work is half done."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)

        def watch() -> None:
            while not half_done():
                time.sleep(0.0005)
            os.killpg(0, signal.SIGKILL)

        threading.Thread(target=watch, daemon=True).start()
        try:
            run.apply(**params)
        finally:
            os._exit(1)  # it was done before it was half done
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_half_of_initdb_is_no_data_and_a_second_run_makes_it(databases):
    run = Run(loaded(), databases)
    data = Path(databases["n1"]["data"])
    fresh = data.with_name(".hadeploy-data.new")
    killed(run, lambda: (fresh / "base" / "1" / "PG_VERSION").exists())
    assert not data.exists()
    run.apply()
    facts = [run.observe(host)["databases"]["main"] for host in MEMBERS]
    assert facts[0]["identifier"] == facts[1]["identifier"]
    assert [each["recorded"] for each in facts] == [True, True]
    assert not fresh.exists()


def test_half_of_a_copy_is_no_data_and_a_second_run_copies_from_the_same_primary(databases):
    run = Run(loaded(), databases)
    run.apply()
    first, second = databases["n1"], databases["n2"]
    start(first, MEMBERS["n1"])
    sql(
        first,
        "CREATE TABLE kept (words text); INSERT INTO kept SELECT repeat('x', 1000) FROM generate_series(1, 5000)",
    )
    fresh = Path(second["data"]).with_name(".hadeploy-data.new")
    killed(run, lambda: (fresh / "base" / "1").is_dir(), wipe=["main@n2"])
    assert not Path(second["data"]).exists()
    assert sql(first, "SELECT count(*) FROM kept") == "5000"
    told = run.apply()  # without the option, from wherever: what was begun is on the host
    assert any("data copied from n1" in words for words in told["n2"])
    assert run.observe("n2")["databases"]["main"]["recorded"]
    assert not fresh.exists()
