"""Look before deciding: ask every host, once, for what a takeover will need; nothing is written before that holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hadeploy.app.status import StatusReader
from hadeploy.health.judge import judge_hosts
from hadeploy.health.problem import HostProblem
from hadeploy.health.questions import deep_questions
from hadeploy.observe.facts import HostFacts
from hadeploy.plan.observed import HostView

NAME = "HOST011"
UNASKED = "HOST010"

NOT_IN_LABS = ("HOST019", "HOST034")
"""Nodes of a lab take the clock of this machine, and their BMCs press no key."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a design's hosts before an apply.

    Attributes:
        views: in the order of the topology; the arbiter last.
        problems: what does not hold, errors first.
        seconds: how long it took.
    """

    views: tuple[HostView, ...]
    problems: tuple[HostProblem, ...]
    seconds: float = 0.0

    @property
    def facts(self) -> Mapping[str, HostFacts]:
        """Of hosts that answered."""
        return {view.host: view.facts for view in self.views if not view.error}

    @property
    def refused(self) -> bool:
        """Whether an apply must not start. A wrong host name alone is the playbook's to refuse, which says whose host it is."""
        return any(problem.is_error and problem.code != NAME for problem in self.problems)

    @property
    def answered(self) -> bool:
        """Whether all hosts could be asked, and are who the topology means."""
        return not any(problem.code in (NAME, UNASKED) for problem in self.problems)


def look_at_hosts(
    reader: StatusReader, *, lab: bool = False, foreign: Callable[[HostView], bool] = lambda _: False
) -> Look:
    """Ask all hosts of a reader at once: members, and the arbiter where it is set up.

    Args:
        reader: of the hosts.
        lab: whether they are nodes of a lab.
        foreign: whether a host is another deployment's. The playbook refuses it, and nothing else wrong with it matters.
    """
    design = reader.design
    began = time.monotonic()
    views = reader.observe(deep_questions(design))
    unasked = [_unasked(view) for view in views if view.error]
    strangers = {view.host for view in views if not view.error and foreign(view)}
    found = judge_hosts(design, {view.host: view.facts for view in views if not view.error})
    found = tuple(problem for problem in found if problem.host not in strangers)
    problems = [problem for problem in found if not (lab and problem.code in NOT_IN_LABS)]
    ordered = tuple(sorted((*unasked, *problems), key=lambda problem: not problem.is_error))
    return Look(views, ordered, round(time.monotonic() - began, 3))


def _unasked(view: HostView) -> HostProblem:
    return HostProblem(
        UNASKED,
        view.host,
        "it answers over SSH",
        view.error,
        f"see that SSH with the inventory's user and key reaches {view.host}, and that it has python3",
    )
