"""HA012: cluster messages are encrypted and signed."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    cluster = case.design.cluster
    if cluster is None or cluster.membership.transport != "knet":
        return  # HA011 speaks of these
    if cluster.membership.hash == "none":
        yield Found("cluster messages are not signed", ("cluster", "crypto", "hash"))
    if cluster.membership.cipher == "none":
        yield Found("cluster messages are not encrypted", ("cluster", "crypto", "cipher"))


RULE = Rule(
    code="HA012",
    family=Family.QUORUM,
    severity=Severity.ERROR,
    title="Cluster messages are encrypted and signed",
    reason="corosync's own default is neither: whoever is on a link may join, or read the CIB with its fencing passwords; "
    "a cipher without a hash is refused by corosync itself",
    mend="leave crypto out: aes256 and sha256 are the default",
    source="corosync.conf(5), crypto_cipher, crypto_hash and secauth",
    check=_check,
)
