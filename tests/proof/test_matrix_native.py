"""What Pacemaker's own scheduler does with clusters: fencing, takeovers, and moves that nobody needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from hadeploy.app import simulate
from hadeploy.app.simulate import SimulationRequest, simulate_topologies
from hadeploy.daemons.registry import cluster_information_base
from hadeploy.proof.failures import Kind
from hadeploy.proof.matrix import Row
from hadeploy.proof.simulation import Simulation

pytestmark = pytest.mark.native

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"


def simulated(file: Path, **options: Any) -> Simulation:
    results, findings = simulate_topologies(SimulationRequest((file,), **options))
    assert results, list(findings)
    return results[0][1]


def rows_of(simulation: Simulation) -> Mapping[frozenset[str], Row]:
    return {frozenset(map(str, row.failures)): row for row in simulation.rows}


def fenced(row: Row) -> tuple[str, ...]:
    return tuple(member.node for member in row.fenced if member.done)


def owners(row: Row) -> dict[str, tuple[str, ...]]:
    return {outcome.service: outcome.owners for outcome in row.outcomes}


@pytest.fixture(scope="module")
def two() -> Mapping[frozenset[str], Row]:
    """Every single failure and every pair of the two-node example."""
    return rows_of(simulated(INVENTORIES / "active-passive" / "topology.yaml"))


def test_a_lost_member_is_fenced_and_its_service_taken(two):
    row = two[frozenset({"node:n1"})]
    assert (fenced(row), owners(row)) == (("n1",), {"web": ("n2",)})


def test_the_standby_is_fenced_and_nothing_moves(two):
    row = two[frozenset({"node:n2"})]
    assert (fenced(row), owners(row)) == (("n2",), {"web": ("n1",)})


def test_without_its_fence_device_a_lost_member_keeps_what_it_had(two):
    """Nobody knows that it is off: nothing is taken over, never two owners."""
    row = two[frozenset({"node:n1", "fence:ipmi-n1"})]
    assert fenced(row) == ()
    assert owners(row)["web"] != ("n2",)


def test_a_service_that_fails_where_it_runs_moves_without_fencing(two):
    row = two[frozenset({"resource:web"})]
    assert (fenced(row), owners(row)) == ((), {"web": ("n2",)})


def test_one_link_of_two_is_no_loss(two):
    row = two[frozenset({"link:ring"})]
    assert (fenced(row), owners(row)) == ((), {"web": ("n1",)})


def test_the_spare_takes_over_from_each_and_no_other_service_moves():
    simulation = simulated(INVENTORIES / "n-plus-1" / "topology.yaml", kinds=(Kind.NODE,), pairs=False)
    rows = rows_of(simulation)
    assert owners(rows[frozenset({"node:a1"})]) == {"app-a": ("s1",), "app-b": ("a2",)}
    assert owners(rows[frozenset({"node:a2"})]) == {"app-a": ("a1",), "app-b": ("s1",)}
    assert not [row for row in simulation.rows if any(outcome.collateral for outcome in row.outcomes)]


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """Four nodes and six services of equal rights, without the homes that a design of ours always gives them."""

    def without_homes(design: Any) -> Any:
        base = cluster_information_base(design)
        assert base is not None
        return replace(base, xml=re.sub(r'<rsc_location id="location-app[^>]*/>', "", base.xml))

    def write(stickiness: int) -> Path:
        document = yaml.safe_load((INVENTORIES / "n-plus-1" / "topology.yaml").read_text(encoding="utf-8"))
        document |= {"pattern": "active-passive", "virtual_addresses": {}}
        del document["spare"]
        document["nodes"]["a3"] = {
            "addresses": {"lan": "10.73.1.14", "ring": "10.73.2.14", "bmc": "10.73.9.14"},
            "power_supplies": 2,
        }
        for node in document["nodes"].values():
            node.pop("capacity", None)
        devices = document["fencing"]["devices"]
        parameters = {**devices["ipmi-s1"]["parameters"], "ip": "10.73.9.114"}
        devices["ipmi-a3"] = {**devices["ipmi-s1"], "targets": ["a3"], "parameters": parameters}
        document["cluster"]["quorum"] = {"auto_tie_breaker": "lowest"}
        document["services"] = {
            f"app-{number}": {
                "members": [
                    {"kind": "systemd", "name": f"app-{number}-unit", "unit": f"app-{number}.service"}
                ],
                "stickiness": stickiness,
            }
            for number in range(6)
        }
        document["accept_risks"] = [{"rule": "HA029", "reason": "what it does is to be seen"}]
        file = tmp_path / "topology.yaml"
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return file

    monkeypatch.setattr(simulate, "cluster_information_base", without_homes)
    return write


def needless_moves(simulation: Simulation) -> list[int]:
    """For every loss, how many services moved that were well."""
    return [sum(outcome.collateral for outcome in row.outcomes) for row in simulation.rows]


def test_without_stickiness_the_loss_of_one_moves_services_that_were_well(homeless):
    moved = needless_moves(simulated(homeless(0), kinds=(Kind.NODE,), pairs=False))
    assert max(moved) >= 3, moved


def test_with_stickiness_only_what_was_lost_moves(homeless):
    assert needless_moves(simulated(homeless(1), kinds=(Kind.NODE,), pairs=False)) == [0, 0, 0, 0]


def test_an_interface_of_another_name_changes_nothing_for_the_scheduler(two, tmp_path):
    """Each node has its own set of parameters then: with another digest than Pacemaker's, what runs would start anew."""
    text = (INVENTORIES / "active-passive" / "topology.yaml").read_text(encoding="utf-8")
    head, _, tail = text.rpartition("addresses: {lan:")
    file = tmp_path / "topology.yaml"
    file.write_text(f"{head}interfaces: {{lan: ens18}}\n    addresses: {{lan:{tail}", encoding="utf-8")
    assert rows_of(simulated(file)) == two
