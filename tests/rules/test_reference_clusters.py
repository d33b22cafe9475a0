"""Known designs, good and bad: the good pass without an accepted risk, the bad are refused for the reason they are known for.

A cluster is a file in ``reference_clusters/``; its line here says what the rules say of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeploy.app.simulate import SimulationRequest, simulate_topologies
from hadeploy.app.validate import validate_topologies
from hadeploy.proof.matrix import State

CLUSTERS = Path(__file__).parent / "reference_clusters"

REFUSED: dict[str, tuple[str, str]] = {
    "b2-two-node-and-device": ("HA005", "two_node is on beside a quorum device"),
    "b2-four-nodes": ("HA003", "4 votes, and nobody who decides when they split in halves"),
    "b3-qnetd-on-a-member": ("HA008", "the quorum device runs on node2, a member"),
    "b4-odd": ("HA006", "ffsplit with 3 members, an odd number"),
    "b4-votes": ("HA006", "ffsplit, and node1 has 2 votes"),
    "b5-nopreempt-and-weight": (
        "HA063",
        "answers changes the priority of one by -60, but nobody preempts",
    ),
    "b6-equal-priorities": ("HA062", "lb1 and lb2 both have priority 100 for one"),
    "b6-one-router-id-twice": ("HA061", "two and one both are virtual router 51 on lan"),
    "b7-authentication-of-version-3": (
        "HA065",
        "VRRPv3 has no authentication, and it is spoken for one, two",
    ),
    "b7-script-security-off": ("HA069", "script security is off"),
    "b8-agent-of-its-own": ("HA075", "192.0.2.101 belongs to Pacemaker (web) and to the agent of web-ip"),
    "b1-no-fencing": ("HA020", "there is no fencing"),
    "b9-protocol-a": (
        "HA047",
        "volume web-data acknowledges writes that only one disk has (protocol A), and objectives.rpo is 0 s",
    ),
    "b10-two-primaries": ("HA051", "volume web-data has two primaries, and xfs on it"),
    "b10-no-resource-fencing": (
        "HA048",
        "volume web-data goes on alone without waiting for its peer to be fenced (fencing: dont-care)",
    ),
    "b12-same-delay": ("HA024", "pcmk-1 and pcmk-2 fence each other after the same delay"),
    "b13-small-spare": (
        "HA042",
        "when active1 is lost, no member has room for app1 (cpu 6, memory 48)",
    ),
    "b14-one-ring-across-regions": ("HA120", "a round trip on the cluster link ring takes 30ms"),
    "b16-short-timeout": ("SPEC060", "apache: start may take 10 s, ocf:heartbeat:apache advises 40 s"),
    "b16-no-monitor": ("HA041", "nobody looks at apache after it has started"),
    "b19-order-alone": ("HA036", "website starts after storage, and may run on another node"),
    "b19-place-alone": ("HA036", "website runs beside storage, and may start before it"),
    "b20-literal-password": (
        "SPEC020",
        "the parameter password holds a literal where a secret reference belongs",
    ),
}
"""File -> the one rule that refuses it, and what it says first."""

WARNED: dict[str, tuple[str, str]] = {
    "b11-ipmi-alone": (
        "HA021",
        "pcmk-1 can be fenced only by ipmi-pcmk-1, which loses power with it",
    ),
    "b17-no-stickiness": (
        "HA029",
        "website has no stickiness: it moves whenever another member is as good",
    ),
}
"""File -> the one rule that warns of it, and what it says first; it is compiled all the same."""

BESIDE: dict[str, tuple[str, str, str]] = {
    "b6-beside-another": (
        "g7-two-load-balancers",
        "HA061",
        "one is virtual router 51, as one of g7-two-load-balancers is on the same segment",
    ),
    "b8-beside-keepalived": (
        "g7-two-load-balancers",
        "HA075",
        "192.0.2.101 belongs to keepalived (one) of g7-two-load-balancers and to Pacemaker (web)",
    ),
}
"""File -> the file beside which one rule refuses it, and what that says first; by itself it is good."""

GOOD = (
    "g1-active-passive",
    "g8-n-plus-1",
    "g7-two-load-balancers",
    "g6-qdevice",
    "g6-levels",
    "g2-drbd",
    "g4-mysql",
    "g5-tiebreaker",
)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_bad_cluster_is_refused_for_its_reason(name: str) -> None:
    _, findings = validate_topologies([CLUSTERS / f"{name}.yaml"])
    code, words = REFUSED[name]
    assert findings.has_errors
    assert {finding.code for finding in findings} == {code}, [f.summary for f in findings]
    assert words in [finding.summary for finding in findings]


@pytest.mark.parametrize("name", sorted(WARNED))
def test_a_weak_cluster_is_warned_of_for_its_reason(name: str) -> None:
    _, findings = validate_topologies([CLUSTERS / f"{name}.yaml"])
    code, words = WARNED[name]
    assert not findings.has_errors
    assert {finding.code for finding in findings} == {code}, [f.summary for f in findings]
    assert words in [finding.summary for finding in findings]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_cluster_passes_without_an_accepted_risk(name: str) -> None:
    file = CLUSTERS / f"{name}.yaml"
    _, findings = validate_topologies([file])
    assert [finding.summary for finding in findings] == []
    assert "accept_risks" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(BESIDE))
def test_a_cluster_that_is_bad_beside_another(name: str) -> None:
    other, code, words = BESIDE[name]
    files = [CLUSTERS / f"{other}.yaml", CLUSTERS / f"{name}.yaml"]
    for file in files:
        _, findings = validate_topologies([file])
        assert [finding.summary for finding in findings] == []
    _, findings = validate_topologies(files)
    assert findings.has_errors
    assert {finding.code for finding in findings} == {code}
    assert words in [finding.summary for finding in findings]


@pytest.mark.native
def test_a_lost_node_moves_nothing_but_its_own_service() -> None:
    """With three services kept apart, stickiness of one must not make its home look better than the spare to another."""
    simulated, findings = simulate_topologies(
        SimulationRequest((CLUSTERS / "g8-n-plus-1.yaml",), pairs=False)
    )
    assert not findings.has_errors, [finding.summary for finding in findings]
    ((_, simulation),) = simulated
    lost = {row.failures[0]: row for row in simulation.rows if row.failures[0].startswith("node:")}
    assert len(lost) == 4
    assert {name: row.collateral for name, row in lost.items()} == dict.fromkeys(lost, ())
    heirs = {name: [o.owners for o in row.outcomes if o.state is State.MOVES] for name, row in lost.items()}
    assert heirs == {f"node:active{n}": [("spare",)] for n in (1, 2, 3)} | {"node:spare": []}


def test_every_cluster_has_its_verdict() -> None:
    assert {path.stem for path in CLUSTERS.glob("*.yaml")} == {*REFUSED, *WARNED, *BESIDE, *GOOD}
