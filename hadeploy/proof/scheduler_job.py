"""Ask Pacemaker's scheduler what it would do, and read its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from hadeploy.proof.job import Job, JobOutcome

PROGRAM = "crm_simulate"
SHADOW_DIRECTORY = "CIB_shadow_dir"
"""Environment variable: where crm_simulate keeps its working copy."""

UNFENCE = "Fence (on)"
"""A member gets back what a fencing took from it: nobody is cut off."""

STOPPING = frozenset({"stop", "demote"})
PROMOTED = frozenset({"Promoted", "Master"})
UNPROMOTED = frozenset({"Unpromoted", "Slave"})
STARTING = frozenset({"start", "move", "migrate", "recover", "restart", "reload", "promote"})


class SchedulerError(ValueError):
    """crm_simulate refused its input, or answered something unknown."""


@dataclass(frozen=True, slots=True)
class Action:
    """One step that the scheduler wants to take with a resource.

    Attributes:
        kind: start, stop, move, recover, restart and so on.
        source: where it runs, empty if nowhere.
        target: where it shall run, empty if nowhere.
        reason: the scheduler's own word, often empty.
        blocked: it cannot be done, because something that must come first cannot.
        promoted: whether it is promoted once this is done.
    """

    kind: str
    resource: str
    source: str
    target: str
    reason: str
    blocked: bool
    promoted: bool = False


@dataclass(frozen=True, slots=True)
class Fence:
    """A member that the scheduler has fenced, and its word for why."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the scheduler would do next."""

    fences: tuple[Fence, ...]
    actions: tuple[Action, ...]

    def placement_after(self, before: Mapping[str, str]) -> dict[str, str]:
        """Where resources run once it is done, and under ``promoted_key`` where they are promoted."""
        after = dict(before)
        for action in self.actions:
            if action.target and not action.blocked:
                after[action.resource] = action.target
                after.pop(promoted_key(action.resource), None)
                if action.promoted:
                    after[promoted_key(action.resource)] = action.target
            elif not (action.kind in STOPPING and action.blocked):
                after.pop(action.resource, None)
                after.pop(promoted_key(action.resource), None)
        return after


def promoted_key(instance: str) -> str:
    """Under which name a placement says where an instance is promoted: no resource is called so."""
    return f"{instance} promoted"


def version_job() -> Job:
    """Which Pacemaker judges."""
    return Job((PROGRAM, "--version"), seconds=10)


def read_version(outcome: JobOutcome) -> str:
    """Name and number: ``Pacemaker 2.1.5``; empty where the program is missing."""
    found = re.search(r"Pacemaker \S+", outcome.stdout)
    return found[0] if found else ""


def decision_job(cib: str) -> Job:
    """One decision on one CIB; nothing is executed, not even in simulation."""
    return Job((PROGRAM, "--xml-pipe", "--run", "--output-as=xml"), cib)


def steady_job(cib: str) -> Job:
    """One decision with its whole transition, which shows also what the summary leaves out (probes, monitors)."""
    return Job(
        (PROGRAM, "--xml-pipe", "--run", "--output-as=xml", "--save-graph=/dev/stderr"),
        cib,
    )


def read_decision(outcome: JobOutcome) -> Decision:
    """What the scheduler decided.

    Raises:
        SchedulerError: it did not decide.
    """
    if outcome.code != 0:
        words = " ".join((outcome.stderr or outcome.stdout).split())[:500]
        raise SchedulerError(f"{PROGRAM} ended with {outcome.code}: {words}")
    try:
        answer = etree.fromstring(outcome.stdout.encode())
    except etree.XMLSyntaxError as error:
        raise SchedulerError(f"{PROGRAM} answered no XML: {error}") from None
    holder = answer.find("actions")
    if holder is None:
        raise SchedulerError(f"{PROGRAM} named no actions")
    fences = tuple(
        Fence(node.get("node", ""), node.get("reason", ""))
        for node in holder.iterfind("node_action")
        if node.get("task", "").startswith("Fence") and node.get("task") != UNFENCE
    )
    return Decision(fences, tuple(_action(element) for element in holder.iterfind("rsc_action")))


def _action(element: etree._Element) -> Action:
    """``node`` is the target of a start and the place of all else that does not move."""
    kind = element.get("action", "")
    place = element.get("node", "")
    source = element.get("source", "" if kind == "start" else place)
    target = element.get("dest", place or source)
    if kind not in STOPPING | STARTING:
        raise SchedulerError(f"{PROGRAM} wants to {kind} {element.get('resource')}, which is not known here")
    next_role = element.get("next-role", "")
    # What is demoted runs on; only where it is stopped as well, the scheduler speaks of a stop.
    stays = kind == "demote" and next_role in UNPROMOTED
    return Action(
        kind=kind,
        resource=element.get("resource", ""),
        source=source,
        target="" if kind in STOPPING and not stays else target,
        reason=element.get("reason", ""),
        blocked=element.get("blocked") == "true",
        promoted=next_role in PROMOTED,
    )


REAL_STEPS = ("<rsc_op ", "<crm_event ")
"""Steps of a transition that somebody carries out; pseudo events (of utilization, among others) are bookkeeping."""


def is_idle(outcome: JobOutcome) -> bool:
    """Whether the scheduler wants nothing at all: no action in the summary, no step in the transition."""
    decision = read_decision(outcome)
    graph = outcome.stderr[outcome.stderr.find("<transition_graph") :]
    steps = any(step in graph for step in REAL_STEPS)
    return not decision.fences and not decision.actions and graph != "" and not steps
