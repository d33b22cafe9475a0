"""What a fault came to, as the network saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hadeploy.drill.ownership import Ownership
from hadeploy.drill.records import Records


@dataclass(frozen=True, slots=True)
class Outage:
    """What one client noticed. All times in seconds.

    Attributes:
        name: of the probe.
        seconds: the longest time between two requests that were served, less the probe's own interval.
        failed: requests that were not served.
        requests: how many were sent.
        servers: who answered, in order of first answer.
        over: whether the last request was served.
        began: when the longest of them began, monotonic.
    """

    name: str
    seconds: float
    failed: int
    requests: int
    servers: tuple[str, ...]
    over: bool
    began: float = 0.0


@dataclass(frozen=True, slots=True)
class PowerEvent:
    """What a BMC was told; ``at`` on the monotonic clock, when it was done."""

    at: float
    node: str
    command: str
    result: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One fault, from a healthy cluster to a healthy cluster.

    Attributes:
        fault: its name.
        victim: the member it struck.
        injected_at: monotonic seconds.
        restored_at: when it was undone, monotonic seconds.
        ownership: address -> its history.
        outages: probe -> what its client noticed.
        power: what the BMCs were told from the injection on.
        before: group or address -> member, before the fault.
        after: the same once all was well again.
        takeover_at: address -> when another member first answered for it, if one did.
        stall: the longest time that the observer itself stood still, because its machine was busy: a figure is no finer.
        records: of every writer, what became of what was acknowledged to it.
    """

    fault: str
    victim: str
    injected_at: float
    restored_at: float
    ownership: Mapping[str, Ownership]
    outages: Mapping[str, Outage]
    power: Sequence[PowerEvent]
    before: Mapping[str, str]
    after: Mapping[str, str]
    takeover_at: Mapping[str, float]
    stall: float = 0.0
    records: Sequence[Records] = ()

    @property
    def double_owners(self) -> list[str]:
        """Every sample in which two members answered for one address, as a sentence."""
        return [
            f"{sample.address} answered by {' and '.join(sorted(sample.owners))}"
            for ownership in self.ownership.values()
            for sample in ownership.double
        ]

    @property
    def moved(self) -> dict[str, tuple[str, str]]:
        """What ended elsewhere than it began."""
        return {
            name: (place, self.after.get(name, ""))
            for name, place in self.before.items()
            if self.after.get(name, "") != place
        }

    def fenced_before_takeover(self, address: str) -> bool:
        """Whether the victim was fenced before another member answered for the address."""
        return fenced_before(self.power, self.victim, self.takeover_at.get(address))


def fenced_before(power: Sequence[PowerEvent], victim: str, takeover: float | None) -> bool:
    """Whether the victim's BMC did what fencing asked of it before somebody took over; False where nobody did (None).

    Where the power was cut already, the agent sees that by the BMC's own word and only asks for power again.
    """
    done = [event.at for event in power if event.node == victim and event.result == "done"]
    return takeover is not None and bool(done) and min(done) <= takeover
