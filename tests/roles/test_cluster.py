"""What hadeploy_cluster reads from corosync's own answers."""

from __future__ import annotations

import pytest

CONFIGURATION = """\
totem {
    version: 2
}
quorum {
    provider: corosync_votequorum
    %s
    device {
        model: net
    }
}
"""


def answer(flags: str) -> str:
    return f"Nodes:            3\nQuorate:          Yes\n\nQuorum:           2\nFlags:            Quorate {flags}\n"


def test_members_and_quorum(cluster):
    assert cluster.lacking_in_corosync(answer(""), ["a", "b", "c"]) == ""
    assert "3 of 4" in cluster.lacking_in_corosync(answer(""), ["a", "b", "c", "d"])
    assert cluster.lacking_in_corosync("", ["a"]) == "corosync does not answer"


@pytest.mark.parametrize(
    ("option", "flag"),
    [
        ("wait_for_all", "WaitForAll"),
        ("last_man_standing", "LastManStanding"),
        ("auto_tie_breaker", "AutoTieBreaker"),
    ],
)
def test_options_that_a_reload_leaves_as_they_were(cluster, option, flag):
    assert cluster.not_taken(answer(flag), CONFIGURATION % f"{option}: 1") == []
    (wrong,) = cluster.not_taken(answer(""), CONFIGURATION % f"{option}: 1")
    assert wrong == f"{option} is on in the file and off in corosync"
    left = cluster.not_taken(answer(flag), CONFIGURATION % "")
    assert left == ([] if option == "wait_for_all" else [f"{option} is off in the file and on in corosync"])


def test_what_two_node_switches_on_is_no_fault(cluster):
    assert cluster.not_taken(answer("2Node WaitForAll"), CONFIGURATION % "two_node: 1") == []
