"""Who is fenced in the end, where several sides may decide and devices may fail.

Each side's scheduler plans its own fencing. Here the plans meet: shots are fired in the order of the head starts, at
one instant together, and a side that is off fires no more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from hadeploy.design.design import Design
from hadeploy.design.race import head_start_ms
from hadeploy.proof.fencing import why_not


@dataclass(frozen=True, slots=True)
class Shot:
    """One fencing that a side plans.

    Attributes:
        side: index of the side.
        by: its members.
        target: who is to be off.
        reason: the scheduler's.
    """

    side: int
    by: tuple[str, ...]
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Fired:
    """What came of a shot.

    Attributes:
        shot: the plan.
        done: whether the target is off through it.
        fault: why it could not be done, empty if it was, or if the side was off before.
        mutual: the target shot back at the same instant.
    """

    shot: Shot
    done: bool
    fault: str
    mutual: bool


def fire(
    design: Design, shots: Sequence[Shot], broken: Collection[str], priorities: Mapping[str, int]
) -> tuple[Fired, ...]:
    """Fire all shots.

    Args:
        design: whose devices and delays.
        shots: of all sides.
        broken: devices that do not answer.
        priorities: of each member, the sum over what it runs.
    """
    cluster = design.cluster
    if cluster is None:
        return ()
    starts = {shot.target: head_start_ms(design, shot.target, priorities) for shot in shots}
    fired: list[Fired] = []
    off: set[str] = set()
    for _, instant in groupby(sorted(shots, key=lambda s: starts[s.target]), key=lambda s: starts[s.target]):
        ready = tuple(instant)
        alive = {shot for shot in ready if not set(shot.by) <= off}
        faults = {shot: why_not(cluster.fencing, shot.target, shot.by, broken) for shot in ready}
        hit = {shot for shot in alive if not faults[shot]}
        for shot in ready:
            mutual = any(other.target in shot.by and shot.target in other.by for other in hit) and shot in hit
            fired.append(Fired(shot, shot in hit, faults[shot] if shot in alive else "", mutual))
        off |= {shot.target for shot in hit}
    return tuple(fired)
