from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from hadeploy.daemons.pacemaker import share as pacemaker
from hadeploy.daemons.pacemaker.check import with_members_online
from hadeploy.daemons.pacemaker.notation import duration, score
from hadeploy.design.release import load_release
from hadeploy.design.secrets import Secret


def cib(design):
    return etree.fromstring(pacemaker.cluster_information_base(design).xml)


def pairs(root, path):
    return {pair.get("name"): pair.get("value") for pair in root.iterfind(f"{path}/nvpair")}


def properties(design):
    return pairs(cib(design), ".//cluster_property_set")


def with_priority(design, priority):
    plan = design.cluster.resources
    groups = tuple(replace(group, priority=priority) for group in plan.groups)
    return replace(design, cluster=replace(design.cluster, resources=replace(plan, groups=groups)))


def test_two_nodes_properties(two_nodes):
    assert properties(two_nodes) == {
        "cluster-name": "demo",
        "no-quorum-policy": "stop",
        "start-failure-is-fatal": "false",
        "stonith-enabled": "true",
        "stonith-timeout": "30s",
    }


def test_renamed_property_follows_the_release(two_nodes):
    release = replace(two_nodes.release, fencing_property_prefix="fencing")
    found = properties(replace(two_nodes, release=release))
    assert found["fencing-enabled"] == "true"
    assert "stonith-enabled" not in found


def test_three_nodes_properties(three_nodes):
    found = properties(three_nodes)
    assert found["concurrent-fencing"] == "true"
    assert found["placement-strategy"] == "balanced"


def test_priority_fencing_delay_is_twice_the_longest_delay(two_nodes, three_nodes):
    assert properties(with_priority(two_nodes, 10))["priority-fencing-delay"] == "10s"
    assert "priority-fencing-delay" not in properties(with_priority(two_nodes, 0))
    assert "priority-fencing-delay" not in properties(with_priority(three_nodes, 10))


def test_fence_device(two_nodes):
    root = cib(two_nodes)
    assert pairs(root, ".//primitive[@id='fence-n1']/instance_attributes") == {
        "ip": "203.0.113.1",
        "lanplus": "1",
        "password": "@@hadeploy:fence-n1.password@@",
        "pcmk_delay_base": "5s",
        "pcmk_host_list": "n1",
        "pcmk_off_timeout": "20s",
        "pcmk_reboot_timeout": "20s",
        "username": "admin",
    }
    assert "pcmk_delay_base" not in pairs(root, ".//primitive[@id='fence-n2']/instance_attributes")
    ban = root.find(".//rsc_location[@rsc='fence-n1']")
    assert (ban.get("node"), ban.get("score")) == ("n1", "-INFINITY")
    assert pairs(root, ".//rsc_defaults/meta_attributes") == {"resource-stickiness": "1"}


def test_secrets_are_listed_once(two_nodes):
    base = pacemaker.cluster_information_base(two_nodes)
    assert [secret.name for secret in base.secrets] == ["fence-n1.password", "fence-n2.password"]
    assert all(base.xml.count(secret.placeholder) == 1 for secret in base.secrets)


def test_a_password_is_read_from_a_command_where_the_agent_takes_one(two_nodes):
    """What the fence daemon itself puts into a device makes it another one at its next start (secret_files)."""
    base = pacemaker.cluster_information_base(two_nodes)
    assert {each.secret.name: (each.name, each.command) for each in base.printed} == {
        f"fence-{node}.password": (
            "password_script",
            f"/bin/cat /var/lib/pacemaker/lrm/secrets/fence-{node}/password",
        )
        for node in ("n1", "n2")
    }
    assert "cluster-recheck-interval" not in properties(two_nodes)


def with_devices(design, **changes):
    fencing = design.cluster.fencing
    devices = tuple(replace(device, **changes) for device in fencing.devices)
    return replace(design, cluster=replace(design.cluster, fencing=replace(fencing, devices=devices)))


def test_where_the_agent_takes_none_a_fencing_that_is_given_up_is_tried_again_within_a_minute(two_nodes):
    key = Secret("fence.secret_key", "env", "KEY")
    design = with_devices(two_nodes, agent="fence_aws", parameters=(("secret_key", key),))
    assert pacemaker.cluster_information_base(design).printed == ()
    assert properties(design)["cluster-recheck-interval"] == "60s"


def test_a_command_of_the_topology_s_own_stays(two_nodes):
    password = Secret("fence.password", "env", "PASSWORD")
    parameters = (("password", password), ("password_script", "/usr/local/bin/password"))
    assert pacemaker.cluster_information_base(with_devices(two_nodes, parameters=parameters)).printed == ()


