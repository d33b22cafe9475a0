"""HA060: peers prove who they are where others are on the link."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    topology = case.clustered
    if topology is None:
        return
    clients = {virtual.network for virtual in topology.virtual_addresses.values()}
    for name, volume in case.volumes.items():
        if volume.authentication:
            continue
        place = ("volumes", name, "authentication")
        if volume.network in clients:
            yield Found(f"volume {name} trusts anyone on {volume.network}, where its clients are", place)
        elif volume.network == topology.management_network:
            yield Found(f"volume {name} trusts anyone on {volume.network}, the management network", place)


RULE = Rule(
    code="HA060",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="Peers prove with a shared secret who they are, unless the link is theirs alone",
    reason="whoever can open a connection to that port is taken for the peer, and receives or writes every block",
    mend="leave authentication out: hadeploy makes the secret and keeps it in the vault; or give "
    "replication a network of its own",
    source="drbd.conf(5), cram-hmac-alg and shared-secret",
    check=_check,
)
