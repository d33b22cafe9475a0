"""What DRBD says of itself, and what is made of it."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from hadeploy.cli import status_view
from hadeploy.observe.probe import cluster as cluster_probe
from hadeploy.plan.observed import HostView, parse_crm_mon, parse_host
from hadeploy.plan.replication import CopyView, parse_drbd
from hadeploy.plan.status import expected_units, judge, watched_units
from tests.plan.test_status import CRM_MON

WELL = """version: 8.4.11 (api:1/proto:86-101)
srcversion: 5A4E4D29BA7E3E2F4B8F8D9

158: cs:Connected ro:{role} ds:UpToDate/UpToDate C r-----
    ns:51200 nr:0 dw:51200 dr:2121 al:14 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
"""
SYNCING = """version: 8.4.11 (api:1/proto:86-101)
158: cs:SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate C r-----
    ns:0 nr:26624 dw:26624 dr:0 al:8 bm:0 lo:1 pe:2 ua:1 ap:0 ep:1 wo:f oos:235476
	[=>..................] sync'ed: 10.4% (235476/262100)K
	finish: 0:01:52 speed: 2,048 (2,048) want: 4,096 K/sec
"""
ALONE = """version: 8.4.11 (api:1/proto:86-101)
158: cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C s-----
    ns:0 nr:0 dw:8 dr:0 al:1 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:4096
