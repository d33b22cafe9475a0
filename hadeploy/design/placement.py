"""Where groups may run and with whom: what the pattern gives, and what is written beside it."""

from __future__ import annotations

from hadeploy.design.resources import INFINITY, Group, Location, Order, ResourcePlan, Separation, Together
from hadeploy.spec.service import ServiceGroup

Services = dict[str, ServiceGroup]


def merge_locations(services: Services, given: tuple[Location, ...]) -> tuple[Location, ...]:
    """The pattern's scores, each replaced by the one that is written for the same group and member."""
    written = {
        (name, member): score for name, group in services.items() for member, score in group.locations.items()
    }
    kept = [
        Location(each.group, each.member, written.pop((each.group, each.member), each.score))
        for each in given
    ]
    return (*kept, *(Location(group, member, score) for (group, member), score in written.items()))


def expand_togethers(services: Services) -> tuple[Together, ...]:
    """Groups that share a member, each pair once."""
    return tuple(
        Together(name, other)
        for name, group in services.items()
        for other in dict.fromkeys((*group.on_top_of, *group.together_with))
    )


def expand_orders(services: Services) -> tuple[Order, ...]:
    """Groups that start after others, each pair once."""
    return tuple(
        Order(other, name)
        for name, group in services.items()
        for other in dict.fromkeys((*group.on_top_of, *group.after))
    )


def merge_separations(services: Services, given: tuple[Separation, ...]) -> tuple[Separation, ...]:
    """What is written as apart never meets; what is written as together is not driven apart by its pattern."""
    together = {frozenset((each.group, each.other)) for each in expand_togethers(services)}
    apart = [
        (name, other)
        for name, group in services.items()
        for other in dict.fromkeys(group.apart_from)
        if other != name
    ]
    strict = {frozenset(pair): pair for pair in reversed(apart)}
    kept = tuple(
        each for each in given if frozenset((each.group, each.other)) not in together | strict.keys()
    )
    return (*kept, *(Separation(group, other, -INFINITY) for group, other in reversed(strict.values())))


def taken_along(plan: ResourcePlan, group: str) -> tuple[str, ...]:
    """Groups whose failure moves or restarts this one, in the order of the plan: those beside it, those before it."""
    found = {group}
    while True:
        beside = {each.other for each in plan.togethers if each.group in found}
        beside |= {each.group for each in plan.togethers if each.other in found}
        before = {each.first for each in plan.orders if each.then in found}
        if beside | before <= found:
            return tuple(each.name for each in plan.groups if each.name in found - {group})
        found |= beside | before


def started_before(plan: ResourcePlan, group: str) -> tuple[Group, ...]:
    """Groups that this one waits for, in the order in which they start; a circle ends where it closes."""
    found: dict[str, None] = {}

    def visit(name: str, waiting: frozenset[str]) -> None:
        for order in plan.orders:
            if order.then == name and order.first not in waiting:
                visit(order.first, waiting | {name})
                found.setdefault(order.first)

    visit(group, frozenset({group}))
    groups = {each.name: each for each in plan.groups}
    return tuple(groups[name] for name in found if name in groups)
