"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hadeploy.design.design import Design
from hadeploy.design.recovery import Recovery
from hadeploy.diagnostics import Severity
from hadeploy.spec.database import Database
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.source import KeyPath
from hadeploy.spec.topology import ClusteredTopology
from hadeploy.spec.volume import Volume


class Family(StrEnum):
    """Codes by family: the hundreds and tens of a code tell where it belongs."""

    QUORUM = "quorum"  # HA001-HA019 and HA120-HA129: corosync and votequorum
    PACEMAKER = "pacemaker"  # HA020-HA046, without fencing
    FENCING = "fencing"  # HA020-HA029, where fencing is meant
    DRBD = "drbd"  # HA047-HA060
    VRRP = "vrrp"  # HA061-HA075
    HAPROXY = "haproxy"  # HA076-HA085
    REGIONS = "regions"  # HA086-HA095
    WORKLOADS = "workloads"  # HA096-HA100
    SECURITY = "security"  # HA101-HA109
    OBJECTIVES = "objectives"  # HA110-HA119
    # HA130-HA149: pacemaker and fencing, HA150-HA159: vrrp and haproxy, HA160-HA169: workloads, where the reference has
    # no number; HA180-HA189: pacemaker and fencing; HA190-HA192: security, of the firewall


@dataclass(frozen=True, slots=True)
class Case:
    """One topology under judgement, the design that follows from it, and how long its recoveries take."""

    loaded: LoadedTopology
    design: Design
    recoveries: tuple[Recovery, ...] = ()

    @property
    def clustered(self) -> ClusteredTopology | None:
        """What was written, of a pattern that Pacemaker serves; None of the others."""
        topology = self.loaded.topology
        return topology if isinstance(topology, ClusteredTopology) else None

    @property
    def volumes(self) -> Mapping[str, Volume]:
        """Replicated volumes as they were written; none where Pacemaker does not serve."""
        return self.clustered.volumes if self.clustered is not None else {}

    @property
    def databases(self) -> Mapping[str, Database]:
        """Databases that replicate by themselves, as they were written; none where Pacemaker does not serve."""
        return self.clustered.databases if self.clustered is not None else {}


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a rule is broken.

    Attributes:
        summary: what is wrong here, in one line, with the names of the thing.
        path: keys and indexes in the topology, down to the value that causes it; the nearest that exists is shown.
        mend: what to write instead here; the rule's own mend when empty.
        severity: where this place is worse or better than the rule's own; None for as bad as that.
    """

    summary: str
    path: KeyPath = ()
    mend: str = ""
    severity: Severity | None = None


Check = Callable[[Case], Iterator[Found]]
CheckAcross = Callable[[Sequence[Case]], Iterator[tuple[Case, Found]]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One design rule; topologies that break it, and that do not, are in its case file (``case_file.py``).

    Attributes:
        code: permanent, ``HA`` and three digits; the number is that of the rule in the reference where there is one.
        severity: an error refuses the design unless the risk is accepted by name.
        title: the rule in one line, as a demand ("A quorum device and two_node exclude each other").
        reason: what happens to the cluster when it is broken.
        mend: what to write instead, for every place.
        source: where the rule comes from: man page and section, project document, measurement.
        check: finds the places in one design.
        check_across: finds the places among several designs judged together; None for most rules.
    """

    code: str
    family: Family
    severity: Severity
    title: str
    reason: str
    mend: str
    source: str
    check: Check = field(repr=False)
    check_across: CheckAcross | None = field(default=None, repr=False)


def far_apart(one: Case, other: Case) -> bool:
    """Private addresses may be used again where no packet can tell: every node is in a region, none in one of the others'."""
    here, there = ({member.region for member in case.design.members} for case in (one, other))
    return "" not in here | there and not here & there


def pairs_that_share(
    cases: Sequence[Case], features: Callable[[Case], Iterable[Hashable]]
) -> Iterator[tuple[Case, Case]]:
    """Every two that have any feature in common, the earlier one first, in the order of the cases.

    Looked up by feature: of 250 topologies there are 31 000 pairs, and hardly any of them has anything in common.
    """
    seen: dict[Hashable, list[int]] = {}
    for number, case in enumerate(cases):
        mine = set(features(case))
        for before in sorted({other for feature in mine for other in seen.get(feature, ())}):
            yield cases[before], case
        for feature in mine:
            seen.setdefault(feature, []).append(number)