"""
STANDALONE = """version: 8.4.11 (api:1/proto:86-101)
158: cs:StandAlone ro:Secondary/Unknown ds:UpToDate/DUnknown   r-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
"""
UNCONFIGURED = """version: 8.4.11 (api:1/proto:86-101)
158: cs:Unconfigured
"""
NINE = [
    {
        "name": "data",
        "role": "Primary",
        "suspended": False,
        "devices": [{"volume": 0, "minor": 158, "disk-state": "UpToDate", "quorum": True}],
        "connections": [
            {
                "name": "n2",
                "connection-state": "Connected",
                "peer-role": "Secondary",
                "peer_devices": [
                    {
                        "volume": 0,
                        "replication-state": "SyncSource",
                        "peer-disk-state": "Inconsistent",
                        "out-of-sync": 235476,
                        "percent-in-sync": 10.16,
                    }
                ],
            },
            {
                "name": "n3",
                "connection-state": "Connecting",
                "peer-role": "Unknown",
                "peer_devices": [
                    {"volume": 0, "replication-state": "Off", "peer-disk-state": "DUnknown", "out-of-sync": 0}
                ],
            },
        ],
    }
]


def test_a_resync_of_8_4():
    (copy,) = parse_drbd(SYNCING, "").values()
    assert (copy.role, copy.disk, copy.suspended) == ("Secondary", "Inconsistent", False)
    assert (copy.percent, copy.seconds_left, copy.behind_kib) == (10.4, 112, 235476)
    (peer,) = copy.peers
    assert (peer.connection, peer.connected, peer.role, peer.disk) == (
        "SyncTarget",
        True,
        "Primary",
        "UpToDate",
    )


def test_a_resync_that_stands_still_has_no_end():
    (copy,) = parse_drbd(SYNCING.replace("speed: 2,048", "speed: 0"), "").values()
    assert (copy.percent, copy.seconds_left) == (10.4, None)


def test_frozen_writers_and_lost_peers_of_8_4():
    (alone,) = parse_drbd(ALONE, "").values()
    assert alone.suspended
    assert not alone.peers[0].connected
    (standalone,) = parse_drbd(STANDALONE, "").values()
    assert (standalone.suspended, standalone.peers[0].connection) == (False, "StandAlone")
    assert parse_drbd(UNCONFIGURED, "") == {}
    assert parse_drbd("", "") == {}


def test_every_minor_of_8_4():
    two = WELL.format(role="Primary/Secondary") + SYNCING.split("\n", 1)[1].replace("158:", "  7:")
    copies = parse_drbd(two, "")
    assert sorted(copies) == [7, 158]
    assert (copies[158].percent, copies[7].percent) == (None, 10.4)


def test_a_resync_of_9():
    (copy,) = parse_drbd("version: 9.2.4 (api:2/proto:86-122)\n", json.dumps(NINE)).values()
    assert (copy.role, copy.disk, copy.percent, copy.seconds_left) == ("Primary", "UpToDate", 10.16, None)
    assert [(peer.name, peer.connection, peer.connected) for peer in copy.peers] == [
        ("n2", "SyncSource", True),
        ("n3", "Connecting", False),
    ]
    assert parse_drbd("version: 9.2.4\n", "{broken") == {}


GROUP_CRM_MON = CRM_MON.replace(
    '<group id="web">',
    '<clone id="data-drbd-clone"><resource id="data-drbd" role="Promoted" active="true" failed="false"><node name="n1"/>'
    '</resource></clone><group id="web"><resource id="data-filesystem" role="Started" active="true" failed="false">'
    '<node name="n1"/></resource>',
)


@pytest.fixture
def design(design_of):
    return design_of("active-passive-drbd", ("  data:\n", "  data:\n    minor: 158\n"))


def host(design, name: str, proc: str, *addresses: str) -> HostView:
    units = dict.fromkeys(watched_units(design, name), "active")
    return HostView(
        name,
        addresses=frozenset(addresses),
        units=units,
        cluster=parse_crm_mon(GROUP_CRM_MON),
        copies=parse_drbd(proc, ""),
    )


def pair(design, first: str, second: str) -> list[HostView]:
    return [host(design, "n1", first, "10.81.1.100"), host(design, "n2", second)]


PRIMARY, SECONDARY = (WELL.format(role=role) for role in ("Primary/Secondary", "Secondary/Primary"))


def test_all_well(design):
    status = judge(design, pair(design, PRIMARY, SECONDARY))
    assert status.problems == ()
    assert [(copy.member, copy.role, copy.well) for copy in status.volumes] == [
        ("n1", "Primary", True),
        ("n2", "Secondary", True),
    ]


@pytest.mark.parametrize(
    ("first", "second", "problems"),
    [
        (
            PRIMARY,
            SYNCING,
            ("volume data: the copy on n2 is Inconsistent (10.4 % in sync, 1:52 to go)",),
        ),
        (
            ALONE,
            UNCONFIGURED,
            (
                "volume data: writes are frozen on n1",
                "volume data: n1 is not connected (WFConnection)",
                "volume data does not run on n2",
            ),
        ),
        (
            PRIMARY,
            STANDALONE,
            ("volume data: n2 is not connected (StandAlone)",),
        ),
        (PRIMARY, PRIMARY, ("volume data is primary on n1 and n2 at once",)),
        (SECONDARY, SECONDARY, ("volume data is primary nowhere",)),
        (
            PRIMARY,
            SECONDARY.replace("ds:UpToDate/", "ds:Outdated/"),
            ("volume data: the copy on n2 is Outdated",),
        ),
    ],
)
def test_each_problem_is_seen(design, first, second, problems):
    status = judge(design, pair(design, first, second))
    assert status.problems == problems
    assert status.degraded


def test_a_member_that_does_not_answer_is_not_called_primary_nowhere(design):
    n1, n2 = pair(design, PRIMARY, SECONDARY)
    status = judge(design, [replace(n1, error="no route"), n2])
    assert not [problem for problem in status.problems if "primary" in problem]


def test_a_comparison_that_found_something_is_told(design):
    n1, n2 = pair(design, PRIMARY, SECONDARY)
    units = {**n1.units, "hadeploy-drbd-verify@data.service": "failed"}
    (problem,) = judge(design, [replace(n1, units=units), n2]).problems
    assert "found differences" in problem
    assert "hadeploy-drbd-verify@data.timer" in expected_units(design, "n1")
    inactive = {**n2.units, "hadeploy-drbd-verify@data.service": "inactive"}
    assert judge(design, [n1, replace(n2, units=inactive)]).problems == ()


def test_a_tiebreaker_has_no_disk_to_be_whole(design):
    volume = design.volumes[0]
    third = replace(volume.replicas[1], member="n3", disk="")
    tied = replace(design, volumes=(replace(volume, replicas=(*volume.replicas, third)),))
    n1, n2 = pair(design, PRIMARY, SECONDARY)
    diskless = {158: CopyView("Secondary", "Diskless", n1.copies[158].peers)}
    n3 = replace(n2, host="n3", copies=diskless)
    assert not [problem for problem in judge(tied, [n1, n2, n3]).problems if "copy on n3" in problem]


def test_the_probe_asks_where_there_is_drbd(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(cluster_probe, "output", lambda argv: asked.append(argv) or "[]")
    assert cluster_probe.drbd(str(tmp_path / "none")) == {}
    (tmp_path / "drbd").write_text(PRIMARY)
    assert cluster_probe.drbd(str(tmp_path / "drbd")) == {"proc": PRIMARY, "status": ""}
    assert asked == []
    (tmp_path / "drbd").write_text("version: 9.2.4\n")
    cluster_probe.drbd(str(tmp_path / "drbd"))
    assert asked == [["drbdsetup", "status", "--json", "--statistics"]]


def test_the_report_is_read():
    view = parse_host("n1", json.dumps({"drbd": {"proc": SYNCING, "status": ""}}))
    assert view.copies[158].percent == 10.4
    assert parse_host("n1", "{}").copies == {}


def test_it_is_shown(design):
    out = io.StringIO()
    status_view.show(Console(file=out, width=140), judge(design, pair(design, PRIMARY, SYNCING)))
    text = out.getvalue()
    assert "Secondary, Inconsistent, SyncTarget" in text
    assert "n2, 10.4 % in sync, 1:52 to go" in text
    document = json.loads(status_view.as_json(judge(design, pair(design, PRIMARY, SYNCING))))
    assert document["volumes"][1]["seconds_left"] == 112
