"""What is derived, held against the rule it follows."""

from __future__ import annotations

from itertools import pairwise


def test_two_members_are_two_node_and_wait_for_all(design_of):
    quorum = design_of("active-passive").cluster.membership.quorum
    assert (quorum.two_node, quorum.wait_for_all, quorum.device) == (True, True, None)


def test_a_quorum_device_excludes_two_node(design_of):
    device = "cluster:\n  quorum_device: {host: arbiter, address: 10.71.1.50}\n"
    quorum = design_of("active-passive", ("cluster:\n", device)).cluster.membership.quorum
    assert not quorum.two_node
    assert (quorum.device.host, quorum.device.algorithm) == ("arbiter", "ffsplit")


def test_consensus_is_1_2_times_the_effective_token(design_of):
    assert design_of("active-passive").cluster.membership.consensus_ms == 1200
    assert design_of("n-plus-1").cluster.membership.consensus_ms == (1000 + 650) * 12 // 10


def test_what_is_written_about_votes_and_timing_stands(design_of):
    quorum = "cluster:\n  quorum: {auto_tie_breaker: [s1, a1], last_man_standing: true, expected_votes: 3}\n"
    design = design_of("n-plus-1", ("cluster:\n", quorum))
    written = design.cluster.membership.quorum
    assert (written.two_node, written.auto_tie_breaker, written.expected_votes) == (False, "3 1", 3)
    timing = design_of("n-plus-1", ("token: 1s", "token: 2s\n  token_coefficient: 100ms\n  consensus: 9s"))
    assert timing.cluster.membership.consensus_ms == 9000
    assert timing.cluster.membership.token_coefficient_ms == 100


def test_wait_for_all_is_derived_where_votequorum_needs_it(design_of):
    def wait_for_all(pattern, options):
        return design_of(
            pattern, ("cluster:\n", f"cluster:\n{options}\n")
        ).cluster.membership.quorum.wait_for_all

    assert not wait_for_all("n-plus-1", "")
    assert wait_for_all("n-plus-1", "  quorum: {last_man_standing: true}")
    assert wait_for_all("n-plus-1", "  quorum: {auto_tie_breaker: lowest}")
    assert not wait_for_all("active-passive", "  quorum: {auto_tie_breaker: lowest}")
    device = "  quorum_device: {host: arbiter, address: 10.71.1.50, algorithm: %s}"
    assert wait_for_all("active-passive", device % "lms")
    assert not wait_for_all("active-passive", device % "ffsplit")


def test_a_node_id_that_is_written_stands(design_of):
    design = design_of("n-plus-1", ("  a2:\n", "  a2:\n    node_id: 17\n"))
    assert [member.node_id for member in design.members] == [1, 17, 3]


def test_links_are_preferred_in_their_order(design_of):
    links = design_of("active-passive").cluster.membership.links
    assert [(link.number, link.segment, link.knet_priority) for link in links] == [
        (0, "ring", 2),
        (1, "lan", 1),
    ]


def test_a_written_delay_is_kept_and_a_missing_one_is_made_for_one_side_only(design_of):
    written = design_of("active-passive").cluster.fencing.devices
    assert [device.delay_ms for device in written] == [2000, 0]
    made = design_of("active-passive", ("      delay: 2s ", "      # ")).cluster.fencing.devices
    assert [device.delay_ms for device in made] == [5000, 0]


def test_three_members_need_no_delay(design_of):
    assert {device.delay_ms for device in design_of("n-plus-1").cluster.fencing.devices} == {0}


def test_a_fence_device_avoids_its_own_target(design_of):
    assert [d.avoids for d in design_of("active-passive").cluster.fencing.devices] == [("n1",), ("n2",)]


def test_addresses_come_last_in_their_group(design_of):
    (group,) = design_of("active-passive").cluster.resources.groups
    assert [resource.name for resource in group.resources] == ["web-server", "web-address"]


def test_a_failed_stop_is_answered_by_fencing_and_every_resource_is_monitored(design_of):
    for group in design_of("n-plus-1").cluster.resources.groups:
        for resource in group.resources:
            operations = {operation.name: operation for operation in resource.operations}
            assert operations["stop"].on_fail == "fence"
            assert operations["monitor"].interval_ms > 0


def test_the_spare_is_heir_and_never_pulls(design_of):
    resources = design_of("n-plus-1").cluster.resources
    scores = {(location.group, location.member): location.score for location in resources.locations}
    for group in resources.groups:
        home = next(m for g, m in scores if g == group.name and m != "s1")
        assert (
            scores[group.name, "s1"] < scores[group.name, home] < scores[group.name, "s1"] + group.stickiness
        )
    (separation,) = resources.separations
    assert separation.score < 0
    assert resources.utilization


def test_vrrp_priorities_are_distinct_and_the_master_leads(design_of):
    vrrp = design_of("active-active").vrrp
    for instance, master in zip(vrrp.instances, ("lb1", "lb2"), strict=True):
        ranked = sorted(instance.priorities, key=lambda pair: -pair[1])
        assert ranked[0][0] == master
        assert all(higher > lower for (_, higher), (_, lower) in pairwise(ranked))
        assert all(1 <= priority <= 254 for _, priority in ranked)


def test_router_ids_differ_and_do_not_depend_on_their_neighbours(design_of):
    both = {i.name: i.virtual_router_id for i in design_of("active-active").vrrp.instances}
    assert len(set(both.values())) == 2
    chosen = design_of(
        "active-active", ("site-b: {master: lb2}", "site-b: {master: lb2, virtual_router_id: 7}")
    )
    ids = {i.name: i.virtual_router_id for i in chosen.vrrp.instances}
    assert ids == {"site-a": both["site-a"], "site-b": 7}


def test_unicast_where_the_segment_has_no_multicast(design_of):
    cloud = design_of("active-active", ("    interface: lan0", "    interface: lan0\n    multicast: false"))
    assert {i.unicast for i in cloud.vrrp.instances} == {True}
    assert cloud.vrrp.instances[0].sources == (("lb1", "10.72.1.11"), ("lb2", "10.72.1.12"))


def test_every_clustered_unit_is_left_to_pacemaker(design_of):
    assert all(unit.clustered for unit in design_of("active-passive").units)
    assert not any(unit.clustered for unit in design_of("active-active").units)


def test_the_firewall_lets_in_corosync_from_members_only(design_of):
    flows = [flow for flow in design_of("active-passive").flows if flow.protocol == "udp"]
    assert [flow.ports for flow in flows] == [(5405,), (5406,)]
    assert flows[0].sources == ("10.71.2.11", "10.71.2.12")


def test_from_the_third_service_on_the_heir_outweighs_the_stickiness_of_others(design_of):
    def scores(*changes):
        plan = design_of("n-plus-1", *changes).cluster.resources
        return {each.score for each in plan.locations}, {each.score for each in plan.separations}

    assert scores() == ({150, 100}, {-1000})
    third = """
  app-c:
    members:
      - {kind: nginx, name: app-c-server, port: 8083}
      - {kind: nginx, name: app-c-admin, port: 8084}
    prefers: a1
    stickiness: 300
secrets_vault"""
    # what binds the second of its two resources, and the usual score above that
    assert scores(("\nsecrets_vault", third)) == ({450, 400}, {-4000})
