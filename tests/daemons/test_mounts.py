"""A filesystem that cannot be written any more: noticed, and failed over, on both releases."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from hadeploy.daemons.pacemaker import share as pacemaker
from hadeploy.proof.scheduler_status import StatusWriter
from tests.rules.test_rules import make_case

PATIENT = {"objectives.rto": None}


def cib(design):
    return pacemaker.cluster_information_base(design).xml


def mount_of(design, name="data-filesystem"):
    """Its options, and each monitor as (interval, timeout, depth)."""
    primitive = etree.fromstring(cib(design)).find(f".//primitive[@id='{name}']")
    options = primitive.find("instance_attributes/nvpair[@name='options']")
    monitors = [
        (op.get("interval"), op.get("timeout"), depth.get("value") if depth is not None else "0")
        for op in primitive.iterfind("operations/op[@name='monitor']")
        for depth in [op.find("instance_attributes/nvpair[@name='OCF_CHECK_LEVEL']")]
    ]
    return (options.get("value") if options is not None else ""), monitors


def by_hand(tmp_path, release, operations=None, **parameters):
    member = {
        "kind": "ocf",
        "name": "by-hand",
        "agent": "ocf:heartbeat:Filesystem",
        "parameters": {
            "device": "/dev/disk/by-id/san",
            "directory": "/srv/x",
            "fstype": "ext4",
            **parameters,
        },
        **({"operations": operations} if operations else {}),
    }
    changes = PATIENT | {"release": release, "services.x": {"members": [member]}}
    return make_case(tmp_path, "active-passive", changes).design


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
@pytest.mark.parametrize("filesystem", ["ext4", "xfs", "btrfs"])
def test_a_volume_is_written_on_and_looked_at(release, filesystem, tmp_path):
    changes = {"release": release, "volumes.data.filesystem": filesystem, "volumes.data.size": "1GiB"}
    case = make_case(tmp_path, "active-passive-drbd", changes)
    options, monitors = mount_of(case.design)
    assert options == ("errors=remount-ro" if filesystem == "ext4" else "")
    assert [(interval, depth) for interval, _, depth in monitors] == [("20s", "0"), ("21s", "20")]
    (volume,) = case.design.volumes
    # writes stand still until the handler knows that the lost peer is off: that is no reason to give up the survivor
    assert int(monitors[1][1].removesuffix("s")) > volume.fencing.controller_timeout_s


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
@pytest.mark.parametrize(
    ("parameters", "options", "deep"),
    [
        ({}, "errors=remount-ro", True),
        ({"fstype": "ext3", "options": "noatime"}, "noatime,errors=remount-ro", True),
        ({"options": "noatime,errors=panic"}, "noatime,errors=panic", True),
        ({"options": "ro"}, "ro", False),
        ({"options": "noatime,ro,nodev"}, "noatime,ro,nodev", False),
        ({"options": "ro,rw"}, "ro,rw,errors=remount-ro", True),
        ({"options": "errors=remount-ro"}, "errors=remount-ro", True),
        ({"fstype": "xfs"}, "", True),
        ({"fstype": "none", "options": "bind"}, "bind", True),
        ({"fstype": "none", "options": "bind,ro"}, "bind,ro", False),
        ({"fstype": "iso9660"}, "", False),
        ({"fstype": "nfs", "options": "vers=4"}, "vers=4", False),
    ],
)
def test_a_mount_that_is_written_by_hand(release, parameters, options, deep, tmp_path):
    found, monitors = mount_of(by_hand(tmp_path, release, **parameters), "by-hand")
    assert found == options
    assert [depth for _, _, depth in monitors] == (["0", "20"] if deep else ["0"])
    assert len({interval for interval, _, _ in monitors}) == len(monitors)


def test_what_is_asked_of_the_monitor_is_asked_of_the_test_too(tmp_path):
    slow = by_hand(
        tmp_path, "debian-12", {"monitor_interval": "60s", "monitor": "90s", "on_fail": {"monitor": "block"}}
    )
    assert mount_of(slow, "by-hand")[1] == [("60s", "90s", "0"), ("61s", "90s", "20")]
    root = etree.fromstring(cib(slow))
    assert [
        op.get("on-fail") for op in root.iterfind(".//primitive[@id='by-hand']//op[@name='monitor']")
    ] == ["block"] * 2
    assert root.find(".//rsc_location[@id='location-x-by-hand-written']") is None
    never = by_hand(tmp_path, "debian-12", {"monitor_interval": "0s"})
    assert mount_of(never, "by-hand")[1] == []


PLACE = {"data-drbd:0": "n1", "data-drbd:0 promoted": "n1", "ipmi-n2": "n1"}


def after_a_failed_write(design, *, alone: bool) -> list[str]:
    """What Pacemaker does with each resource once n1 cannot write any more; ``alone``: n2 has left."""
    (group,) = design.cluster.resources.groups
    place = PLACE | {resource.name: "n1" for resource in group.resources}
    place |= {} if alone else {"data-drbd:1": "n2", "ipmi-n1": "n2"}
    text = re.sub(r' execution-date="\d+"', "", StatusWriter(cib(design)).status(place))
    if alone:
        text = re.sub(
            r'uname="n2" in_ccm="true" crmd="online" join="member" expected="member"',
            'uname="n2" in_ccm="false" crmd="offline" join="down" expected="down"',
            text,
        )
    told = subprocess.run(
        ["crm_simulate", "--xml-pipe", "-S", "--op-inject=data-filesystem_monitor_21000@n1=1"],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    summary = told[told.index("Transition Summary") : told.index("Executing Cluster Transition")]
    return [
        " ".join(line.split())
        for line in summary.splitlines()
        if "data-filesystem (" in " ".join(line.split())
    ]


@pytest.mark.native
def test_it_fails_over_and_where_nobody_is_left_it_is_restarted(tmp_path):
    design = make_case(tmp_path, "active-passive-drbd", PATIENT).design
    assert after_a_failed_write(design, alone=False) == ["* Recover data-filesystem ( n1 -> n2 )"]
    assert after_a_failed_write(design, alone=True) == ["* Recover data-filesystem ( n1 )"]


@pytest.mark.native
@pytest.mark.parametrize("symmetric", [True, False])
def test_pacemaker_takes_it(symmetric, tmp_path, parser_host):
    changes = PATIENT | {"policy": {"symmetric": symmetric}, "services.web.locations": {"n1": 50, "n2": 10}}
    base = pacemaker.cluster_information_base(make_case(tmp_path, "active-passive-drbd", changes).design)
    for check in base.checks:
        good, said = parser_host.judge(check, base.xml)
        assert good, said


AGENT = Path("/usr/lib/ocf/resource.d/heartbeat/Filesystem")
AGENT_CALL = 'agent() { OCF_CHECK_LEVEL=$2 "$AGENT" "$1" >/dev/null 2>&1; echo "$1 $2 $?"; }'
TRIAL = """
set -u
agent start 0; agent monitor 0; agent monitor 20
mount -o remount,ro "$OCF_RESKEY_directory"
agent monitor 0; agent monitor 20; agent stop 0; agent monitor 0
"""


@pytest.mark.programs
def test_the_agent_itself_sees_only_by_the_test_that_it_became_read_only(tmp_path):
    """The agent of this machine, in a mount namespace of its own; and a read-only mount can be taken down."""
    design = by_hand(tmp_path, "debian-12", device="tmpfs", directory="/srv/mount", fstype="tmpfs")
    primitive = etree.fromstring(cib(design)).find(".//primitive[@id='by-hand']")
    parameters = {
        f"OCF_RESKEY_{pair.get('name')}": pair.get("value")
        for pair in primitive.iterfind("instance_attributes/nvpair")
    }
    parameters["OCF_RESKEY_directory"] = str(tmp_path / "mount")  # no topology mounts anything below /tmp
    fine, failed, gone = 0, 1, 7
    expected = [("start", 0, fine), ("monitor", 0, fine), ("monitor", 20, fine)]
    expected += [("monitor", 0, fine), ("monitor", 20, failed), ("stop", 0, fine), ("monitor", 0, gone)]
    assert answers(TRIAL, parameters, tmp_path) == [
        (verb, str(depth), str(code)) for verb, depth, code in expected
    ]


FULL = """
set -u
truncate -s 16M "$OCF_RESKEY_directory.img"
mkfs.ext4 -q "$OCF_RESKEY_directory.img"
export OCF_RESKEY_device=$(losetup --find --show "$OCF_RESKEY_directory.img")
agent start 0; agent monitor 20
dd if=/dev/zero of="$OCF_RESKEY_directory/fill" bs=4k 2>/dev/null; sync
for _ in 1 2 3; do agent monitor 20; done
agent stop 0
losetup --detach "$OCF_RESKEY_device"
"""


@pytest.mark.programs
def test_a_full_filesystem_is_not_taken_for_one_that_cannot_be_written(tmp_path):
    """Root filled it to the last block: elsewhere it would be as full, so that moving helps nobody."""
    parameters = {"OCF_RESKEY_directory": str(tmp_path / "mount"), "OCF_RESKEY_fstype": "ext4"}
    assert answers(FULL, parameters, tmp_path) == [
        ("start", "0", "0"),
        *[("monitor", "20", "0")] * 4,
        ("stop", "0", "0"),
    ]


def answers(script, parameters, tmp_path):
    """What the agent answers, as (operation, depth, exit code), in a mount namespace of its own."""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RESOURCE_INSTANCE": "by-hand",
        "OCF_RESOURCE_TYPE": "Filesystem",
        "OCF_RESOURCE_PROVIDER": "heartbeat",
        "HA_RSCTMP": str(tmp_path),
        "HA_LOGFACILITY": "none",
        "AGENT": str(AGENT),
        "MODPROBE": "/usr/bin/true",  # only looked for: tmpfs is in every kernel
        **parameters,
    }
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f"{AGENT_CALL}{script}"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return [tuple(line.split()) for line in done.stdout.splitlines()]
