"""Where the rules of the pacemaker and fencing families are broken beyond their case: (base, changes) -> findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hadeploy.rules import check_rules_across
from tests.rules.test_rules import judge

PATIENT = {"objectives.rto": None}
PDU = {"agent": "fence_apc", "shares_power_with_target": False}
REPORT = {"members": [{"kind": "ocf", "name": "report-state", "agent": "ocf:pacemaker:Dummy"}]}
SBD = {"agent": "fence_sbd", "targets": ["n1", "n2"], "shares_power_with_target": False}
DISK = {"disks": ["/dev/disk/by-id/sbd-1"]}
FS = {"kind": "ocf", "agent": "ocf:heartbeat:Filesystem"}


def device(address: str, *targets: str, **parameters: Any) -> dict[str, Any]:
    return {
        **PDU,
        "targets": list(targets),
        "parameters": {"ip": address, "username": "a", "password": {"env": "PDU"}, **parameters},
    }


def hypervisor(*targets: str, agent: str = "fence_virsh", **more: Any) -> dict[str, Any]:
    return {
        "agent": agent,
        "targets": list(targets),
        "shares_power_with_target": False,
        "parameters": {"ip": "10.71.9.1", "username": "root"},
        **more,
    }


def ocf(name: str, agent: str, **more: Any) -> dict[str, Any]:
    return {"kind": "ocf", "name": name, "agent": agent, **more}


def group(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"members": list(members), **more}


BROKEN = [
    # nobody to fence, or nobody who does
    ("active-passive", PATIENT | {"fencing": None}, {"HA020"}),
    ("active-passive", PATIENT | {"fencing.devices.ipmi-n2": None}, {"HA020"}),
    (
        "active-passive",
        PATIENT
        | {
            "fencing.devices.ask-n1": {
                "agent": "fence_heuristics_ping",
                "targets": ["n1"],
                "parameters": {"ping_targets": "10.71.9.1"},
                "delay": "5s",
            },
            "fencing.levels": {"n1": [["ask-n1"], ["ipmi-n1"]]},
        },
        {"HA020"},
    ),
    (
        "active-passive",
        PATIENT
        | {
            "fencing.devices.ask-n1": {
                "agent": "fence_heuristics_ping",
                "targets": ["n1"],
                "parameters": {"ping_targets": "10.71.9.1"},
            },
            "fencing.levels": {"n1": [["ask-n1", "ipmi-n1"]]},
        },
        set(),
    ),
    (
        "active-passive",
        PATIENT
        | {
            "fencing.devices.ipmi-n1": {"agent": "fence_kdump", "targets": ["n1"], "delay": "5s"},
        },
        {"HA020"},
    ),
    # whom a device depends on
    ("active-passive", {"fencing.devices.ipmi-n1.parameters.ip": "n1"}, {"HA021"}),
    ("active-passive", {"fencing.devices.ipmi-n1.parameters.ip": "10.71.1.100"}, {"HA021"}),
    ("active-passive", {"nodes.n1.power_supplies": 1}, {"HA021"}),
    (
        "active-passive",
        {"nodes.n1.power_supplies": 1, "fencing.devices.ipmi-n1.shares_power_with_target": False},
        set(),
    ),
    (
        "active-passive",
        PATIENT
        | {
            "nodes.n1.power_supplies": 1,
            "fencing.devices.pdu": device("10.71.9.201", "n1"),
            "fencing.levels": {"n1": [["ipmi-n1"], ["pdu"]]},
        },
        set(),
    ),
    # outlets
    (
        "active-passive",
        PATIENT
        | {
            "fencing.devices.pdu": device("10.71.9.201", "n1"),
            "fencing.levels": {"n1": [["ipmi-n1"], ["pdu"]]},
        },
        {"HA022"},
    ),
    (
        "active-passive",
        PATIENT
        | {
            "fencing.devices.pdu": device("10.71.9.201", "n1", pcmk_host_map="n1:3,4;n2:5,6"),
            "fencing.levels": {"n1": [["ipmi-n1"], ["pdu"]]},
        },
        set(),
    ),
    (
        "active-passive",
        PATIENT
        | {
            "nodes.n1.power_supplies": 1,
            "fencing.devices": {
                "pdu-a": device("10.71.9.201", "n1"),
                "pdu-b": device("10.71.9.202", "n1"),
                "ipmi-n2": {
                    "agent": "fence_ipmilan",
                    "targets": ["n2"],
                    "delay": "5s",
                    "parameters": {"ip": "10.71.9.112"},
                },
            },
        },
        {"HA022"},
    ),
    # how often devices are asked
    ("active-passive", {"fencing.devices.ipmi-n1.monitor_interval": "0s"}, {"HA023"}),
    ("active-passive", {"fencing.devices.ipmi-n1.monitor_interval": "11min"}, {"HA023"}),
    # the race of two
    ("active-passive", {"fencing.devices.ipmi-n1.delay": "0s"}, {"HA024"}),
    ("active-passive", {"fencing.devices.ipmi-n1.delay": None}, set()),
    (
        "active-passive",
        {"fencing.devices.ipmi-n1.delay": None, "fencing.devices.ipmi-n1.random_delay": "4s"},
        set(),
    ),
    ("active-passive", PATIENT | {"fencing.devices": {"kvm": hypervisor("n1", "n2")}}, set()),
    ("active-passive", PATIENT | {"fencing.devices": {"kvm": hypervisor("n1", "n2", delay="5s")}}, {"HA024"}),
    (
        "active-passive",
        PATIENT | {"fencing.devices": {"kvm": hypervisor("n1", "n2", delay={"n1": "5s"})}},
        set(),
    ),
    (
        "active-passive",
        PATIENT
        | {
            "fencing.devices": {"kvm": hypervisor("n1", "n2", delay="0s")},
            "fencing.priority_delay": "10s",
            "services.web.priority": 10,
        },
        set(),
    ),
    (
        "active-passive",  # a delay of a level that is tried later comes too late
        PATIENT
        | {
            "fencing.devices.ipmi-n1.delay": None,
            "fencing.devices.kvm": hypervisor("n1", delay="5s"),
            "fencing.levels": {"n1": [["ipmi-n1"], ["kvm"]]},
        },
        {"HA024"},
    ),
    ("n-plus-1", {"fencing.devices.ipmi-a1.delay": "0s"}, set()),
    ("active-passive", PATIENT | {"fencing.priority_delay": "3s", "services.web.priority": 1}, {"HA025"}),
    ("active-passive", {"fencing.devices.ipmi-n1.random_delay": "1s"}, {"HA137"}),
    # without quorum
    ("n-plus-1", {"policy.no_quorum": "freeze"}, {"HA026"}),
    (
        "n-plus-1",
        PATIENT
        | {
            "policy.no_quorum": "freeze",
            "services.app-a.members.0": {
                **FS,
                "name": "shared",
                "parameters": {"device": "/dev/disk/by-id/shared", "directory": "/srv", "fstype": "gfs2"},
            },
        },
        set(),
    ),
    ("n-plus-1", {"policy.no_quorum": "demote"}, set()),
    # stickiness against the pull of locations
    ("active-passive", {"services.web.stickiness": 0}, {"HA029"}),
    ("active-passive", {"services.web.locations": {"n1": "INFINITY"}}, {"HA029"}),
    ("active-passive", {"services.web.locations": {"n1": 200, "n2": 1}}, set()),
    ("n-plus-1", {"services.app-a.stickiness": 25}, {"HA029"}),
    # failures
    (
        "active-passive",
        {"services.web.failure_timeout": "100s"},
        {"HA030"},
    ),
    ("active-passive", {"services.web.failure_timeout": "101s"}, set()),
    ("active-passive", {"services.web.failure_timeout": "0s"}, set()),
    ("active-passive", {"policy.recheck_interval": "0s"}, {"HA032"}),
    # somewhere to go
    ("active-passive", {"services.web.locations": {"n2": "never"}}, {"HA033"}),
    ("active-passive", {"services.web.locations": {"n2": "never"}, "objectives.survives": 0}, set()),
    ("active-passive", {"policy.symmetric": False}, {"HA033"}),
    (
        "active-passive",
        {"policy.symmetric": False, "services.web.locations": {"n1": 100, "n2": 50}},
        set(),
    ),
    # order and place
    ("active-passive", PATIENT | {"services.report": {**REPORT, "together_with": ["web"]}}, {"HA036"}),
    (
        "active-passive",
        PATIENT | {"services.report": {**REPORT, "together_with": ["web"], "after": ["web"]}},
        set(),
    ),
    (
        "active-passive",  # the order may stand at the other of the two
        PATIENT | {"services.report": {**REPORT, "together_with": ["web"]}, "services.web.after": ["report"]},
        set(),
    ),
    (
        "active-passive",
        PATIENT | {"services.report": {**REPORT, "on_top_of": ["web"], "apart_from": ["web"]}},
        {"HA037"},
    ),
    # on_fail
    (
        "active-passive",
        {"services.web.members.0.operations": {"on_fail": {"monitor": "ignore"}}},
        {"HA040"},
    ),
    # room
    ("n-plus-1", {"services.app-a.demand.slots": 2}, {"HA042"}),
    ("n-plus-1", {"services.app-a.demand": {"memory": 1}}, {"HA042"}),
    ("n-plus-1", {"nodes.s1.capacity": None}, {"HA042"}),
    ("n-plus-1", {"nodes.s1.capacity": None, "objectives.survives": 0}, set()),
    ("active-passive", PATIENT | {"services.report": {**REPORT, "apart_from": ["web"]}}, {"HA042"}),
    ("active-passive", {"services.web.demand": {"slots": 1}}, {"HA043"}),
    # names
    ("active-passive", {"services.web.meta": {"is-manged": True}}, {"HA044"}),
    (
        "active-passive",
        {"release": "debian-13", "policy.properties": {"remove-after-stop": True}},
        {"HA044"},
    ),
    ("active-passive", {"policy.properties": {"remove-after-stop": True}}, set()),
    # standing still
    ("active-passive", {"policy.properties": {"maintenance-mode": True}}, {"HA045"}),
    ("active-passive", {"policy.properties": {"maintenance-mode": False}}, set()),
    ("active-passive", {"policy.properties": {"stop-all-resources": "yes"}}, {"HA045"}),
    ("active-passive", {"services.web.meta": {"target-role": "Stopped"}}, {"HA045"}),
    ("active-passive", {"services.web.meta": {"maintenance": True}}, {"HA045"}),
    # fencing, further
    ("active-passive", {"fencing.concurrent": False}, set()),
    (
        "active-passive",
        PATIENT | {"fencing.devices": {"one": {**hypervisor("n1", "n2"), "agent": "fence_ipmilan"}}},
        {"HA132"},
    ),
    (
        "n-plus-1",
        PATIENT
        | {
            "nodes.a1.power_supplies": 1,
            "nodes.a2.power_supplies": 1,
            "fencing.devices.ipmi-a1": device("10.73.9.201", "a1", plug=1),
            "fencing.devices.ipmi-a2": device("10.73.9.201", "a2", plug=1),
        },
        {"HA131"},
    ),
    (
        "n-plus-1",
        PATIENT
        | {
            "nodes.a1.power_supplies": 1,
            "nodes.a2.power_supplies": 1,
            "fencing.devices.ipmi-a1": device("10.73.9.201", "a1", plug=1),
            "fencing.devices.ipmi-a2": device("10.73.9.201", "a2", plug=2),
        },
        set(),
    ),
    # watchdogs
    ("n-plus-1", PATIENT | {"fencing.devices": None, "fencing.watchdog": {"timeout": "15s"}}, set()),
    (
        "n-plus-1",
        PATIENT | {"fencing.devices": None, "fencing.watchdog": {"power_off_after": "5s"}},
        {"HA028"},
    ),
    (
        "n-plus-1",
        PATIENT | {"fencing.devices": None, "fencing.watchdog": {"timeout": "1500ms"}},
        {"HA028"},
    ),
    ("active-passive", PATIENT | {"fencing": {"watchdog": {}}}, {"HA028"}),
    (
        "active-passive",
        PATIENT | {"fencing": {"devices": {"sbd": {**SBD, "parameters": {"devices": "/dev/a"}}}}},
        {"HA028"},
    ),
    ("active-passive", PATIENT | {"fencing": {"watchdog": DISK, "devices": {"sbd": SBD}}}, set()),
    (
        "active-passive",
        PATIENT | {"fencing": {"watchdog": {"disks": ["/dev/a", "/dev/b"]}, "devices": {"sbd": SBD}}},
        {"HA028"},
    ),
    (
        "active-passive",
        PATIENT | {"fencing": {"watchdog": {**DISK, "message_wait": "9s"}, "devices": {"sbd": SBD}}},
        {"HA028"},
    ),
    (
        "active-passive",  # 60 s is too little for a message that takes 60 s
        PATIENT | {"fencing": {"watchdog": {**DISK, "timeout": "30s"}, "devices": {"sbd": SBD}}},
        {"HA028"},
    ),
    (
        "active-passive",
        PATIENT
        | {
            "fencing": {
                "watchdog": {**DISK, "timeout": "30s"},
                "devices": {"sbd": {**SBD, "timeout": "72s"}},
            }
        },
        set(),
    ),
    (
        "active-passive",
        PATIENT
        | {
            "fencing": {
                "watchdog": DISK,
                "devices": {"sbd": {**SBD, "parameters": {"devices": "/dev/other"}}},
            }
        },
        {"HA028"},
    ),
    ("active-passive", PATIENT | {"fencing.watchdog": DISK}, {"HA028"}),
    # the agent's own default is a value too
    (
        "active-passive",
        PATIENT
        | {
            "services.a": group(ocf("pg-a", "ocf:heartbeat:pgsql", units=["postgresql"])),
            "services.b": group(ocf("pg-b", "ocf:heartbeat:pgsql", units=["postgresql"])),
        },
        {"HA136"},
    ),
]


@pytest.mark.parametrize(
    ("base", "changes", "expected"),
    BROKEN,
    ids=[f"{number}-{'-'.join(sorted(codes)) or 'none'}" for number, (_, _, codes) in enumerate(BROKEN)],
)
def test_codes(base: str, changes: dict[str, Any], expected: set[str], tmp_path: Path) -> None:
    case, findings = judge(tmp_path, base, changes)
    findings += check_rules_across([case])
    assert {finding.code for finding in findings} == expected, [finding.summary for finding in findings]


def test_a_shared_supply_is_a_warning(tmp_path: Path) -> None:
    _, findings = judge(tmp_path, "active-passive", {"nodes.n1.power_supplies": 1})
    assert not findings.has_errors


def test_no_fencing_is_repeated_where_its_risk_is_accepted(tmp_path: Path) -> None:
    risk = {"rule": "HA020", "reason": "a lab without any data of worth"}
    _, findings = judge(tmp_path, "active-passive", {"fencing": None, "accept_risks": [risk], **PATIENT})
    assert [finding.code for finding in findings] == ["HA020"]
    assert not findings.has_errors


def test_a_circle_is_told_as_a_chain(tmp_path: Path) -> None:
    changes = PATIENT | {
        "services.report": {**REPORT, "on_top_of": ["web"]},
        "services.web.on_top_of": ["report"],
    }
    _, findings = judge(tmp_path, "active-passive", changes)
    assert [f.summary for f in findings] == ["web -> report -> web: each starts only after the next"]
