"""hadeploy simulate on load balancers: one result in three forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.cli.simulate import FailureKind
from hadeploy.proof.failures import Kind

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "active-active" / "topology.yaml"


@pytest.fixture
def unwatched(tmp_path: Path) -> Path:
    """The example with nobody who looks after HAProxy."""
    document = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    document["vrrp"]["track_processes"] = []
    file = tmp_path / "unwatched.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return file


def test_text(hadeploy: Any) -> None:
    done = hadeploy("simulate", str(EXAMPLE))
    assert done.returncode == 0, done.stderr
    assert "when all is well: site-a on lb1, site-b on lb2, web on web1, web2" in done.stdout
    assert "│ node:lb1            │ -> lb2" in done.stdout
    assert "fenced" not in done.stdout
    assert "site-a: tried: all 4 states" in done.stdout


def test_json(hadeploy: Any) -> None:
    done = hadeploy("simulate", str(EXAMPLE), "--format", "json", "--no-pairs")
    (simulation,) = json.loads(done.stdout)["simulations"]
    assert simulation["holds"] is True
    assert [election["address"] for election in simulation["elections"]] == ["site-a", "site-b"]
    (lost,) = [row for row in simulation["rows"] if row["failures"] == ["node:lb1"]]
    assert [(o["service"], o["state"]) for o in lost["outcomes"]] == [
        ("site-a", "moves"),
        ("site-b", "stays"),
        ("web", "fewer servers"),
    ]


def test_html(hadeploy: Any) -> None:
    page = hadeploy("simulate", str(EXAMPLE), "--format", "html").stdout
    assert "<h3>Elections</h3>" in page
    assert "one owner on each side of a split" in page
    assert "fenced</th>" not in page
    assert "Two failures at once" in page


def test_what_fails_together_by_name(hadeploy: Any) -> None:
    done = hadeploy("simulate", str(EXAMPLE), "--fail", "node:lb1", "--fail", "server:web/web2")
    assert "lb2 holds site-a and site-b, and reaches no server" in done.stdout
    assert done.returncode == 0  # two at once are more than the topology promises


def test_a_single_failure_that_stops_a_service_is_a_failure(hadeploy: Any, unwatched: Path) -> None:
    done = hadeploy("simulate", str(unwatched))
    assert done.returncode == 1
    assert "does not hold: process:haproxy@lb1: web is left stopped" in done.stdout


def test_only_failures_of_some_kinds(hadeploy: Any) -> None:
    done = hadeploy(
        "simulate", EXAMPLE, "--only", "node", "--only", "server", "--format", "json", "--no-pairs"
    )
    (simulation,) = json.loads(done.stdout)["simulations"]
    kinds = {failure.split(":")[0] for row in simulation["rows"] for failure in row["failures"]}
    assert kinds == {"node", "server"}


def test_every_kind_of_failure_can_be_asked_for() -> None:
    assert [kind.value for kind in FailureKind] == [kind.value for kind in Kind]
