"""Work on all nodes of a lab at once."""

from __future__ import annotations

import os
from threading import Event

import pytest

from hadeploy.lab import lab
from hadeploy.lab.errors import LabError
from hadeploy.lab.state import LabState, Process


def test_when_one_fails_the_others_give_up_at_once(plan_of):
    gave_up = Event()

    def work(node, give_up):
        if node.name == "n1":
            raise LabError("LAB024", "n1 does not answer")
        assert give_up.wait(30), "it would have waited for its whole time"
        gave_up.set()

    with pytest.raises(LabError, match="n1"):
        lab._all_at_once(plan_of("x").nodes, work)
    assert gave_up.is_set()


def test_waiting_for_a_node_ends_when_it_is_told_to_give_up(machines_state, monkeypatch):
    def nobody_answers(*_, **__):
        raise LabError("LAB012", "no route to host")

    monkeypatch.setattr(lab, "run", nobody_answers)
    give_up = Event()
    give_up.set()
    with pytest.raises(LabError) as ended:
        lab.wait_for_ssh(machines_state, "n1", 600, give_up)
    assert ended.value.code == "LAB024"


@pytest.fixture
def machines_state(plan_of):
    return LabState(plan_of("x"), Process.of(os.getpid()))
