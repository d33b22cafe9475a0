from __future__ import annotations

from dataclasses import replace

import pytest

from hadeploy.daemons.keepalived import share as keepalived
from hadeploy.design.secrets import Secret
from hadeploy.design.vrrp import Authentication, BfdNeighbour, GratuitousArp, SyncGroup

PATH = "/etc/keepalived/keepalived.conf"

FIRST_MEMBER = """\
# Written by hadeploy from topology demo; edit the topology, not this file.

global_defs {
    router_id n1
    vrrp_version 3
    enable_script_security
    script_user nobody
    # Switches forget; and after a split the survivor's address must be the last one heard.
    vrrp_garp_master_refresh 60
    vrrp_higher_prio_send_advert true
    # Adverts below a second: a late process looks like a dead one. Not real-time: without the right to raise its limits
    # (containers, hardened units) the kernel kills a real-time child soon after each reload, and every reload is a failover.
    vrrp_priority -20
    vrrp_no_swap
}

vrrp_script process-haproxy {
    script "/usr/bin/pgrep -x haproxy"
    interval 1
    timeout 1
    fall 1
    rise 1
    weight 0
    user nobody
    init_fail
}

vrrp_script disk {
    script "/usr/bin/true"
    interval 3
    timeout 1
    fall 2
    rise 2
    weight 0
    user nobody
    init_fail
}

vrrp_instance vip-a {
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id 11
    priority 200
    advert_int 0.1
    unicast_src_ip 198.51.100.1
    unicast_peer {
        198.51.100.2
    }
    virtual_ipaddress {
        198.51.100.100/24 dev eth0
    }
    track_script {
        process-haproxy
        disk
    }
}

vrrp_instance vip-b {
    state BACKUP
    interface eth0
    virtual_router_id 12
    priority 200
    advert_int 0.1
    virtual_ipaddress {
        2001:db8::100/64 dev eth0
    }
    track_script {
        process-haproxy
        disk
    }
}
"""


def text(design, find, number=0):
    return find(keepalived.share(design, design.members[number]), PATH).content


def with_plan(design, **changes):
    return replace(design, vrrp=replace(design.vrrp, **changes))


def with_interval(design, milliseconds):
    instances = tuple(replace(i, advert_interval_ms=milliseconds) for i in design.vrrp.instances)
    return with_plan(design, instances=instances)


def test_first_member_text(active_active, find):
    assert text(active_active, find) == FIRST_MEMBER


def test_second_member_differs_in_its_own_facts(active_active, find):
    second = text(active_active, find, 1)
    assert "router_id n2" in second
    assert "priority 150" in second
    assert "unicast_src_ip 198.51.100.2" in second
    assert "        198.51.100.1\n" in second


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(10, "0.01"), (100, "0.1"), (1000, "1"), (40_950, "40.95")]
)
def test_advert_interval(milliseconds, seconds, active_active, find):
    assert f"advert_int {seconds}\n" in text(with_interval(active_active, milliseconds), find)


def test_slow_adverts_need_no_priority(active_active, find):
    assert "vrrp_priority" not in text(with_interval(active_active, 1000), find)


def test_without_tracking_there_is_no_empty_block(active_active, find):
    assert "track_script" not in text(with_plan(active_active, processes=(), scripts=()), find)


def test_long_process_names_are_cut_as_the_kernel_cuts_them(active_active, find):
    assert "pgrep -x averylongprocess" not in text(
        with_plan(active_active, processes=("averylongprocessname",)), find
    )
    assert '"/usr/bin/pgrep -x averylongproces"' in text(
        with_plan(active_active, processes=("averylongprocessname",)), find
    )


def test_script_users_must_exist(active_active):
    scripts = tuple(replace(script, user="keepalived_script") for script in active_active.vrrp.scripts)
    share = keepalived.share(with_plan(active_active, scripts=scripts), active_active.members[0])
    assert share.users == ("keepalived_script",)
    assert keepalived.share(active_active, active_active.members[0]).users == ()


def test_without_vrrp_there_is_no_keepalived(two_nodes):
    assert keepalived.share(two_nodes, two_nodes.members[0]) is None


def with_everything(design):
    """Every setting that a topology can change, changed."""
    instances = tuple(
        replace(i, preempt=True, preempt_delay_ms=5_500, advert_interval_ms=1000, unicast=True)
        for i in design.vrrp.instances
    )
    return with_plan(
        design,
        instances=(replace(instances[0], version=2), instances[1]),
        scripts=tuple(replace(s, weight=-60, init_fail=False) for s in design.vrrp.scripts),
        neighbours=(
            BfdNeighbour("gateway", "198.51.100.254", 50, 60, 4, -10, (("n1", "198.51.100.1"),)),
            BfdNeighbour("elsewhere", "198.51.100.253", 50, 60, 4, 0, ()),
        ),
        authentication=Authentication("PASS", Secret("vrrp", "env", "VRRP_PASSWORD")),
        gratuitous_arp=GratuitousArp(refresh_ms=30_000, refresh_repeat=2, answer_rivals=False),
        script_security=False,
        scheduling="realtime",
        notify="/usr/bin/true",
        tracked_segments=("ring0",),
        notify_user="keepalived_script",
    )


def with_group(design):
    group = SyncGroup("both", tuple(i.name for i in design.vrrp.instances))
    return with_plan(design, sync_groups=(group,))


