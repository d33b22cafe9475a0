"""Nodes that a person chose for a service, against those that have its data."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from hadeploy.diagnostics import Span
from hadeploy.spec.source import SourceMap
from hadeploy.spec.topology import ClusteredTopology, NPlusOne


def chosen_elsewhere(
    topology: ClusteredTopology, source: SourceMap, service: str, able: Collection[str]
) -> Iterator[tuple[str, Span]]:
    """Each node that is written for a service, and is none of those that can run it, with its place."""
    wanted = [(topology.services[service].prefers, source.span("services", service, "prefers"))]
    if isinstance(topology, NPlusOne):
        wanted.append((topology.spare, source.span("spare")))
    for node, place in wanted:
        if node is not None and node in topology.nodes and node not in able:
            yield node, place
