from __future__ import annotations

from dataclasses import replace

from hadeploy.daemons.sysctl import share as sysctl

PATH = "/etc/sysctl.d/60-hadeploy.conf"


def settings(design, find):
    content = find(sysctl.share(design, design.members[0]), PATH).content
    return [line for line in content.splitlines() if line and not line.startswith("#")]


def test_both_families(active_active, find):
    assert settings(active_active, find) == ["net.ipv4.ip_nonlocal_bind = 1", "net.ipv6.ip_nonlocal_bind = 1"]


def test_only_families_that_are_bound(active_active, find):
    plan = active_active.balancer
    four = tuple(replace(frontend, binds=frontend.binds[:1]) for frontend in plan.frontends)
    design = replace(active_active, balancer=replace(plan, frontends=four))
    assert settings(design, find) == ["net.ipv4.ip_nonlocal_bind = 1"]


def test_each_setting_is_explained(active_active, find):
    lines = find(sysctl.share(active_active, active_active.members[0]), PATH).content.splitlines()
    assert all(lines[n - 1].startswith("# ") for n, line in enumerate(lines) if "=" in line)


def test_nothing_where_pacemaker_owns_the_addresses(two_nodes):
    assert sysctl.share(two_nodes, two_nodes.members[0]) is None
