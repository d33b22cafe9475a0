"""A database gets another name on real nodes: it keeps its rows, its replication and its password."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hadeploy.app.status import StatusReader
from hadeploy.drill.drill import wait_until_well
from hadeploy.lab import lab
from hadeploy.lab.overlay import ssh_argv
from hadeploy.lab.program import run
from hadeploy.lab.state import load_state

pytestmark = [pytest.mark.lab("test-rename"), pytest.mark.machines, pytest.mark.timeout(1200)]

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "postgresql-streaming" / "topology.yaml"
NAME = "test-rename"
ENVIRONMENT = {**os.environ, "HADEPLOY_IPMI_PASSWORD": "a lab's own", "NO_COLOR": "1"}


PACKAGED = "main"
"""The instance that Debian's package makes itself."""


def hadeploy(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "hadeploy", *map(str, arguments)]


def text_of(database: str, was: str = "") -> str:
    text = EXAMPLE.read_text().replace("name: postgresql-streaming\n", f"name: {NAME}\n")
    before = f"    was: {was}\n" if was else ""
    text = text.replace("  orders:\n    kind", f"  {database}:\n{before}    kind")
    return text.replace("databases: [orders]", f"databases: [{database}]")


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    file = tmp_path_factory.mktemp("rename") / "topology.yaml"
    file.write_text(text_of("orders"))
    try:
        subprocess.run(hadeploy("lab", "up", file), env=ENVIRONMENT, check=True)
        yield file
    finally:
        lab.down(NAME)


@pytest.fixture
def apply(topology: Path) -> Callable[..., dict[str, Any]]:
    def call(text: str, *more: str) -> dict[str, Any]:
        topology.write_text(text)
        argv = hadeploy(
            "apply", topology, "--lab", "--yes", "--json", "--out", topology.parent / "build", *more
        )
        done = subprocess.run(argv, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
        return {**json.loads(done.stdout), "code": done.returncode}

    return call


@pytest.fixture
def on(topology: Path) -> Callable[..., str]:
    def ssh(node: str, *argv: str, check: bool = True) -> str:
        state = load_state(NAME)
        return run(ssh_argv(state, state.plan.node(node), *argv), check=check, seconds=120).strip()

    return ssh


def held(on: Callable[..., str], node: str) -> list[str]:
    """Directories of data."""
    return [name for name in on(node, "ls", "/var/lib/postgresql/15").split() if name != PACKAGED]


def test_a_database_keeps_its_data_under_another_name(topology: Path, apply, on):
    assert apply(text_of("orders"))["code"] == 0
    status = wait_until_well(StatusReader.for_lab(topology).read, 120)
    (primary,) = status.addresses[0].holders

    def sql(words: str) -> str:
        return on(primary, "runuser", "-u", "postgres", "--", "psql", "-Atqc", words, "postgres")

    sql("CREATE TABLE kept (number int); INSERT INTO kept VALUES (4711)")
    identifier = sql("SELECT system_identifier FROM pg_control_system()")

    refused = apply(text_of("shop"))
    assert refused["code"] == 1
    assert "`was: orders`" in json.dumps(refused["failures"])
    running = apply(text_of("shop", was="orders"))
    assert running["code"] == 1
    assert "still runs on n1, n2" in json.dumps(running["failures"])
    assert not running["changed"]
    assert sql("SELECT number FROM kept") == "4711"

    clone = ("--resource", "orders-postgresql-clone")
    on(
        primary,
        "crm_resource",
        *clone,
        "--meta",
        "--set-parameter",
        "target-role",
        "--parameter-value",
        "Stopped",
    )
    on(primary, "crm_resource", "--wait")
    done = apply(text_of("shop", was="orders"))
    assert done["code"] == 0, done
    status = wait_until_well(StatusReader.for_lab(topology).read, 120)
    (primary,) = status.addresses[0].holders
    assert sql("SELECT number FROM kept") == "4711"
    assert sql("SELECT system_identifier FROM pg_control_system()") == identifier
    assert sql("SELECT sync_state FROM pg_stat_replication") == "sync"
    for node in ("n1", "n2"):
        assert held(on, node) == ["shop", "shop.cluster"]
        assert on(node, "find", "/etc/postgresql/15/orders", "-type", "f") == ""
        assert "postgresql.conf" in on(node, "ls", "/etc/postgresql/15/shop")
    assert "orders" not in on(primary, "cibadmin", "--query", "--scope=configuration")
    assert apply(text_of("shop", was="orders"))["changed"] is False


def test_a_database_that_leaves_keeps_its_data_directory(topology: Path, apply, on):
    """Another comes, in an apply of its own."""
    service = text_of("shop")
    web = service[: service.index("databases:")] + service[service.index("virtual_addresses:") :]
    web = web.replace("    databases: [shop]\n", "    members: [{kind: nginx, name: web-server, port: 80}]\n")
    done = apply(web)
    assert done["code"] == 0, done
    for node in ("n1", "n2"):
        assert held(on, node) == ["shop", "shop.cluster"]
        assert on(node, "find", "/etc/postgresql/15/shop", "-type", "f") == ""
        assert on(node, "pgrep", "-f", "/usr/lib/postgresql/15/bin/postgres", check=False) == ""
    assert "shop" not in on("n1", "cibadmin", "--query", "--scope=resources")
