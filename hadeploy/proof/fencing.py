"""Whether every member can be fenced, by a way that does not depend on that member."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from hadeploy.design.design import Cluster, Design
from hadeploy.design.fencing import FencingDevice, FencingPlan, levels_of
from hadeploy.design.race import head_start_ms, priority_fencing_delay_ms, race_breaker
from hadeploy.proof.failures import segment_of


@dataclass(frozen=True, slots=True)
class FencingPath:
    """One level of one member.

    Attributes:
        level: index, from 1; devices of a member without levels are tried one after the other.
        devices: that must all succeed.
        independent: works although the member is dead, its power with it.
        broken: why the path can never work, empty if it can.
        remark: what it depends on.
    """

    target: str
    level: int
    devices: tuple[str, ...]
    independent: bool
    broken: str
    remark: str


@dataclass(frozen=True, slots=True)
class Inequality:
    """A demand on timeouts: ``left >= right``, in milliseconds."""

    name: str
    left: str
    left_ms: int
    right: str
    right_ms: int

    @property
    def holds(self) -> bool:
        """Whether it is met."""
        return self.left_ms >= self.right_ms


@dataclass(frozen=True, slots=True)
class FencingProof:
    """What is known of the fencing of all members.

    Attributes:
        enabled: False only where that risk was accepted by name.
        paths: every level of every member.
        unfenceable: members without any path that works.
        only_own_power: members all of whose paths die with their own power.
        race: two-member clusters: who has the head start, or that nobody has; empty elsewhere.
        race_broken: whether exactly one member survives a two-member race.
        inequalities: of timeouts.
        remarks: weaknesses that refuse nothing.
    """

    enabled: bool
    paths: tuple[FencingPath, ...]
    unfenceable: tuple[str, ...]
    only_own_power: tuple[str, ...]
    race: str
    race_broken: bool
    inequalities: tuple[Inequality, ...]
    remarks: tuple[str, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """Why it does not hold, in sentences."""
        return (
            *(f"{name} cannot be fenced" for name in self.unfenceable),
            *(
                f"level {path.level} of {path.target} can never succeed: {path.broken}"
                for path in self.paths
                if path.broken
            ),
            *(() if self.race_broken else (f"race of two: {self.race}",)),
            *(
                f"{one.name}: {one.left} {one.left_ms} ms is below {one.right} {one.right_ms} ms"
                for one in self.inequalities
                if not one.holds
            ),
        )

    @property
    def holds(self) -> bool:
        """Whether every member can be fenced, races end with one survivor, and all timeouts fit."""
        return self.enabled and not self.faults


def why_not(plan: FencingPlan, target: str, by: Collection[str], broken: Collection[str]) -> str:
    """Why ``by`` cannot fence ``target``, in words; empty when one of its levels works."""
    levels = levels_of(plan, target)
    if not levels:
        return f"no device can fence {target}"
    reasons = [_level_fault(plan, target, level, by, broken) for level in levels]
    return "" if "" in reasons else "; ".join(dict.fromkeys(reasons))


def _level_fault(
    plan: FencingPlan, target: str, level: Sequence[str], by: Collection[str], broken: Collection[str]
) -> str:
    devices = {device.name: device for device in plan.devices}
    for name in level:
        device = devices.get(name)
        if device is None:
            return f"{name} is not a device"
        if target not in device.targets:
            return f"{name} cannot fence {target}"
        if name in broken:
            return f"{name} does not answer"
        if not any(member not in device.avoids for member in by if member != target):
            return f"{name} may run on no member that is left"
    return ""


def prove_fencing(design: Design, own_power: Collection[str] = ()) -> FencingProof | None:
    """Judge the fencing of a design; None where there is no cluster.

    Args:
        design: whose fencing.
        own_power: devices that lose power with their target (on-board BMCs).
    """
    cluster = design.cluster
    if cluster is None:
        return None
    plan = cluster.fencing
    names = [member.name for member in design.members]
    paths = (
        tuple(path for name in names for path in _paths(plan, name, names, own_power)) if plan.enabled else ()
    )
    only_own_power = tuple(
        name
        for name in names
        if plan.enabled and not any(path.independent for path in paths if path.target == name)
    )
    race, race_broken = _race(design, plan, names)
    return FencingProof(
        enabled=plan.enabled,
        paths=paths,
        unfenceable=tuple(name for name in names if why_not(plan, name, names, ())),
        only_own_power=only_own_power,
        race=race,
        race_broken=race_broken,
        inequalities=tuple(_inequalities(design, cluster)) if plan.enabled else (),
        remarks=tuple(_remarks(design, cluster, only_own_power)),
    )


def _paths(
    plan: FencingPlan, target: str, names: Sequence[str], own_power: Collection[str]
) -> Iterator[FencingPath]:
    for index, level in enumerate(levels_of(plan, target), start=1):
        dying = tuple(name for name in level if name in own_power)
        fault = _level_fault(plan, target, level, names, ())
        yield FencingPath(
            target=target,
            level=index,
            devices=tuple(level),
            independent=not dying and not fault,
            broken=fault,
            remark=f"{', '.join(dying)} loses power with {target}" if dying else "",
        )


def _race(design: Design, plan: FencingPlan, names: Sequence[str]) -> tuple[str, bool]:
    """Two members that see nothing of each other shoot at once unless one of them must wait.

    With an arbiter only one of them is quorate, so there is no race.
    """
    cluster = design.cluster
    if cluster is None or not plan.enabled or len(names) != 2:
        return "", True
    if cluster.membership.quorum.device is not None:
        return "the quorum device lets only one of the two decide", True
    breaker = race_breaker(design)
    if not breaker:
        first, second = names
        wait = head_start_ms(design, first, {})
        return f"{first} and {second} wait equally long ({wait} ms): both may be shot", False
    return breaker, True


def _inequalities(design: Design, cluster: Cluster) -> Iterator[Inequality]:
    plan, membership = cluster.fencing, cluster.membership
    for device in plan.devices:
        yield Inequality(
            f"{device.name} ends within the cluster's bound",
            "stonith-timeout",
            plan.timeout_ms,
            "delay + attempt",
            device.longest_delay_ms + device.timeout_ms,
        )
        if device.monitor_interval_ms:
            yield Inequality(
                f"{device.name} is asked no faster than it answers",
                "monitor interval",
                device.monitor_interval_ms,
                "monitor timeout",
                device.monitor_timeout_ms,
            )
    token = membership.token_ms + max(0, len(design.members) - 2) * membership.token_coefficient_ms
    yield Inequality(
        "members agree on who is left before the next token is lost",
        "consensus",
        membership.consensus_ms,
        "1.2 x token",
        token * 12 // 10,
    )
    priority = priority_fencing_delay_ms(design, cluster)
    if priority:
        yield Inequality(
            "the important member's head start outlasts every device's own",
            "priority-fencing-delay",
            priority,
            "2 x longest delay",
            2 * max((device.longest_delay_ms for device in plan.devices), default=0),
        )


def _remarks(design: Design, cluster: Cluster, only_own_power: Sequence[str]) -> Iterator[str]:
    if not cluster.fencing.enabled:
        yield "fencing is off: a service may be started while its last owner still runs it"
    for name in only_own_power:
        yield (
            f"{name}'s only fence devices lose power with it: when its power fails, its services wait for a person"
        )
    links = {link.segment for link in cluster.membership.links}
    for device in cluster.fencing.devices:
        segment = _segment(design, device)
        if segment in links and len(links) == 1:
            yield f"{device.name} is reached over {segment}, the only cluster link: one fault takes both"


def _segment(design: Design, device: FencingDevice) -> str | None:
    return segment_of(design, dict(device.parameters).get("ip"))
