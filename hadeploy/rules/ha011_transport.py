"""HA011: the transport is knet."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or cluster.membership.transport == "knet":
        return
    membership = cluster.membership
    broken = [f"the {len(membership.links)} links"] if len(membership.links) > 1 else []
    if membership.hash != "none":
        broken.append("the encryption")
    lost = f", without {' and '.join(broken)} that this cluster has" if broken else ""
    yield Found(f"the transport is {membership.transport}{lost}", ("cluster", "transport"))


RULE = Rule(
    code="HA011",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="The transport is knet",
    reason="udp and udpu have one link and no encryption: one cable splits the cluster, and whoever is on the wire reads the "
    "CIB with its fencing passwords, or joins",
    mend="leave transport out: knet is the default",
    source="corosync.conf(5), transport and crypto_cipher",
    check=_check,
)
