"""HA037: relations between services do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

Graph = dict[str, list[str]]


def _check(case: Case) -> Iterator[Found]:
    topology, cluster = case.clustered, case.design.cluster
    if topology is None or cluster is None:
        return
    plan = cluster.resources
    waits = _circle(_graph((each.then, each.first) for each in plan.orders))
    if waits:
        yield Found(f"{_chain(waits)}: each starts only after the next", ("services", waits[0]))
    follows = _circle(_graph((each.group, each.other) for each in plan.togethers))
    if follows and set(follows) != set(waits):
        yield Found(f"{_chain(follows)}: each goes where the next one is", ("services", follows[0]))
    together = {frozenset((each.group, each.other)) for each in plan.togethers}
    for name, group in topology.services.items():
        for index, other in enumerate(group.apart_from):
            if frozenset((name, other)) in together:
                yield Found(
                    f"{name} and {other} are to be together and apart",
                    ("services", name, "apart_from", index),
                )


def _graph(edges: Iterable[tuple[str, str]]) -> Graph:
    graph: Graph = {}
    for start, end in edges:
        graph.setdefault(start, []).append(end)
    return graph


def _circle(graph: Graph) -> tuple[str, ...]:
    """The first circle, each service once; empty where there is none."""
    done: set[str] = set()
    for start in graph:
        found = _search(graph, start, (), done)
        if found:
            return found
    return ()


def _search(graph: Graph, name: str, path: tuple[str, ...], done: set[str]) -> tuple[str, ...]:
    if name in path:
        return path[path.index(name) :]
    if name in done:
        return ()
    for other in graph.get(name, ()):
        found = _search(graph, other, (*path, name), done)
        if found:
            return found
    done.add(name)
    return ()


def _chain(names: tuple[str, ...]) -> str:
    return " -> ".join((*names, names[0]))


RULE = Rule(
    code="HA037",
    family=Family.PACEMAKER,
    severity=Severity.ERROR,
    title="No service waits for itself, and none is both together with and apart from another",
    reason="Pacemaker breaks a circle where it likes, or starts none of them",
    mend="take one of the relations out",
    source="Pacemaker Explained, Constraints; crm_simulate shows what a circle comes to",
    check=_check,
)
