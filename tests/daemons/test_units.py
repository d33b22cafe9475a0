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


def drop_ins(share):
    """Each unit with the one setting that it is given."""
    return {
        artifact.path.split("/")[-2].removesuffix(".d"): artifact.content.splitlines()[-1]
        for artifact in share.artifacts
    }


@pytest.mark.parametrize("parameters", [{}, {"nfsv4_only": False}, {"nfsv4_only": "no"}, {"nfsv4_only": "y"}])
def test_one_of_nfs_3_has_its_own(two_nodes, parameters):
    share = units.share(serving(two_nodes, **parameters), two_nodes.members[0])
    follows = "PartOf=nfs-server.service"
    assert drop_ins(share) == {"nfsdcld.service": follows, "rpc-statd-notify.service": follows}
    assert not {"rpc-statd.service", "rpc-statd-notify.service"} & {unit.name for unit in share.units}


VENDORS = {
    "debian-12": {
        "nfs-mountd": "BindsTo", "nfs-idmapd": "BindsTo", "rpc-svcgssd": "PartOf",
        "nfsdcld": "", "rpc-statd": "", "rpc-statd-notify": "",
    },
    "debian-13": {
        "nfs-mountd": "BindsTo", "nfs-idmapd": "BindsTo", "rpc-svcgssd": "PartOf",
        "nfsdcld": "", "rpc-statd": "", "rpc-statd-notify": "", "fsidd": "",
    },
}  # fmt: skip
"""What nfs-server.service brings along (Wants=, Requires=, RequiredBy= of the others; nfs-kernel-server 2.6.2 and 2.8.3), and
by which setting of the vendor's it goes down with the server; empty where it does not."""


@pytest.mark.parametrize("release", VENDORS)
@pytest.mark.parametrize("wish", [True, False])
def test_nothing_that_the_server_brings_along_outlives_it(design_of, release, wish):
    """rpc-statd of NFSv3 is the agent's own to stop."""
    design = design_of("active-passive", ("release: debian-12", f"release: {release}"))
    found = drop_ins(units.share(serving(design, nfsv4_only=wish), design.members[0]))
    left = {
        name
        for name, goes_by in VENDORS[release].items()
        if not goes_by
        and found.get(f"{name}.service") not in ("PartOf=nfs-server.service", "ConditionPathExists=!/")
    }
    assert left == (set() if wish else {"rpc-statd"})
    assert found.keys() <= {f"{name}.service" for name in ("nfs-server", *VENDORS[release])}
    # what is ordered before the server is stopped after it: the server's own stop waits for it
    assert ("fsidd.service" in found.get("nfs-server.service", "")) == ("fsidd" in VENDORS[release])
