"""Known designs, good and bad: the good pass without an accepted risk, the bad are refused for the reason they are known for.

A cluster is a file in ``reference_clusters/``; its line here says what the rules say of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeploy.app.validate import validate_topologies

CLUSTERS = Path(__file__).parent / "reference_clusters"

REFUSED: dict[str, tuple[str, str]] = {
    "b2-two-node-and-device": ("HA005", "two_node is on beside a quorum device"),
    "b2-four-nodes": ("HA003", "4 votes, and nobody who decides when they split in halves"),
    "b3-qnetd-on-a-member": ("HA008", "the quorum device runs on node2, a member"),
    "b4-odd": ("HA006", "ffsplit with 3 members, an odd number"),
    "b4-votes": ("HA006", "ffsplit, and node1 has 2 votes"),
    "b14-one-ring-across-regions": ("HA120", "a round trip on the cluster link ring takes 30ms"),
}
"""File -> the one rule that refuses it, and what it says first."""

GOOD = ("g6-qdevice", "g6-levels")


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_bad_cluster_is_refused_for_its_reason(name: str) -> None:
    _, findings = validate_topologies([CLUSTERS / f"{name}.yaml"])
    code, words = REFUSED[name]
    assert findings.has_errors
    assert {finding.code for finding in findings} == {code}, [f.summary for f in findings]
    assert words in [finding.summary for finding in findings]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_cluster_passes_without_an_accepted_risk(name: str) -> None:
    file = CLUSTERS / f"{name}.yaml"
    _, findings = validate_topologies([file])
    assert [finding.summary for finding in findings] == []
    assert "accept_risks" not in file.read_text(encoding="utf-8")


def test_every_cluster_has_its_verdict() -> None:
    assert {path.stem for path in CLUSTERS.glob("*.yaml")} == {*REFUSED, *GOOD}
