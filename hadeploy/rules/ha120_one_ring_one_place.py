"""HA120: one cluster stays within one region."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

FARTHEST_MS = 10
"""A round trip of a metropolitan link; beyond, membership changes and writes wait for the distance."""


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    regions = list(dict.fromkeys(member.region for member in case.design.members if member.region))
    for link in cluster.membership.links:
        trip = case.design.segment(link.segment).round_trip_ms
        if trip is not None and trip > FARTHEST_MS:
            yield Found(
                f"a round trip on the cluster link {link.segment} takes {trip}ms",
                ("networks", link.segment, "round_trip"),
            )
        elif trip is None and len(regions) > 1:
            yield Found(
                f"one ring across the regions {' and '.join(regions)}, over {link.segment} of unknown round trip",
                ("cluster", "links", link.number),
            )


RULE = Rule(
    code="HA120",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="One corosync ring does not cross regions: its nodes are at most 10 ms apart",
    reason="every message goes round all members in order: far apart, each write waits for it, a slow line counts as a lost "
    "node, and when the line between two regions fails, no fencing device can be reached across it",
    mend="one cluster in each region, and a booth ticket between them; for two buildings on a metropolitan line write its "
    "measured networks.<name>.round_trip, at most 10ms",
    source="Pacemaker Explained, multi-site clusters; RHEL support policies: at most 10 ms of round trip",
    check=_check,
)
