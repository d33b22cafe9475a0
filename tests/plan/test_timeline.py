"""Journals of a real failover (Corosync 3.1.7, Pacemaker 2.1.5), shortened."""

from __future__ import annotations

from hadeploy.plan.timeline import read_entries, read_timeline

STRUCK = 1795256328.9

SURVIVOR = """\
1795256320.172850 n1 corosync[35]:   [TOTEM ] A new membership (1.24) was formed. Members joined: 2
1795256324.151996 n1 pacemaker-controld[59]:  notice: Requesting local execution of start operation for ipmi-n2 on n1
1795256329.658100 n1 corosync[35]:   [TOTEM ] Token has not been received in 750 ms
1795256329.908076 n1 corosync[35]:   [TOTEM ] A processor failed, forming new configuration: token timed out (1000ms)
1795256331.109300 n1 corosync[35]:   [TOTEM ] A new membership (1.28) was formed. Members left: 2
1795256331.296147 n1 pacemaker-controld[59]:  notice: Requesting fencing (reboot) of node n2
1795256331.307230 n1 pacemaker-fenced[55]:  notice: Requesting that n1 perform 'reboot' action targeting n2
1795256336.813810 n1 pacemaker-fenced[55]:  notice: Operation 'reboot' [184] targeting n2 using ipmi-n2 returned 0
1795256336.816154 n1 pacemaker-fenced[55]:  notice: Operation 'reboot' targeting n2 by n1 for pacemaker-controld.59@n1: OK
1795256336.829653 n1 pacemaker-controld[59]:  notice: Requesting local execution of start operation for web-server on n1
1795256339.404638 n1 pacemaker-controld[59]:  notice: Result of start operation for web-server on n1: ok
1795256339.417363 n1 pacemaker-controld[59]:  notice: Result of monitor operation for web-server on n1: ok
1795256339.516645 n1 pacemaker-controld[59]:  notice: Requesting local execution of start operation for web-address on n1
1795256339.675767 n1 IPaddr2(web-address)[282]: INFO: Adding inet address 10.71.1.100/24 to device lan0
1795256339.698213 n1 pacemaker-controld[59]:  notice: Result of start operation for web-address on n1: ok
-- Boot 5f0 --
what no journal ever wrote
"""


def timeline(text, since=STRUCK):
    return read_timeline([tuple(read_entries(text))], since)


def test_a_failover_from_the_inside():
    found = timeline(SURVIVOR)
    assert round(found.token_lost - STRUCK, 2) == 1.01
    assert round(found.membership - found.token_lost, 2) == 1.20
    assert round(found.fencing_wanted - found.membership, 2) == 0.19
    assert [(deed.kind, deed.what, deed.target, round(deed.seconds, 2)) for deed in found.deeds] == [
        ("fence", "ipmi-n2", "n2", 5.51),
        ("start", "web-server", "", 2.57),
        ("start", "web-address", "", 0.18),
    ]


def test_what_was_before_does_not_count():
    found = timeline(SURVIVOR, since=1795256338.0)
    assert found.token_lost is None
    assert [deed.what for deed in found.deeds] == ["web-address"]


def test_a_delay_is_not_the_agents():
    text = SURVIVOR.replace(
        "1795256336.813810",
        "1795256331.400000 n1 pacemaker-fenced[55]:  notice: Delaying 'reboot' action targeting n2 using ipmi-n2 for 2s\n"
        "1795256336.813810",
    )
    assert round(timeline(text).deeds[0].seconds, 2) == 3.41


def test_one_member_asks_and_another_fences():
    lines = SURVIVOR.splitlines(keepends=True)
    carried_out = [line for line in lines if "ipmi-n2 returned" in line]
    others = [line for line in lines if line not in carried_out]
    found = read_timeline([tuple(read_entries("".join(part))) for part in (carried_out, others)], STRUCK)
    assert [deed.what for deed in found.deeds if deed.kind == "fence"] == ["ipmi-n2"]


def test_a_failed_start_is_no_sample():
    text = SURVIVOR.replace("web-server on n1: ok", "web-server on n1: error")
    assert [deed.what for deed in timeline(text).deeds] == ["ipmi-n2", "web-address"]


def test_silence_is_no_error():
    found = timeline("")
    assert (found.token_lost, found.membership, found.fencing_wanted, found.deeds) == (None, None, None, ())