def test_group_keeps_its_order_and_its_meta(two_nodes):
    group = cib(two_nodes).find(".//group")
    assert [member.get("id") for member in group.iterfind("primitive")] == ["web-site", "web-address"]
    assert pairs(group, "meta_attributes") == {
        "failure-timeout": "3600s",
        "migration-threshold": "3",
        "priority": "0",
        "resource-stickiness": "100",
    }
    site = group.find("primitive")
    assert (site.get("class"), site.get("provider"), site.get("type")) == (
        "systemd",
        None,
        "hadeploy-nginx@web",
    )
    assert [dict(op.attrib) for op in site.iterfind("operations/op")] == [
        {
            "id": "web-site-start-0s",
            "name": "start",
            "interval": "0s",
            "timeout": "20s",
            "on-fail": "restart",
        },
        {"id": "web-site-stop-0s", "name": "stop", "interval": "0s", "timeout": "20s", "on-fail": "fence"},
        {
            "id": "web-site-monitor-2500ms",
            "name": "monitor",
            "interval": "2500ms",
            "timeout": "20s",
            "on-fail": "restart",
        },
    ]


def test_placement(three_nodes):
    root = cib(three_nodes)
    assert pairs(root, ".//node[@uname='n2']/utilization") == {"cpu": "4"}
    assert pairs(root, ".//primitive[@id='db-site']/utilization") == {"cpu": "3"}
    assert root.find(".//primitive[@id='db-address']/utilization") is None
    apart = root.find(".//rsc_colocation")
    assert (apart.get("rsc"), apart.get("with-rsc"), apart.get("score")) == ("db", "web", "-1000")
    levels = [(x.get("target"), x.get("index"), x.get("devices")) for x in root.iterfind(".//fencing-level")]
    assert levels == [("n1", "1", "fence-n1"), ("n1", "2", "fence-n2,fence-n3")]


def test_ids_are_unique(three_nodes):
    ids = [e.get("id") for e in cib(three_nodes).iter() if e.get("id") and e.tag != "node"]
    assert len(ids) == len(set(ids))


def test_same_input_same_bytes(three_nodes):
    base = pacemaker.cluster_information_base
    assert base(three_nodes).xml == base(replace(three_nodes)).xml


def test_notation():
    assert [duration(ms) for ms in (0, 10_000, 1_500)] == ["0s", "10s", "1500ms"]
    assert [score(n) for n in (-1_000_000, -1000, 2_000_000)] == ["-INFINITY", "-1000", "INFINITY"]


def test_packages_of_agents(two_nodes):
    thirteen = replace(two_nodes, release=load_release("debian-13"))
    assert "fence-agents-ipmilan" in pacemaker.share(thirteen, thirteen.members[0]).packages
    assert "fence-agents" in pacemaker.share(two_nodes, two_nodes.members[0]).packages


def test_without_cluster_there_is_no_cib(active_active):
    assert pacemaker.cluster_information_base(active_active) is None
    assert pacemaker.share(active_active, active_active.members[0]) is None


@pytest.mark.native
@pytest.mark.parametrize("which", ["two_nodes", "three_nodes"])
@pytest.mark.parametrize("number", [0, 1])
def test_parser_takes_it(which, number, request, parser_host):
    base = pacemaker.cluster_information_base(with_priority(request.getfixturevalue(which), 5))
    good, said = parser_host.judge(base.checks[number], base.xml)
    assert good, said


@pytest.mark.native
def test_crm_verify_has_nothing_to_say_when_all_are_online(three_nodes, parser_host):
    base = pacemaker.cluster_information_base(three_nodes)
    check = replace(base.checks[1], accept=(0,))
    good, said = parser_host.judge(check, with_members_online(base.xml))
    assert good, said


@pytest.mark.native
def test_schema_refuses_an_unknown_element(two_nodes, parser_host):
    base = pacemaker.cluster_information_base(two_nodes)
    good, said = parser_host.judge(base.checks[0], base.xml.replace("rsc_location", "rsc_place"))
    assert not good, said


@pytest.mark.native
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('rsc="web"', 'rsc="nobody"'),
        ('id="web-address"', 'id="web-site"'),
        ('class="stonith"', 'class="ocf" provider="heartbeat"'),
    ],
)
def test_crm_verify_refuses_what_is_broken(old, new, two_nodes, parser_host):
    base = pacemaker.cluster_information_base(two_nodes)
    assert old in base.xml
    good, said = parser_host.judge(base.checks[1], base.xml.replace(old, new))
    assert not good, said
