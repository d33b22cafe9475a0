"""Volumes under Pacemaker's own scheduler: who is promoted where, and that the service goes with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from lxml import etree

from hadeploy.app.simulate import SimulationRequest, simulate_topologies
from hadeploy.proof.job import JobOutcome
from hadeploy.proof.scheduler_job import promoted_key, read_decision
from hadeploy.proof.scheduler_status import StatusWriter

ROOT = Path(__file__).resolve().parents[2]
ANSWER = """<pacemaker-result><actions>
<rsc_action action="stop" resource="data-drbd:0" role="Promoted" node="n1"/>
<rsc_action action="promote" resource="data-drbd:1" role="Unpromoted" next-role="Promoted" dest="n2"/>
</actions></pacemaker-result>"""
DEMOTION = """<pacemaker-result><actions>
<rsc_action action="demote" resource="data-drbd:0" role="Promoted" next-role="Unpromoted" dest="n1"/>
</actions></pacemaker-result>"""


def outcome(text: str) -> JobOutcome:
    return JobOutcome(code=0, stdout=text, stderr="", seconds=0.0)


def test_a_promotion_is_a_place_of_its_own():
    before = {
        "data-drbd:0": "n1",
        promoted_key("data-drbd:0"): "n1",
        "data-drbd:1": "n2",
    }
    assert read_decision(outcome(ANSWER)).placement_after(before) == {
        "data-drbd:1": "n2",
        promoted_key("data-drbd:1"): "n2",
    }
    assert read_decision(outcome(DEMOTION)).placement_after(before) == {
        "data-drbd:0": "n1",
        "data-drbd:1": "n2",
    }


def test_the_status_says_who_is_promoted(replicated_cib: str):
    placement = {
        "data-drbd:0": "n1",
        promoted_key("data-drbd:0"): "n1",
        "data-drbd:1": "n2",
    }
    root = etree.fromstring(StatusWriter(replicated_cib).status(placement).encode())
    history = {
        state.get("uname"): {
            (op.get("operation"), op.get("interval"), op.get("rc-code"))
            for op in state.iterfind(".//lrm_resource[@id='data-drbd']/lrm_rsc_op")
        }
        for state in root.iterfind("status/node_state")
    }
    assert history == {
        "n1": {("promote", "0", "0"), ("monitor", "10000", "8")},
        "n2": {("start", "0", "0"), ("monitor", "20000", "0")},
    }
    scores = root.findall(".//nvpair[@name='master-data-drbd']")
    assert [score.get("value") for score in scores] == ["10000", "10000"]


def test_a_lost_member_has_no_score(replicated_cib: str):
    root = etree.fromstring(StatusWriter(replicated_cib).status({}, lost=("n1",)).encode())
    assert [each.get("id") for each in root.findall(".//nvpair[@name='master-data-drbd']")] == [
        "status-2-master-data-drbd"
    ]


@pytest.fixture
def replicated_cib(design_of) -> str:
    from hadeploy.daemons.registry import cluster_information_base

    base = cluster_information_base(design_of("active-passive-drbd"))
    assert base is not None
    return base.xml


@pytest.mark.native
@pytest.mark.parametrize(
    ("topology", "failure", "owner"),
    [
        ("inventories/active-passive-drbd/topology.yaml", "node:n1", "n2"),
        ("inventories/active-passive-drbd/topology.yaml", "node:n2", "n1"),
        ("inventories/active-passive-drbd/topology.yaml", "resource:web", "n2"),
        ("tests/rules/reference_clusters/g5-tiebreaker.yaml", "node:pcmk-1", "pcmk-2"),
        ("tests/rules/reference_clusters/g5-tiebreaker.yaml", "node:pcmk-3", "pcmk-1"),
    ],
)
def test_the_service_goes_with_the_promoted_copy(topology: str, failure: str, owner: str):
    found, findings = simulate_topologies(SimulationRequest((ROOT / topology,), fail=(failure,)))
    assert not findings.has_errors, [finding.summary for finding in findings]
    ((_, simulation),) = found
    assert simulation.violations == ()
    (row,) = simulation.rows
    assert [outcome.owners for outcome in row.outcomes] == [(owner,)]


@pytest.mark.native
def test_a_tiebreaker_never_runs_the_service():
    topology = ROOT / "tests/rules/reference_clusters/g5-tiebreaker.yaml"
    request = SimulationRequest((topology,), fail=("node:pcmk-1", "resource:website"))
    ((_, simulation),), _ = simulate_topologies(request)
    assert all("pcmk-3" not in outcome.owners for row in simulation.rows for outcome in row.outcomes)


@pytest.mark.native
def test_the_spare_takes_over_whichever_volume_is_orphaned(tmp_path: Path):
    """N+1: each active member shares a volume with the spare, and no other member ever mounts it."""
    document = yaml.safe_load((ROOT / "inventories/n-plus-1/topology.yaml").read_text(encoding="utf-8"))
    document["objectives"]["rto"] = "10min"
    document["volumes"] = {}
    for name, group in document["services"].items():
        volume = f"{name}-data"
        group["volumes"] = [volume]
        disk = f"/dev/disk/by-id/virtio-{volume}"
        document["volumes"][volume] = {
            "kind": "drbd",
            "size": "64MiB",
            "disks": {group["prefers"]: disk, document["spare"]: disk},
            "network": "ring",
            "mount": f"/srv/{name}",
        }
    file = tmp_path / "topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    found, findings = simulate_topologies(SimulationRequest((file,), pairs=False))
    assert not findings.has_errors, [finding.summary for finding in findings]
    ((_, simulation),) = found
    assert simulation.violations == ()
    homes = {home.service: home.node for home in simulation.homes}
    for row in simulation.rows:
        for outcome in row.outcomes:
            assert set(outcome.owners) <= {homes[outcome.service], document["spare"]}
