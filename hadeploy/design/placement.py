"""Where groups may run and with whom: what the pattern gives, and what is written beside it."""

from __future__ import annotations

from hadeploy.design.resources import INFINITY, Location, Order, Separation, Together
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
