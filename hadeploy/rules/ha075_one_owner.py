"""HA075: one address, two managers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from hadeploy.design.design import Design
from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule, far_apart, pairs_that_share
from hadeploy.spec.service import OcfMember
from hadeploy.spec.source import KeyPath
from hadeploy.spec.topology import ActiveActive

ADDRESS_AGENTS = ("ocf:heartbeat:IPaddr2", "ocf:heartbeat:IPaddr", "ocf:heartbeat:IPv6addr")


class _Holder(NamedTuple):
    """Who brings an address up, and where that is written."""

    address: str
    words: str
    place: KeyPath


def _check(case: Case) -> Iterator[Found]:
    for earlier, later in combinations([*_nodes(case.design), *_floating(case)], 2):
        # what is not an agent's own address has been told apart before (SPEC032)
        if earlier.address == later.address and "services" in later.place:
            yield Found(f"{later.address} belongs to {earlier.words} and to {later.words}", later.place)


def _check_across(cases: Sequence[Case]) -> Iterator[tuple[Case, Found]]:
    """Where a node has the address of the others', HA014 says so."""
    for one, other in pairs_that_share(cases, lambda case: (each.address for each in _floating(case))):
        if far_apart(one, other):
            continue
        earlier = {holder.address: holder for holder in _floating(one)}
        for later in _floating(other):
            if later.address in earlier:
                words = earlier[later.address].words
                yield (
                    other,
                    Found(
                        f"{later.address} belongs to {words} of {one.design.name} and to {later.words}",
                        later.place,
                    ),
                )


def _nodes(design: Design) -> Iterator[_Holder]:
    for member in design.members:
        for segment, address in member.addresses:
            yield _Holder(address, f"node {member.name}", ("nodes", member.name, "addresses", segment))


def _floating(case: Case) -> Iterator[_Holder]:
    manager = {"vrrp": "keepalived", "pacemaker": "Pacemaker"}
    for virtual in case.design.virtual_addresses:
        words = f"{manager[virtual.owner]} ({virtual.name})"
        yield _Holder(virtual.address, words, ("virtual_addresses", virtual.name, "address"))
    if isinstance(case.loaded.topology, ActiveActive):
        return
    for name, group in case.loaded.topology.services.items():
        for index, member in enumerate(group.members):
            if isinstance(member, OcfMember) and member.agent in ADDRESS_AGENTS:
                address = member.parameters.get("ip") or member.parameters.get("ipv6addr")
                if isinstance(address, str):
                    place = ("services", name, "members", index, "parameters", "ip")
                    yield _Holder(address, f"the agent of {member.name}", place)


RULE = Rule(
    code="HA075",
    family=Family.VRRP,
    severity=Severity.ERROR,
    title="A floating address has one manager: keepalived or one resource of Pacemaker",
    reason="two managers hold it on two members at once, and neighbours send to the one they heard last",
    mend="write the address under virtual_addresses of one topology, and name it in one service or frontend",
    source="ARP knows one owner of an address (RFC 826, RFC 5227); keepalived -t takes one address in two instances",
    check=_check,
    check_across=_check_across,
)
