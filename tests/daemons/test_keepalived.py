from __future__ import annotations

from dataclasses import replace

import pytest

from hadeploy.daemons import keepalived

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
def test_missing_file_is_refused(active_active, parser_host, find):
    check = find(keepalived.share(active_active, active_active.members[0]), PATH).check
    elsewhere = replace(check, argv=("keepalived", "-t", "-f", "/nonexistent"))
    good, said = parser_host.judge(elsewhere, "")
    assert not good, said
