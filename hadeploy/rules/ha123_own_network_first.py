"""HA123: the preferred link is not the clients' network."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None:
        return
    busy = {virtual.segment for virtual in case.design.virtual_addresses}
    first, *others = cluster.membership.links
    quiet = [link.segment for link in others if link.segment not in busy]
    if first.segment in busy and quiet:
        yield Found(
            f"the preferred link is {first.segment}, which clients use; {quiet[0]} is not",
            ("cluster", "links", 0),
            f"links: [{', '.join([*quiet, *(link.segment for link in (first, *others) if link.segment in busy)])}]",
        )


RULE = Rule(
    code="HA123",
    family=Family.QUORUM,
    severity=Severity.WARNING,
    title="The preferred cluster link is the cluster's own network, not the clients'",
    reason="in passive mode all traffic takes the first link while it is up: clients that fill it delay the token, and a "
    "healthy node looks lost",
    mend="put the network that no clients use first in cluster.links",
    source="corosync.conf(5), link_mode and knet_link_priority; SUSE HA administration guide: a dedicated network first",
    check=_check,
)
