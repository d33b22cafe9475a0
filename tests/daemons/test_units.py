from __future__ import annotations

from dataclasses import replace

import pytest

from hadeploy.daemons.units import share as units
from hadeploy.design.resources import Resource


def states(design):
    share = units.share(design, design.members[0])
    return [(unit.name, unit.enabled, unit.running) for unit in share.units]


def test_clustered_units_are_left_to_pacemaker(two_nodes):
    assert states(two_nodes) == [("hadeploy-nginx@web.service", False, None)]


def test_other_units_run_from_boot(active_active):
    assert states(active_active) == [("hadeploy-nginx@web.service", True, True)]


def test_units_of_other_members_are_not_ours(two_nodes):
    elsewhere = tuple(replace(unit, members=("n2",)) for unit in two_nodes.units)
    assert units.share(replace(two_nodes, units=elsewhere), two_nodes.members[0]) is None


STATD = "/etc/systemd/system/rpc-statd.service.d/hadeploy.conf"


def serving(design, **parameters):
    """The design with an NFS server in its first group."""
    cluster = design.cluster
    first, *rest = cluster.resources.groups
    server = Resource("nfs-server", "ocf", "heartbeat", "nfsserver", tuple(parameters.items()), ())
    group = replace(first, resources=(server, *first.resources))
    return replace(
        design, cluster=replace(cluster, resources=replace(cluster.resources, groups=(group, *rest)))
    )


@pytest.mark.parametrize("wish", [True, "true", "YES", "1"])
def test_a_server_of_nfs_4_alone_has_no_status_monitor_beside_it(two_nodes, find, wish):
    """Nor anything else that outlives it: the agent could not unmount where that works, and a failed stop is fenced."""
    for member in two_nodes.members:
        share = units.share(serving(two_nodes, nfsv4_only=wish), member)
        assert find(share, STATD).content.endswith("[Unit]\nConditionPathExists=!/\n")
        monitor = next(unit for unit in share.units if unit.name == "rpc-statd.service")
        assert (monitor.enabled, monitor.running) == (False, False)


@pytest.mark.parametrize("parameters", [{}, {"nfsv4_only": False}, {"nfsv4_only": "no"}, {"nfsv4_only": "y"}])
def test_one_of_nfs_3_has_its_own(two_nodes, find, parameters):
    share = units.share(serving(two_nodes, **parameters), two_nodes.members[0])
    (only,) = share.artifacts
    assert only.path == "/etc/systemd/system/nfsdcld.service.d/hadeploy.conf"
    assert only.content.endswith("[Unit]\nPartOf=nfs-server.service\n")
    assert "rpc-statd.service" not in {unit.name for unit in share.units}
