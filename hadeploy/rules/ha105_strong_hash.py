"""HA105: cluster messages are signed with a hash of the SHA-2 family."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

OLD = ("md5", "sha1")


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is not None and cluster.membership.hash in OLD:
        yield Found(
            f"cluster messages are signed with {cluster.membership.hash}", ("cluster", "crypto", "hash")
        )


RULE = Rule(
    code="HA105",
    family=Family.SECURITY,
    severity=Severity.WARNING,
    title="Cluster messages are signed with sha256 or longer",
    reason="md5 and sha1 are broken as hashes, refused where a host runs in FIPS mode, and gain nothing here; corosync's "
    "parser accepts them",
    mend="hash: sha256",
    source="corosync.conf(5), crypto_hash; NIST SP 800-131A",
    check=_check,
)
