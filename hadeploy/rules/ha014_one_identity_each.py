"""HA014: node ids, names and addresses belong to one machine each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule, far_apart, pairs_that_share


def _check(case: Case) -> Iterator[Found]:
    owners: dict[int, str] = {}
    for member in case.design.members:
        if member.node_id in owners:
            yield Found(
                f"{member.name} and {owners[member.node_id]} both have node id {member.node_id}",
                ("nodes", member.name, "node_id"),
                "give each node a node_id of its own, or leave them all out",
            )
        owners.setdefault(member.node_id, member.name)


def _check_across(cases: Sequence[Case]) -> Iterator[tuple[Case, Found]]:
    """Addresses that a node has in one topology and a node, or a virtual address, in another."""
    for earlier, later in pairs_that_share(cases, _addresses):
        if not far_apart(earlier, later):
            yield from ((later, found) for found in _collisions(earlier, later))


def _addresses(case: Case) -> Iterator[str]:
    for member in case.design.members:
        yield from (address for _, address in member.addresses)
    yield from (virtual.address for virtual in case.design.virtual_addresses)


def _collisions(earlier: Case, later: Case) -> Iterator[Found]:
    nodes = {address: member for member in earlier.design.members for _, address in member.addresses}
    floating = {virtual.address: virtual.name for virtual in earlier.design.virtual_addresses}
    name = earlier.design.name
    for member in later.design.members:
        for segment, address in member.addresses:
            place = ("nodes", member.name, "addresses", segment)
            other = nodes.get(address)
            if other is not None:
                yield Found(f"{address} is {member.name} here and {other.name} in topology {name}", place)
            elif address in floating:
                yield Found(f"{address} is {member.name} here, and floats in topology {name}", place)
    for virtual in later.design.virtual_addresses:
        if virtual.address in nodes:
            owner = nodes[virtual.address].name
            yield Found(
                f"{virtual.address} floats here, and is {owner} in topology {name}",
                ("virtual_addresses", virtual.name, "address"),
            )


RULE = Rule(
    code="HA014",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="Every node has a name, a node id and addresses that nobody else has",
    reason="two machines of one identity answer in turn: corosync mixes their votes up, clients reach whoever was heard last, "
    "and one machine in two topologies gets its files written over by each apply",
    mend="give each machine its own, and let one topology own it",
    source="corosync.conf(5), nodeid and name; corosync -t notices neither two names nor two addresses",
    check=_check,
    check_across=_check_across,
)
