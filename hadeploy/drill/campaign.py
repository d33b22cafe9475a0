"""One mishap after the other, with recovery between; what was broken is mended whatever happens."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from hadeploy.design.design import Design
from hadeploy.design.durations import Durations
from hadeploy.design.recovery import Mishap, Recovery
from hadeploy.drill.cases import hold_of, homes, placed
from hadeploy.drill.drill import (
    Blow,
    NotWell,
    ReadStatus,
    Scene,
    strike_and_watch,
    wait_until_well,
)
from hadeploy.drill.errors import DrillError
from hadeploy.drill.judgement import Finding, judge_verdict
from hadeploy.drill.measure import measured_terms, samples_of
from hadeploy.drill.world import RECOVERY_SECONDS, World
from hadeploy.lab.errors import LabError
from hadeploy.lab.observer import Probe
from hadeploy.plan.status import Status
from hadeploy.plan.timeline import Timeline
from hadeploy.proof.recovery import predict


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a drill is.

    Attributes:
        number: of the mishap, from 1.
        total: mishaps.
        mishap: which.
        doing: what is done right now.
        finding: what came of it, once that is known.
    """

    number: int
    total: int
    mishap: Mishap
    doing: str
    finding: Finding | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """What a drill needs.

    Attributes:
        design: what the cluster should be.
        world: where it takes place.
        probes: clients, one a virtual address.
        read_status: asks the members how they are.
        durations: measured ones, for predictions.
        read_timeline: reads the members' journals since a moment (seconds since the epoch); None where nothing is to be read.
        endless: whether to bring about also what lasts as long as it is held.
        recovery_seconds: bound on every wait.
    """

    design: Design
    world: World
    probes: tuple[Probe, ...]
    read_status: ReadStatus
    durations: Durations
    read_timeline: Callable[[float], Timeline] | None = None
    endless: bool = False
    recovery_seconds: float = RECOVERY_SECONDS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a drill came to.

    Attributes:
        findings: in the order of the mishaps.
        stopped: why it ended before its last mishap; empty where it did not.
        interrupted: whether a person ended it.
    """

    findings: tuple[Finding, ...]
    stopped: str = ""
    interrupted: bool = False

    @property
    def held(self) -> bool:
        """Whether everything was as predicted, to the end."""
        return not self.stopped and all(finding.held for finding in self.findings)


Tell = Callable[[Progress], None]


def run_campaign(campaign: Campaign, mishaps: Sequence[Mishap], tell: Tell) -> Outcome:
    """Bring about each mishap; ends early where the cluster does not recover, or at an interrupt."""
    findings: list[Finding] = []
    for number, mishap in enumerate(mishaps, start=1):
        say = partial(_say, tell, number, len(mishaps))
        try:
            finding = _one(campaign, mishap, say)
        except (NotWell, LabError, DrillError) as error:
            words = _words(error)
            broken = Finding(mishap, faults=(words,))
            say(mishap, "done", broken)
            findings.append(broken)
            if not _rescued(campaign, partial(say, mishap)):
                return Outcome(tuple(findings), stopped=f"{mishap}: {words}")
            continue
        except KeyboardInterrupt:
            return Outcome(tuple(findings), stopped=f"interrupted in {mishap}", interrupted=True)
        findings.append(finding)
        say(finding.mishap, "done", finding)
    return Outcome(tuple(findings))


def _rescued(campaign: Campaign, say: Callable[[str], None]) -> bool:
    """Whether the cluster is well again after what a person would do; a drill goes on only from there."""
    say("it does not recover: links and power are put back")
    try:
        campaign.world.rescue()
        wait_until_well(campaign.read_status, campaign.recovery_seconds)
    except (NotWell, LabError, DrillError):
        return False
    return True


def _words(error: NotWell | LabError | DrillError) -> str:
    if isinstance(error, NotWell):
        return str(error)
    return f"{error.message} ({error.mend})" if error.mend else error.message


def _say(
    tell: Tell, number: int, total: int, mishap: Mishap, doing: str, finding: Finding | None = None
) -> None:
    tell(Progress(number, total, mishap, doing, finding))


def _one(campaign: Campaign, wish: Mishap, say: Callable[[Mishap, str], None]) -> Finding:
    design, world = campaign.design, campaign.world
    say(wish, "waiting until all is well")
    status = wait_until_well(campaign.read_status, campaign.recovery_seconds)
    status = _bring_home(campaign, status, partial(say, wish))
    holders = holders_of(design, status)
    mishap = placed(design, wish, holders)
    if mishap is None:
        return Finding(wish, skipped="its service runs nowhere")
    reason = world.why_not(mishap)
    if reason:
        return Finding(mishap, skipped=reason)
    predicted = _predicted(design, campaign.durations, holders, mishap)
    endless = next((each.endless for each in predicted.values() if each.endless), "")
    if endless and not campaign.endless:
        return Finding(mishap, skipped=f"it would last as long as it is held: {endless}")
    hold = hold_of(design, mishap, predicted.values())
    scene = Scene(
        design,
        campaign.probes,
        campaign.read_status,
        watch=lambda addresses: world.watch(dict(addresses), campaign.probes),
        power_events=world.power_events,
        writers=world.writers,
    )
    blow = Blow(str(mishap), mishap.member, partial(world.strike, mishap), partial(world.restore, mishap))
    say(mishap, "struck; clients are watching")
    epoch = time.time() - time.monotonic()
    verdict = strike_and_watch(
        scene,
        blow,
        until=hold.until,
        hold_seconds=hold.seconds,
        recovery_seconds=campaign.recovery_seconds,
    )
    finding = judge_verdict(
        design,
        mishap,
        verdict,
        predicted,
        sees_fencing=world.sees_fencing,
        load=os.getloadavg()[0] / (os.cpu_count() or 1),
    )
    if campaign.read_timeline is None:
        return finding
    struck_at = epoch + verdict.injected_at
    timeline = campaign.read_timeline(struck_at)
    return replace(
        finding,
        terms=tuple(measured_terms(timeline, struck_at)),
        samples=tuple(samples_of(design, mishap, timeline)),
    )


def _bring_home(campaign: Campaign, status: Status, say: Callable[[str], None]) -> Status:
    """Each mishap starts from where the topology wants its services."""
    where = holders_of(campaign.design, status)
    away = {group: home for group, home in homes(campaign.design).items() if where.get(group) != home}
    if not away:
        return status
    for group, home in away.items():
        say(f"bringing {group} home to {home}")
        campaign.world.bring_home(group, home)
    return wait_until_well(campaign.read_status, campaign.recovery_seconds)


def holders_of(design: Design, status: Status) -> dict[str, str]:
    """Service -> the member that serves it."""
    if design.cluster is not None:
        return {group.name: group.node for group in status.groups if group.node and not group.broken}
    return {address.name: address.holders[0] for address in status.addresses if len(address.holders) == 1}


def _predicted(
    design: Design, durations: Durations, holders: Mapping[str, str], mishap: Mishap
) -> dict[str, Recovery]:
    return {
        recovery.service: recovery
        for recovery in predict(design, durations, holders)
        if recovery.mishap == mishap
    }
