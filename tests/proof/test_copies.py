"""What failures do to replicated data, beyond what the scheduler knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeploy.app.simulate import SimulationRequest, simulate_topologies
from hadeploy.app.validate import load_valid
from hadeploy.design.patterns import expand
from hadeploy.proof.copies import Reach, why_not_promoted, why_not_written
from hadeploy.proof.matrix import State
from hadeploy.proof.recovery import predict, write_stalls

ROOT = Path(__file__).resolve().parents[2]
TIED = ROOT / "tests/rules/reference_clusters/g5-tiebreaker.yaml"


def reach(*heard, off=(), cut=()) -> Reach:
    return Reach(frozenset(heard), frozenset(off), frozenset(cut))


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (reach("n1", "n2"), ""),
        (reach("n1", "n2", cut=["repl"]), ""),
        (reach("n1", off=["n2"]), ""),
        (reach("n1"), "writes on data wait until n2 is known to be off"),
    ],
)
def test_a_primary_waits_until_its_peer_is_known_to_be_off(design_of, left, why):
    assert why_not_written(design_of("active-passive-drbd"), "web", "n1", left) == why


def test_a_primary_that_does_not_wait_for_fencing_writes_on(design_of):
    design = design_of("active-passive-drbd", ("protocol: C", "protocol: C\n    fencing: resource-only"))
    assert why_not_written(design, "web", "n1", reach("n1")) == ""


def test_a_synchronous_primary_waits_until_its_standby_is_known_to_be_off(streaming_of):
    assert (
        why_not_written(streaming_of(), "db", "n1", reach("n1"))
        == "commits of orders wait until n2 is known to be off"
    )
    assert why_not_written(streaming_of(), "db", "n1", reach("n1", off=["n2"])) == ""


def test_a_copy_that_fell_behind_is_not_promoted(design_of, streaming_of):
    design = design_of("active-passive-drbd")
    assert why_not_promoted(design, "web", "n1", "n2", reach("n2", off=["n1"])) == ""
    assert why_not_promoted(design, "web", "n1", "n1", reach("n1", "n2", cut=["repl"])) == ""
    behind = why_not_promoted(design, "web", "n1", "n2", reach("n2", off=["n1"], cut=["repl"]))
    assert behind.startswith("where repl is lost first, data on n2 is out of date")
    behind = why_not_promoted(streaming_of(), "db", "n1", "n2", reach("n2", off=["n1"], cut=["lan"]))
    assert behind.startswith("where lan is lost first, orders on n2 lacks commits")


@pytest.mark.parametrize(
    ("left", "on_no_quorum", "fencing", "writes"),
    [
        (reach("pcmk-1", "pcmk-2", "pcmk-3"), "io-error", "dont-care", "yes"),
        (reach("pcmk-1", "pcmk-2"), "io-error", "dont-care", "yes"),
        (reach("pcmk-1", "pcmk-3"), "io-error", "dont-care", "yes"),
        (reach("pcmk-1"), "io-error", "dont-care", "fail"),
        (reach("pcmk-1"), "suspend-io", "dont-care", "wait"),
        (reach("pcmk-1", "pcmk-2", "pcmk-3", cut=["drbd"]), "io-error", "dont-care", "fail"),
        # The handler says that the peer is out of date: for a write that was held back meanwhile in time.
        (reach("pcmk-1", off=["pcmk-2", "pcmk-3"]), "io-error", "resource-only", "fail"),
        (reach("pcmk-1", off=["pcmk-2", "pcmk-3"]), "suspend-io", "resource-only", "yes"),
        (reach("pcmk-1", off=["pcmk-3"]), "suspend-io", "resource-only", "wait"),
        (reach("pcmk-1", "pcmk-2", "pcmk-3", cut=["drbd"]), "suspend-io", "resource-only", "yes"),
    ],
)
def test_a_volume_with_a_quorum_is_written_where_it_has_one(tmp_path, left, on_no_quorum, fencing, writes):
    """Two copies and a tiebreaker."""
    text = TIED.read_text(encoding="utf-8").replace("io-error", f"{on_no_quorum}\n    fencing: {fencing}")
    file = tmp_path / "topology.yaml"
    file.write_text(text, encoding="utf-8")
    loaded, findings = load_valid(file)
    assert loaded is not None, [finding.summary for finding in findings]
    why = why_not_written(expand(loaded.topology), "website", "pcmk-1", left)
    assert why == ("" if writes == "yes" else f"web-data has no quorum on pcmk-1: writes {writes}")


@pytest.mark.native
@pytest.mark.parametrize(
    ("topology", "failures", "state"),
    [
        ("active-passive-drbd", ("link:repl",), State.STAYS),
        ("active-passive-drbd", ("node:n2", "fence:ipmi-n2"), State.UNWRITTEN),
        ("active-passive-drbd", ("node:n1", "link:repl"), State.STOPPED),
        ("active-passive-drbd", ("node:n1",), State.MOVES),
        ("postgresql-streaming", ("node:n2", "fence:ipmi-n2"), State.UNWRITTEN),
    ],
)
def test_the_matrix_says_so(topology, failures, state):
    file = ROOT / "inventories" / topology / "topology.yaml"
    ((_, simulation),), _ = simulate_topologies(SimulationRequest((file,), fail=failures))
    ((outcome,),) = (row.outcomes for row in simulation.rows)
    assert outcome.state is state
    assert bool(outcome.owners) is (state is not State.STOPPED)


@pytest.mark.native
def test_a_quorum_that_one_network_carries_is_no_survival_of_that_network():
    ((_, simulation),), _ = simulate_topologies(SimulationRequest((TIED,), fail=("link:drbd",)))
    assert simulation.violations == (
        "link:drbd: website may not write: web-data has no quorum on pcmk-1: writes fail",
    )


def stalls_of(design) -> dict[str, tuple[int, int]]:
    return {stall.lost: (stall.expected_ms, stall.worst_ms) for stall in write_stalls(design)}


def test_writes_wait_as_long_as_a_lost_peer_takes_to_be_fenced(design_of):
    """As the recovery of a member that hangs, up to its fencing; no head start but the device's own: it has no service."""
    design = design_of("active-passive-drbd")
    whole = next(each for each in predict(design) if str(each.mishap) == "hung-node:n2")
    fenced = [term.name for term in whole.terms].index("fence n2 by ipmi-n2") + 1
    (stall,) = (each for each in write_stalls(design) if each.lost == "n2")
    assert stall.terms == whole.terms[:fenced]
    slow = design_of("active-passive-drbd", ("token: 1s", "token: 5s"))
    assert stalls_of(slow)["n2"][0] > stalls_of(design)["n2"][0] + 4000


def test_a_primary_looks_once_more_before_it_goes_on_alone(streaming_of):
    (stall,) = (each for each in write_stalls(streaming_of()) if each.lost == "n2")
    look = stall.terms[-1]
    assert (look.name, look.best_ms, look.worst_ms) == ("the agent's next look at orders", 0, 4000)


def test_nothing_waits_where_nobody_waits_for_fencing(design_of, streaming_of):
    assert write_stalls(design_of("active-passive")) == ()
    alone = ("protocol: C", "protocol: C\n    fencing: resource-only")
    assert write_stalls(design_of("active-passive-drbd", alone)) == ()
    lagging = streaming_of(("replication: synchronous", "replication: asynchronous"))
    assert write_stalls(lagging) == ()
