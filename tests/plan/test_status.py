"""What members report, and what is made of it: each problem is seen, and only that one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hadeploy.plan.observed import (
    DeviceView,
    HostView,
    parse_crm_mon,
    parse_device,
    parse_haproxy_statistics,
    parse_host,
)
from hadeploy.plan.status import expected_units, judge, watched_units

CRM_MON = """<pacemaker-result api-version="2.25">
<summary><current_dc present="true" name="n1" with_quorum="true"/><cluster_options stonith-enabled="true"/></summary>
<nodes><node name="n1" online="true" standby="false" unclean="false"/><node name="n2" online="true"/></nodes>
<resources>
 <resource id="ipmi-n1" role="Started" active="true" failed="false"><node name="n2"/></resource>
 <resource id="ipmi-n2" role="Started" active="true" failed="false"><node name="n1"/></resource>
 <group id="web">
  <resource id="web-server" role="Started" active="true" failed="false"><node name="n1"/></resource>
  <resource id="web-address" role="Started" active="true" failed="false"><node name="n1"/></resource>
 </group>
</resources>
<fence_history><fence_event action="reboot" target="n2" origin="n1" status="success" completed="today"/></fence_history>
</pacemaker-result>"""


def hosts(design, crm_mon=CRM_MON):
    def host(name: str, *addresses: str) -> HostView:
        units = dict.fromkeys(expected_units(design, name), "active")
        return HostView(name, addresses=frozenset(addresses), units=units, cluster=parse_crm_mon(crm_mon))

    return [host("n1", "10.71.1.11", "10.71.1.100"), host("n2", "10.71.1.12")]


def test_all_well(design_of):
    design = design_of("active-passive")
    status = judge(design, hosts(design))
    assert status.problems == ()
    assert not status.degraded
    assert status.addresses[0].holders == ("n1",)
    assert status.groups[0].node == "n1"
    assert status.fencing[0].target == "n2"


def test_each_problem_is_seen(design_of):
    design = design_of("active-passive")
    n1, n2 = hosts(design)
    twice = replace(n2, addresses=n2.addresses | {"10.71.1.100"})
    assert judge(design, [n1, twice]).problems == ("address web (10.71.1.100) is on n1 and n2 at once",)
    nowhere = replace(n1, addresses=frozenset())
    assert judge(design, [nowhere, n2]).problems == ("address web (10.71.1.100) is on no member",)
    crashed = replace(n2, units={**n2.units, "pacemaker.service": "failed"})
    assert judge(design, [n1, crashed]).problems == ("n2: pacemaker.service is failed",)
    left = replace(n2, pending=("corosync.service to be told: restart",))
    assert "interrupted apply" in judge(design, [n1, left]).problems[0]
    gone = HostView("n2", error="no route")
    assert judge(design, [n1, gone]).problems == ("n2: unknown: no route",)


def test_what_could_not_be_asked_is_unknown_and_no_verdict_follows_from_it(design_of):
    design = design_of("active-passive")
    n1, n2 = hosts(design)
    deaf = [HostView(name, error="SSH: Permission denied (publickey)") for name in ("n1", "n2")]
    status = judge(design, deaf)
    assert (status.verdict, status.quorate, status.degraded) == ("unknown", None, True)
    assert status.problems == tuple(
        f"{name}: unknown: SSH: Permission denied (publickey)" for name in ("n1", "n2")
    )
    half = judge(design, [HostView("n1", error="sudo wants a password"), n2])
    assert half.verdict == "unknown"
    assert half.problems == ("n1: unknown: sudo wants a password",)
    worse = judge(design, [deaf[0], replace(n2, units={**n2.units, "pacemaker.service": "failed"})])
    assert worse.verdict == "degraded"
    assert judge(design, [n1, n2]).verdict == "healthy"


QUORUM = """Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    {} n1 (local)
         2          1    A,V,NMW n2
         0          {}
