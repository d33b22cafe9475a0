"""What each host is asked before an apply."""

from __future__ import annotations

import pytest

from hadeploy.health.questions import deep_questions, fence_doors, on_board

IPMI = "agent: fence_ipmilan\n      targets: [n2]"


def doors(design):
    return {device.name: (address, port, protocol) for device, address, port, protocol in fence_doors(design)}


def test_ipmi_is_asked_by_udp_at_its_own_port_or_a_written_one(design_of):
    assert doors(design_of("active-passive"))["ipmi-n2"] == ("10.71.9.112", 623, "udp")
    other = ("ip: 10.71.9.112", "ip: 10.71.9.112\n        ipport: 6230")
    assert doors(design_of("active-passive", other))["ipmi-n2"] == ("10.71.9.112", 6230, "udp")


@pytest.mark.parametrize(
    ("agent", "more", "door"),
    [
        ("fence_redfish", "", ("10.71.9.112", 443, "tcp")),
        ("fence_apc", "plug: 3", ("10.71.9.112", 23, "tcp")),
        ("fence_apc", "plug: 3\n        ssh: true", ("10.71.9.112", 22, "tcp")),
        ("fence_apc_snmp", "plug: 3", None),
    ],
)
def test_others_are_asked_at_the_port_that_their_agent_takes(design_of, agent, more, door):
    changes = [(IPMI, IPMI.replace("fence_ipmilan", agent))]
    if more:
        changes.append(("ip: 10.71.9.112", f"ip: 10.71.9.112\n        {more}"))
    text_of_n2 = ("        ip: 10.71.9.112\n        lanplus: true\n", "        ip: 10.71.9.112\n")
    if more:
        text_of_n2 = (f"        {more}\n        lanplus: true\n", f"        {more}\n")
    assert doors(design_of("active-passive", *changes, text_of_n2)).get("ipmi-n2") == door


def test_a_device_is_asked_from_the_nodes_that_may_use_it(design_of):
    questions = deep_questions(design_of("active-passive"))
    assert [each["device"] for each in questions["n1"]["fencing"]] == ["ipmi-n2"]
    assert [each["device"] for each in questions["n2"]["fencing"]] == ["ipmi-n1"]


def test_peers_are_asked_on_every_cluster_link_and_on_nothing_else(design_of):
    design = design_of("active-passive")
    asked = {(each["source"], each["target"]) for each in deep_questions(design)["n1"]["pings"]}
    links = {segment.name for segment in design.segments} - {"bmc"}
    n1, n2 = design.members
    assert asked == {(n1.on(link)[0], n2.on(link)[0]) for link in links}


def test_the_arbiter_is_asked_too_where_it_is_set_up(design_of):
    design = design_of("quorum-device")
    questions = deep_questions(design)
    assert set(questions) == {*(member.name for member in design.members), design.arbiter.host}
    assert {"source": "", "target": design.arbiter.address} in questions["n1"]["pings"]


def test_disks_of_a_node_are_asked_there_alone(design_of):
    design = design_of("active-passive-drbd")
    (volume,) = design.volumes
    for replica in volume.diskful:
        storage = deep_questions(design)[replica.member]["storage"]
        assert storage == {"modules": ["drbd"], "disks": [replica.disk]}


def test_the_power_key_is_asked_about_where_the_fence_device_is_in_the_machine(design_of):
    design = design_of("active-passive")
    assert on_board(design, design.members[0]) == ("ipmi-n1",)
    outlet = design_of(
        "active-passive",
        (IPMI, IPMI.replace("fence_ipmilan", "fence_apc")),
        ("        ip: 10.71.9.112\n        lanplus: true\n", "        ip: 10.71.9.112\n        plug: 3\n"),
    )
    assert on_board(outlet, outlet.members[1]) == ()
