"""The model of an election held against real keepalived: who it says is master, state by state.

Every scenario is a design, rendered as an apply would, and a walk through the states of its members. All walks are walked at
the same time, each on a switch of its own.
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hadeploy.design.design import Design
from hadeploy.proof.election import GONE, Elector, Standing
from tests.proof.conftest import balanced_design
from tests.proof.wire import Wire

pytestmark = pytest.mark.native

CHECK = {
    "path": "/usr/local/sbin/answers",
    "interval": "1s",
    "timeout": "10s",
    "fall": 1,
    "rise": 1,
    "user": "nobody",
}
BASE = {
    "vrrp.advert_interval": "400ms",  # a machine with much else to do is late by more than a few of 100 ms
    "vrrp.track_processes": [],
    "networks.lan.subnets": ["10.72.1.0/24", "fd00:72:1::/64"],
}
THIRD = {"nodes.lb3": {"addresses": {"lan": ["10.72.1.13", "fd00:72:1::13"]}}}


def check(weight: int) -> dict[str, Any]:
    return {"vrrp.track_scripts": {"answers": {**CHECK, "weight": weight}}}


def ranked(**priorities: int) -> dict[str, Any]:
    return {"vrrp.addresses": {name: {"priorities": priorities} for name in ("site-a", "site-b")}}


@dataclass(frozen=True)
class Walk:
    """A design, and what happens to its members one after the other."""

    changes: tuple[dict[str, Any], ...]
    steps: tuple[tuple[str, ...], ...]


BOTH = (("start", "lb1"), ("start", "lb2"))

WALKS = {
    "preempts": Walk(
        (check(0), {"vrrp.preempt": True}),
        (
            *BOTH,
            ("fail", "lb1"),
            ("mend", "lb1"),
            ("fail", "lb2"),
            ("fail", "lb1"),  # nobody
            ("mend", "lb2"),
            ("mend", "lb1"),
        ),
    ),
    "stays": Walk(
        (check(0), {"vrrp.preempt": False}),
        (*BOTH, ("fail", "lb1"), ("mend", "lb1"), ("fail", "lb2"), ("kill", "lb1"), ("mend", "lb2")),
    ),
    # B5 of the known designs: it never fails over
    "weight-without-preemption": Walk(
        (check(-100), {"vrrp.preempt": False}),
        (*BOTH, ("fail", "lb1"), ("stop", "lb1"), ("start", "lb1"), ("mend", "lb1")),
    ),
    "weight-of-a-tie": Walk(
        (check(-50), {"vrrp.preempt": True}),
        (*BOTH, ("fail", "lb1"), ("fail", "lb2"), ("mend", "lb1")),
    ),
    "weight-enough-for-one": Walk(
        (THIRD, check(-60), {"vrrp.preempt": True}),
        (
            *BOTH,
            ("start", "lb3"),
            ("fail", "lb1"),
            ("fail", "lb2"),
            ("fail", "lb3"),
            ("stop", "lb1"),
            ("mend", "lb3"),
        ),
    ),
    "positive-weight": Walk(
        (check(60), {"vrrp.preempt": True}),
        (*BOTH, ("fail", "lb1"), ("fail", "lb2"), ("mend", "lb2"), ("mend", "lb1")),
    ),
    "equal-priorities": Walk(
        (check(0), {"vrrp.preempt": True}, ranked(lb1=100, lb2=100)),
        (*BOTH, ("stop", "lb1"), ("start", "lb1"), ("isolate", "lb1", "lb2"), ("join", "lb1", "lb2")),
    ),
    "split-and-healed": Walk(
        (THIRD, check(0), {"vrrp.preempt": False}),
        (
            ("start", "lb2"),
            ("start", "lb1"),
            ("start", "lb3"),
            ("unplug", "lb2"),
            ("plug", "lb2"),
            ("isolate", "lb1", "lb2", "lb3"),
            ("join", "lb1", "lb2", "lb3"),
        ),
    ),
}


@dataclass
class Model:
    """The same walk through the model: what is known of every member, and who is master of each address."""

    design: Design
    out: set[str]
    failed: dict[str, set[str]] = field(default_factory=dict)
    apart: bool = False
    masters: dict[str, frozenset[str]] = field(default_factory=dict)

    def take(self, step: tuple[str, ...]) -> None:
        verb, *members = step
        for member in members:
            match verb:
                case "fail":
                    self.failed.setdefault(member, set()).add("answers")
                case "mend":
                    self.failed[member].discard("answers")
                case "stop" | "kill" | "unplug":
                    self.out.add(member)
                case "start" | "plug":
                    self.out.discard(member)
        self.apart = (self.apart or verb == "isolate") and verb != "join"

    def expected(self) -> dict[str, frozenset[str]]:
        assert self.design.vrrp is not None
        members = [member.name for member in self.design.members]
        sides = [[member] for member in members] if self.apart else [members]
        for instance in self.design.vrrp.instances:
            elector = Elector.of(self.design.vrrp, instance)
            before = self.masters.get(instance.name, frozenset())
            winners = (
                elector.winner({name: self._standing(elector, name) for name in side}, *(before & set(side)))
                for side in sides
            )
            self.masters[instance.name] = frozenset(winner for winner in winners if winner)
        return dict(self.masters)

    def _standing(self, elector: Elector, member: str) -> Standing:
        if member in self.out:
            return GONE
        return elector.standing(member, self.failed.get(member, ()))


Seen = list[tuple[str, dict[str, frozenset[str]], dict[str, frozenset[str]]]]


def walk(number: int, name: str, folder: Path) -> Seen:
    """Each state's name, with the masters that the model and keepalived have in it."""
    (folder / name).mkdir()
    design = balanced_design(folder / name, BASE, *WALKS[name].changes)
    assert design.vrrp is not None
    model, seen = Model(design, {member.name for member in design.members}), []
    with Wire(f"hadeploy-{os.getpid()}-{number}", design) as wire:

        def look(state: str) -> None:
            assert design.vrrp is not None
            found = wire.owners(design.vrrp.instances)
            seen.append((state, model.expected(), found))

        for verb, *members in WALKS[name].steps:
            if verb in ("fail", "mend"):
                getattr(wire, verb)(*members, "answers")
            else:
                getattr(wire, verb)(*members)
            model.take((verb, *members))
            look(" ".join((verb, *members)))
    return seen


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All walks at the same time: what each saw, or why it ended."""
    if os.geteuid() != 0 or shutil.which("keepalived") is None:
        pytest.skip("network namespaces and keepalived need root and scripts/install-packages")
    folder = tmp_path_factory.mktemp("walks")
    with ThreadPoolExecutor(len(WALKS)) as pool:
        return {name: pool.submit(walk, number, name, folder) for number, name in enumerate(WALKS)}


@pytest.mark.parametrize("name", sorted(WALKS))
def test_keepalived_elects_whom_the_model_does(name: str, walks: dict[str, Any]) -> None:
    seen: Seen = walks[name].result()
    assert len(seen) == len(WALKS[name].steps)
    for state, expected, found in seen:
        assert found == expected, f"after {state}"


def test_there_are_states_enough() -> None:
    assert sum(len(one.steps) for one in WALKS.values()) >= 12
