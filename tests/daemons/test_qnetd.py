from __future__ import annotations

from dataclasses import replace

import pytest

from hadeploy.daemons.qdevice import share as qdevice
from hadeploy.daemons.qnetd import share as qnetd

OPTIONS = "/etc/default/corosync-qnetd"


@pytest.fixture
def managed(arbitrated):
    """The arbiter of the arbitrated design, set up by an apply."""

    def make(**more):
        membership = arbitrated.cluster.membership
        device = replace(membership.quorum.device, management_address="203.0.113.9", **more)
        quorum = replace(membership.quorum, device=device)
        cluster = replace(arbitrated.cluster, membership=replace(membership, quorum=quorum))
        return replace(arbitrated, cluster=cluster)

    return make


def options(design, find) -> str:
    return find(qnetd.arbiter_share(design), OPTIONS).content.splitlines()[1]


def test_members_must_start_tls(managed, find):
    assert options(managed(), find) == 'COROSYNC_QNETD_OPTIONS="-s req"'
    assert options(managed(port=5999), find) == 'COROSYNC_QNETD_OPTIONS="-s req -p 5999"'
    assert options(managed(tls="on"), find) == 'COROSYNC_QNETD_OPTIONS=""'


def test_clusters_that_share_an_arbiter_write_the_same_bytes(managed, find):
    one, other = managed(), replace(managed(), name="other")
    assert find(qnetd.arbiter_share(one), OPTIONS) == find(qnetd.arbiter_share(other), OPTIONS)


def test_the_arbiter_runs_and_starts_at_boot(managed):
    share = qnetd.arbiter_share(managed())
    assert share.host == "arbiter"
    assert share.packages == ("corosync-qnetd",)
    (unit,) = share.units
    assert (unit.name, unit.enabled, unit.running) == ("corosync-qnetd.service", True, True)


def test_an_arbiter_of_others_has_no_share(arbitrated, two_nodes):
    assert qnetd.arbiter_share(arbitrated) is None
    assert qnetd.arbiter_share(two_nodes) is None
    assert qdevice.share(two_nodes, two_nodes.members[0]) is None