"""
CONNECTED = "Qdevice-net information\n\nState:\t\t\tConnected\nTLS active:\t\tYes (client certificate sent)\n"


@pytest.mark.parametrize(
    ("flags", "row", "connection", "seen"),
    [
        ("A,V,NMW", "1            Qdevice", CONNECTED, DeviceView("Connected", tls=True, votes=1)),
        ("A,NV,NMW", "1            Qdevice", CONNECTED, DeviceView("Connected", tls=True, votes=0)),
        (
            "A,NV,NMW",
            "0            Qdevice (votes 1)",
            "State:\t\t\tConnect failed\n",
            DeviceView("Connect failed", tls=False, votes=0),
        ),
        ("NR", "0            Qdevice (votes 1)", "", DeviceView()),
    ],
)
def test_the_device_as_a_member_sees_it(flags, row, connection, seen):
    assert parse_device(QUORUM.format(flags, row), connection) == seen


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (DeviceView("Connected", tls=True, votes=1), None),
        (DeviceView("Connected", tls=False, votes=1), "connected in clear"),
        (DeviceView("Connected", tls=True, votes=0), "connected, without a vote"),
        (DeviceView("Connect failed"), "not connected (connect failed)"),
        (DeviceView(), "not running"),
        (None, "not running"),
    ],
)
def test_a_member_without_its_arbiter_is_degraded(design_of, seen, words):
    design = design_of("quorum-device")
    well = DeviceView("Connected", tls=True, votes=1)
    both = [replace(host, device=well) for host in hosts(design)]
    at = [
        replace(host, addresses=frozenset(a.replace("10.71", "10.74") for a in host.addresses))
        for host in both
    ]
    status = judge(design, [at[0], replace(at[1], device=seen)])
    assert status.device is not None
    assert status.device.votes == 1
    assert status.degraded is (words is not None)
    assert status.problems == ((f"n2: quorum device arbiter is {words}",) if words else ())


def test_problems_of_the_cluster(design_of):
    design = design_of("active-passive")
    cases = {
        'with_quorum="true"': ('with_quorum="false"', "no partition has quorum"),
        'stonith-enabled="true"': (
            'stonith-enabled="false"',
            "fencing is switched off in the running cluster",
        ),
        'id="ipmi-n1" role="Started" active="true"': (
            'id="ipmi-n1" role="Stopped" active="false"',
            "fencing device ipmi-n1 is stopped",
        ),
        'id="web-server" role="Started" active="true" failed="false"': (
            'id="web-server" role="Started" active="true" failed="true"',
            "group web on n1: web-server failed",
        ),
        '<node name="n2" online="true"/></nodes>': (
            '<node name="n2" online="true" standby="true"/></nodes>',
            "n2 is standby",
        ),
    }
    for old, (new, problem) in cases.items():
        assert judge(design, hosts(design, CRM_MON.replace(old, new))).problems == (problem,)


def test_a_fence_device_that_failed_is_named_with_its_reason(design_of):
    """Pacemaker leaves it stopped after a failed start: an apply that finds nothing to change must not be green."""
    design = design_of("active-passive")
    stopped = CRM_MON.replace(
        '<resource id="ipmi-n1" role="Started" active="true" failed="false"><node name="n2"/></resource>',
        '<resource id="ipmi-n1" role="Stopped" active="false" failed="false"/>',
    )
    assert stopped != CRM_MON
    assert judge(design, hosts(design, stopped)).problems == ("fencing device ipmi-n1 is stopped",)
    why = '<failures><failure op_key="ipmi-n1_start_0" exitreason="no route to the BMC"/></failures><fence_history>'
    failed = stopped.replace("<fence_history>", why)
    assert judge(design, hosts(design, failed)).problems == (
        "fencing device ipmi-n1 is failed: no route to the BMC",
    )
    starting = failed.replace('role="Stopped" active="false"', 'role="Starting" active="true"')
    assert starting != failed
    assert judge(design, hosts(design, starting)).problems == judge(design, hosts(design, failed)).problems


def test_servers_as_each_balancer_sees_them():
    rows = "# pxname,svname,status,check_status\nweb,web1,UP,L7OK\nweb,web2,DOWN,L4CON\nweb,BACKEND,UP,\n"
    assert parse_haproxy_statistics(rows) == {("web", "web1"): "UP", ("web", "web2"): "DOWN"}
    assert parse_haproxy_statistics("") == {}


def test_an_answer_that_is_none():
    assert parse_host("n1", "Welcome!").error
    assert parse_host("n1", json.dumps({"crm_mon": "crm_mon: Connection to cluster failed"})).cluster is None


def test_a_service_that_died_before_pacemaker_looked(design_of):
    design = design_of("active-passive")
    first, second = hosts(design)
    unit = next(u.unit for u in design.units if u.clustered)
    assert unit in watched_units(design, "n1")
    assert unit not in expected_units(design, "n1")
    dead = replace(first, units={**first.units, unit: "failed"})
    idle = replace(second, units={**second.units, unit: "inactive"})
    assert judge(design, [dead, second]).problems == (
        f"n1: {unit} is failed, though Pacemaker calls web-server started",
    )
    assert judge(design, [first, idle]).problems == ()