def lines_of(content, block):
    """The settings inside a block, without their indentation."""
    body = content.split(f"\n{block} {{\n")[1].split("\n}\n")[0]
    return [line.strip() for line in body.splitlines()]


def test_everything_that_can_be_written_is_written(active_active, find):
    content = text(with_everything(active_active), find)
    first = lines_of(content, "vrrp_instance vip-a")
    for line in (
        "version 2",
        "preempt_delay 6",
        "auth_type PASS",
        "auth_pass @@hadeploy:vrrp@@",
        'notify "/usr/bin/true" keepalived_script',
    ):
        assert line in first
    assert "nopreempt" not in first
    assert "version 2" not in lines_of(content, "vrrp_instance vip-b")
    settings = lines_of(content, "global_defs")
    assert "enable_script_security" not in settings
    for line in (
        "vrrp_rt_priority 50",
        "vrrp_garp_master_refresh 30",
        "vrrp_garp_master_refresh_repeat 2",
        "vrrp_higher_prio_send_advert false",
    ):
        assert line in settings
    assert "weight -60" in lines_of(content, "vrrp_script disk")
    assert "init_fail" not in lines_of(content, "vrrp_script disk")
    assert lines_of(content, "bfd_instance gateway") == [
        "neighbor_ip 198.51.100.254",
        "source_ip 198.51.100.1",
        "min_tx 50",
        "min_rx 60",
        "multiplier 4",
        "weight -10",
        "vrrp",
    ]
    assert "elsewhere" not in content
    assert "track_interface {\n        eth1\n    }" in content


def test_a_password_is_not_for_everyone(active_active, find):
    artifact = find(keepalived.share(with_everything(active_active), active_active.members[0]), PATH)
    assert (artifact.mode, artifact.owner, artifact.group) == ("0640", "root", "nogroup")
    assert [secret.name for secret in artifact.secrets] == ["vrrp"]


def test_whoever_is_told_of_changes_must_exist(active_active):
    share = keepalived.share(with_everything(active_active), active_active.members[0])
    assert share.users == ("keepalived_script",)


def test_a_sync_group_is_watched_as_a_whole(active_active, find):
    content = text(with_group(active_active), find)
    assert lines_of(content, "vrrp_sync_group both") == [
        *("group {", "vip-a", "vip-b", "}"),
        *("track_script {", "process-haproxy", "disk", "}"),
    ]
    assert "track_script {" not in lines_of(content, "vrrp_instance vip-a")


def test_an_interface_of_its_own_is_watched_anyhow(active_active, find):
    assert "track_interface" not in text(with_plan(active_active, tracked_segments=("front",)), find)
    other = with_plan(with_group(active_active), tracked_segments=("front", "ring0"))
    assert text(other, find).count("track_interface {\n        eth1\n    }") == 1


def test_only_the_master_starts_as_one(active_active, find):
    instances = tuple(replace(i, starts_as="n1", preempt=True) for i in active_active.vrrp.instances)
    design = with_plan(active_active, instances=instances)
    assert "state MASTER" in text(design, find)
    assert "state MASTER" not in text(design, find, 1)


def test_normal_scheduling_can_be_demanded(active_active, find):
    assert "vrrp_priority" not in text(with_plan(active_active, scheduling="normal"), find)


@pytest.mark.native
@pytest.mark.parametrize("change", [with_everything, with_group])
def test_parser_takes_every_setting(change, active_active, parser_host, find):
    design = with_plan(
        change(active_active),
        notify_user="nobody",
        script_security=True,
        tracked_segments=("front", "ring0"),
    )
    artifact = find(keepalived.share(design, design.members[0]), PATH)
    good, said = parser_host.judge(artifact.check, artifact.content.replace("@@hadeploy:vrrp@@", "secret12"))
    assert good, said


@pytest.mark.native
def test_parser_refuses_scripts_without_script_security(active_active, parser_host, find):
    artifact = find(
        keepalived.share(with_plan(active_active, script_security=False), active_active.members[0]), PATH
    )
    good, said = parser_host.judge(artifact.check, artifact.content)
    assert not good
    assert "script_security not enabled" in said


@pytest.mark.native
def test_parser_takes_it(active_active, parser_host, find):
    artifact = find(keepalived.share(active_active, active_active.members[0]), PATH)
    good, said = parser_host.judge(artifact.check, artifact.content)
    assert good, said


@pytest.mark.native
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("virtual_router_id 11", "virtual_router_id 256"),
        ("state BACKUP\n    nopreempt", "state MASTER\n    nopreempt"),
        ("interface eth0", "interface eth7"),
        ("priority 200", "prioritee 200"),
        ("user nobody\n    init_fail", "user no_such_user\n    init_fail"),
        ("2001:db8::100/64 dev eth0", "2001:db8::100/64 dev eth0\n 198.51.100.7/24 dev eth0"),
    ],
)
def test_parser_refuses_what_is_broken(old, new, active_active, parser_host, find):
    artifact = find(keepalived.share(active_active, active_active.members[0]), PATH)
    assert old in artifact.content
    good, said = parser_host.judge(artifact.check, artifact.content.replace(old, new))
    assert not good, said


@pytest.mark.native
def test_missing_file_is_refused(active_active, parser_host, find, tmp_path):
    check = find(keepalived.share(active_active, active_active.members[0]), PATH).check
    elsewhere = replace(check, argv=("keepalived", "-t", "-f", str(tmp_path / "missing")))
    good, said = parser_host.judge(elsewhere, "")
    assert not good, said
