"""HA013: more than one cluster link."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is not None and len(cluster.membership.links) < 2:
        yield Found(f"the cluster has one link, {cluster.membership.links[0].segment}", ("cluster", "links"))


RULE = Rule(
    code="HA013",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="A cluster with state has two links or more, on networks that do not fail together",
    reason="with one link, one cable is enough to split the cluster: a healthy node is fenced",
    mend="name a second network in cluster.links",
    bad="cluster:\n  links: [ring]",
    good="cluster:\n  links: [ring, lan]",
    source="corosync.conf(5), linknumber; LINBIT: resource fencing needs two independent paths",
    check=_check,
)
