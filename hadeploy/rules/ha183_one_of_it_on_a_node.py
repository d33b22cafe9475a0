"""HA183: what a node has once, one member of one service runs there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from hadeploy.design.resources import INFINITY
from hadeploy.diagnostics import Severity
from hadeploy.rules.ha136_one_owner_of_data import owned_by
from hadeploy.rules.held_on_a_node import Held, apart_by_data, held_by
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.service import ServiceMember, SystemdMember
from hadeploy.spec.source import KeyPath


@dataclass(frozen=True, slots=True)
class _Holder:
    """A member, or a volume's mount, and what it holds."""

    name: str
    group: str
    place: KeyPath
    held: tuple[Held, ...]
    member: ServiceMember | None = None


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or cluster is None:
        return
    apart = {
        frozenset((each.group, each.other))
        for each in cluster.resources.separations
        if each.score <= -INFINITY
    }
    for first, second in combinations(_holders(case), 2):
        shared = _shared(case, first, second)
        if shared is None:
            continue
        if frozenset((first.group, second.group)) in apart:
            yield Found(
                f"{second.name} and {first.name} are kept apart, and each still finds {shared.what} of the other",
                second.place,
                "one service for both; until then, ask neither anew while the other runs (crm_resource --refresh)",
                Severity.WARNING,
            )
        else:
            yield Found(
                f"{second.name} and {first.name} may run on one node, and both have {shared.what}",
                second.place,
            )


def _holders(case: Case) -> list[_Holder]:
    topology = case.clustered
    if topology is None:
        return []
    found = [
        _Holder(
            volume.name,
            volume.group,
            ("volumes", volume.name, "mount"),
            (Held(f"directory {volume.mount}", ("path", "directory", volume.mount)),),
        )
        for volume in case.design.volumes
    ]
    for group, service in topology.services.items():
        for index, member in enumerate(service.members):
            held = held_by(topology.release, member)
            found.append(_Holder(member.name, group, ("services", group, "members", index), held, member))
    return found


def _shared(case: Case, first: _Holder, second: _Holder) -> Held | None:
    """What both hold; None also where another rule tells of the same pair (HA135, HA136)."""
    one, other = first.member, second.member
    if isinstance(one, SystemdMember) and isinstance(other, SystemdMember):
        return None
    release = case.design.release.name
    data = owned_by(release, one) if one is not None else None
    if data is not None and other is not None and data == owned_by(release, other):
        return None
    theirs = {held.key: held for held in second.held}
    common = [held for held in first.held if held.key in theirs and held.key[0] != "unit of"]
    sure = next((held for held in common if held.sure), None)
    if sure is not None:
        return sure
    if common and not apart_by_data(first.held, second.held):
        return common[0]
    return _started_beside(first.held, second.held) or _started_beside(second.held, first.held)


def _started_beside(one: tuple[Held, ...], other: tuple[Held, ...]) -> Held | None:
    """A unit that the one starts, and that the other names as its own program."""
    named = {held.key[1] for held in other if held.key[0] == "unit of"}
    return next((held for held in one if held.key[0] == "unit" and held.key[1] in named), None)


RULE = Rule(
    code="HA183",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="Two members of services hold the same thing of one node",
    reason="where both come to one node, the second finds the first's process and files and takes them for its own: when one "
    "service leaves it stops the other's, and a monitor, or a probe, tells Pacemaker that it runs on two nodes",
    mend="one service with both members' work; or files, sockets and ports of its own for each; apart_from between the two"
    " services keeps them off one node, and leaves the probes",
    source="OCF resource agent API: unique parameters; ocf_heartbeat_nfsserver(7): it binds one directory over /var/lib/nfs; "
    "Pacemaker Explained, Resources: multiple-active",
    check=_check,
)
