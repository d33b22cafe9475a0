from __future__ import annotations

from dataclasses import replace

from hadeploy.daemons.units import share as units


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
