"""What differs between DRBD 8.4 and 9, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of DRBD.

    Attributes:
        fencing_section: where the ``fencing`` policy stands.
        fence_peer: handler that has the cluster keep the peer from being promoted.
        unfence_peer: its undoing, once the peer is up to date again. The kernel calls it since 8.4.5; before, there was
            only after-resync-target, which comes too early where a resource has several volumes.
        node_ids: whether hosts have a ``node-id``.
        resource_options: what else the ``options`` section gets: 9 would promote on open, behind Pacemaker's back.
        rate_key: what a fixed resync rate is called.
        parser: the program that reads its files whatever module is loaded. ``drbdadm`` itself follows the module, and
            refuses the files of 8.4 where none is.
    """

    fencing_section: str
    fence_peer: str
    unfence_peer: str
    node_ids: bool
    resource_options: tuple[tuple[str, str], ...]
    rate_key: str
    parser: str


GENERATIONS: Mapping[str, Generation] = {
    "8.4": Generation(
        fencing_section="disk",
        fence_peer="/usr/lib/drbd/crm-fence-peer.sh",
        unfence_peer="/usr/lib/drbd/crm-unfence-peer.sh",
        node_ids=False,
        resource_options=(),
        rate_key="resync-rate",
        parser="/lib/drbd/drbdadm-84",
    ),
    "9": Generation(
        fencing_section="net",
        fence_peer="/usr/lib/drbd/crm-fence-peer.9.sh",
        unfence_peer="/usr/lib/drbd/crm-unfence-peer.9.sh",
        node_ids=True,
        resource_options=(("auto-promote", "no"),),
        rate_key="resync-rate",
        parser="/sbin/drbdadm",
    ),
}
