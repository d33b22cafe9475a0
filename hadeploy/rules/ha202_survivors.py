"""HA202: more nodes are to fail than the design has to spare."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.membership import Quorum
from hadeploy.design.room import allowed_members
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

PLACE = ("objectives", "survives")


def _check(case: Case) -> Iterator[Found]:
    survives, nodes = case.loaded.topology.objectives.survives, len(case.design.members)
    if survives == 0:
        return
    if survives >= nodes:
        yield Found(
            f"{survives} of {nodes} nodes may fail at once, and none is left",
            PLACE,
            f"survives: {nodes - 1} at most",
        )
        return
    most = _with_quorum(case)
    if survives > 1 and most < survives:
        yield Found(
            f"{survives} of {nodes} nodes may fail at once, and the others have no quorum",
            PLACE,
            f"survives: {most}, or more nodes, or a quorum_device with algorithm: lms",
        )
        return
    for what, name, count in _copies(case):
        if survives > 1 and count <= survives:
            yield Found(
                f"{survives} nodes may fail at once, and {what} {name} is on {count}",
                PLACE,
                f"survives: {count - 1}, or more nodes for {name}",
            )


def _with_quorum(case: Case) -> int:
    """How many may fail at once, those with the most votes, until the others are no majority."""
    cluster = case.design.cluster
    if cluster is None:
        return len(case.design.members) - 1
    quorum = cluster.membership.quorum
    if quorum.two_node:
        return 1
    votes = sorted(member.votes for member in case.design.members)
    device = _device_votes(quorum, len(votes))
    total = sum(votes) + device
    most = 0
    while votes and 2 * (sum(votes[:-1]) + device) > total:
        votes.pop()
        most += 1
    return most


def _device_votes(quorum: Quorum, nodes: int) -> int:
    if quorum.device is None:
        return 0
    derived = 1 if quorum.device.algorithm == "ffsplit" else nodes - 1
    return derived if quorum.device.votes is None else quorum.device.votes


def _copies(case: Case) -> Iterator[tuple[str, str, int]]:
    """(what, name, on how many nodes) of all that cannot be started anywhere else."""
    for volume in case.design.volumes:
        yield "volume", volume.name, len(volume.diskful)
    for database in case.design.databases:
        yield "database", database.name, len(database.names)
    for name in case.clustered.services if case.clustered is not None else ():
        yield "service", name, len(allowed_members(case.design, name))


RULE = Rule(
    code="HA202",
    family=Family.OBJECTIVES,
    severity=Severity.ERROR,
    title="More nodes may fail at once than the design can lose",
    reason="the promise cannot be kept: after such a fault nothing runs",
    mend="a lower objectives.survives, or more nodes",
    source="votequorum(5), overview: a majority of the votes; RFC 5798, 1: one router takes over",
    check=_check,
)
