from __future__ import annotations

from dataclasses import replace

from hadeploy.design.placement import taken_along
from hadeploy.design.resources import INFINITY, Location, Order, Separation, Together
from hadeploy.design.room import Room, allowed_members


def homeless(design, lost=""):
    return Room(design, design.cluster).homeless(lost)


def changed(design, **parts):
    cluster = design.cluster
    return replace(design, cluster=replace(cluster, resources=replace(cluster.resources, **parts)))


def test_everybody_may_where_nothing_is_said(design_of):
    design = changed(design_of("n-plus-1"), locations=())
    assert allowed_members(design, "app-a") == ("a1", "a2", "s1")


def test_a_negative_score_bars(design_of):
    design = changed(design_of("n-plus-1"), locations=(Location("app-a", "a2", -1),))
    assert allowed_members(design, "app-a") == ("a1", "s1")
    assert allowed_members(design, "app-b") == ("a1", "a2", "s1")


def test_opt_in(design_of):
    design = design_of("n-plus-1", ("spare: s1", "spare: s1\npolicy: {symmetric: false}"))
    assert allowed_members(design, "app-a") == ("a1", "s1")


def test_a_volume_is_where_its_disks_are(design_of):
    design = design_of("active-passive-drbd")
    volume = design.volumes[0]
    lone = replace(volume, replicas=volume.replicas[:1])
    assert allowed_members(replace(design, volumes=(lone,)), volume.group) == (volume.replicas[0].member,)


def test_room_for_all(design_of):
    design = design_of("n-plus-1")
    assert [homeless(design, lost) for lost in ("", "a1", "a2", "s1")] == [(), (), (), ()]


def test_the_larger_one_finds_no_room(design_of):
    design = design_of("n-plus-1")
    members = tuple(
        replace(member, capacity=(("slots", 2),)) if member.name == "a1" else member
        for member in design.members
    )
    first, second = design.cluster.resources.groups
    design = replace(design, members=members)
    design = changed(design, groups=(replace(first, demand=(("slots", 2),)), second))
    assert [homeless(design, lost) for lost in ("", "a1", "a2", "s1")] == [(), ("app-a",), (), ()]
    assert homeless(changed(design, utilization=False), "a1") == ()


def test_those_apart_do_not_share(design_of):
    design = changed(
        design_of("n-plus-1"), separations=(Separation("app-a", "app-b", -INFINITY),), utilization=False
    )
    two = replace(design, members=design.members[:2])
    assert homeless(two) == ()
    assert homeless(two, "a1") == ("app-a",)


def test_a_companion_goes_along(design_of):
    together = (Together("app-a", "app-b"),)
    assert homeless(changed(design_of("n-plus-1"), togethers=together)) == ("app-a",)
    assert homeless(changed(design_of("n-plus-1"), togethers=together, utilization=False), "a1") == ()


def test_a_circle_ends(design_of):
    together = (Together("app-a", "app-b"), Together("app-b", "app-a"))
    assert homeless(changed(design_of("n-plus-1"), togethers=together, utilization=False)) == ()


def test_who_goes_along(design_of):
    plan = changed(
        design_of("n-plus-1"), togethers=(Together("app-b", "app-a"),), orders=(Order("app-a", "app-b"),)
    ).cluster.resources
    assert taken_along(plan, "app-b") == ("app-a",)
    assert taken_along(plan, "app-a") == ("app-b",)  # what stands on it is placed first
    ordered = changed(design_of("n-plus-1"), orders=(Order("app-a", "app-b"),)).cluster.resources
    assert taken_along(ordered, "app-b") == ("app-a",)
    assert taken_along(ordered, "app-a") == ()
