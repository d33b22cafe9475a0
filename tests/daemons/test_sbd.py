from __future__ import annotations

import pytest
from lxml import etree

from hadeploy.daemons.pacemaker import share as pacemaker
from hadeploy.daemons.registry import shares
from hadeploy.daemons.sbd import share as sbd
from hadeploy.project.inventory import play_variables
from hadeploy.project.playbook import playbook

ALONE = "fencing:\n  watchdog: {timeout: 7s}\n"
DISKS = """fencing:
  watchdog:
    device: /dev/watchdog1
    timeout: 15s
    disks: [/dev/disk/by-id/a, /dev/disk/by-id/b, /dev/disk/by-id/c]
  devices:
    message: {agent: fence_sbd, targets: [n1, n2]}
"""


def with_fencing(design_of, pattern, text):
    from tests.conftest import INVENTORIES

    whole = (INVENTORIES / pattern / "topology.yaml").read_text(encoding="utf-8")
    fencing = whole[whole.index("fencing:") : whole.index("virtual_addresses:")]
    return design_of(pattern, (fencing, f"{text}\n"))


@pytest.fixture
def alone(design_of):
    """Three members, each with nothing but its watchdog."""
    return with_fencing(design_of, "n-plus-1", ALONE)


@pytest.fixture
def disks(design_of):
    """Two members with three shared disks."""
    return with_fencing(design_of, "active-passive", DISKS)


def artifact_of(design, path):
    share = sbd.share(design, design.members[0])
    (artifact,) = (each for each in share.artifacts if each.path == path)
    return artifact


def settings(design):
    artifact = artifact_of(design, "/etc/default/sbd")
    lines = [line for line in artifact.content.splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def cib(design):
    return etree.fromstring(pacemaker.cluster_information_base(design).xml)


def properties(design):
    return {pair.get("name"): pair.get("value") for pair in cib(design).iterfind(".//crm_config//nvpair")}


def test_settings(alone, disks):
    found = settings(alone)
    assert (found["SBD_DEVICE"], found["SBD_WATCHDOG_DEV"], found["SBD_WATCHDOG_TIMEOUT"]) == (
        '""',
        "/dev/watchdog",
        "7",
    )
    found = settings(disks)
    assert (found["SBD_DEVICE"], found["SBD_WATCHDOG_DEV"], found["SBD_WATCHDOG_TIMEOUT"]) == (
        '"/dev/disk/by-id/a;/dev/disk/by-id/b;/dev/disk/by-id/c"',
        "/dev/watchdog1",
        "15",
    )


RING = 1_000 + 650 + 1_980  # n-plus-1: token of three members, consensus
RACE = 5_000  # active-passive: the head start of the first of two members


@pytest.mark.parametrize(
    ("pattern", "text", "least_ms"),
    [
        # the watchdogs' own time, by which the others count a lost member as off
        ("n-plus-1", ALONE, RING + 14_000),
        ("n-plus-1", ALONE.replace("7s", "7s, power_off_after: 40s"), RING + 40_000),
        # the message's time, and what a race of two waits before it is sent
        ("active-passive", DISKS, 1_000 + 1_200 + RACE + 30_000),
        ("active-passive", DISKS.replace("15s", "15s\n    message_wait: 90s"), 1_000 + 1_200 + RACE + 90_000),
        ("active-passive", DISKS.replace("n2]}", "n2], random_delay: 20s}"), 1_000 + 1_200 + 20_000 + 30_000),
    ],
    ids=["alone", "alone-patient", "disks", "slow-disks", "by-chance"],
)
def test_nobody_is_back_before_the_others_count_it_as_off(pattern, text, least_ms, design_of):
    """sbd(8), SBD_DELAY_START: token + consensus + pcmk_delay_max + msgwait; systemd waits for longer than that."""
    design = with_fencing(design_of, pattern, text)
    delay_s = int(settings(design)["SBD_DELAY_START"])
    assert least_ms <= delay_s * 1000 <= least_ms + 5_000
    drop_in = artifact_of(design, "/etc/systemd/system/sbd.service.d/hadeploy.conf").content
    (bound,) = (line for line in drop_in.splitlines() if line.startswith("TimeoutStartSec="))
    assert int(bound.partition("=")[2]) >= delay_s + 90


def test_a_corosync_that_comes_back_is_not_spared(alone, two_nodes):
    """SBD goes down and up with it, and waits: the others have decided by then."""
    from hadeploy.proof.recovery import predict

    for design, spared in ((alone, False), (two_nodes, True)):
        crash = [
            each
            for each in predict(design)
            if each.mishap.breakage == "daemon-crash" and each.mishap.subject == "corosync" and each.terms
        ]
        assert crash
        assert {each.best_ms == 0 for each in crash} == {spared}


def test_the_unit_comes_up_with_corosync(alone):
    share = sbd.share(alone, alone.members[0])
    assert [(unit.name, unit.enabled, unit.running) for unit in share.units] == [("sbd.service", True, None)]
    assert share.packages == ("sbd",)


def test_no_watchdog_no_share(two_nodes, active_active):
    assert sbd.share(two_nodes, two_nodes.members[0]) is None
    assert sbd.share(active_active, active_active.members[0]) is None


def test_watchdogs_alone_are_a_property(alone):
    assert properties(alone)["stonith-watchdog-timeout"] == "14s"
    assert properties(alone)["have-watchdog"] == "true"
    assert cib(alone).find(".//primitive[@class='stonith']") is None


def test_disks_are_those_of_the_watchdog(disks):
    assert "stonith-watchdog-timeout" not in properties(disks)
    device = cib(disks).find(".//primitive[@id='message']")
    pairs = {pair.get("name"): pair.get("value") for pair in device.iterfind("instance_attributes/nvpair")}
    assert pairs["devices"] == "/dev/disk/by-id/a,/dev/disk/by-id/b,/dev/disk/by-id/c"
    assert pairs["pcmk_delay_base"] == "n1:5s;n2:0s"


def test_pacemaker_is_told_after_sbd_runs(alone, two_nodes):
    names = [play["name"] for play in playbook(shares(alone))]
    assert (
        names.index("Watchdog")
        < names.index("Corosync")
        < names.index("Watchdog serves")
        < names.index("CIB")
    )
    assert not {"Watchdog", "Watchdog serves"} & {play["name"] for play in playbook(shares(two_nodes))}


def test_fencing_takes_what_is_waited_out(alone, disks):
    from hadeploy.proof.fencing import prove_fencing
    from hadeploy.proof.recovery import predict

    for design, expected in ((alone, 14_000), (disks, 30_000)):
        cut = next(each for each in predict(design) if each.mishap.breakage == "power-cut" and each.terms)
        term = next(term for term in cut.terms if term.name.startswith("fence "))
        assert term.best_ms == expected
        assert prove_fencing(design).holds


@pytest.mark.native
@pytest.mark.parametrize("which", ["alone", "disks"])
@pytest.mark.parametrize("number", [0, 1])
def test_parser_takes_it(which, number, request, parser_host):
    base = pacemaker.cluster_information_base(request.getfixturevalue(which))
    good, said = parser_host.judge(base.checks[number], base.xml)
    assert good, said


def test_what_sbd_needs_is_looked_at_before_anything_is_written(alone, disks, two_nodes):
    for design, named in (
        (alone, ()),
        (disks, ("/dev/disk/by-id/a", "/dev/disk/by-id/b", "/dev/disk/by-id/c")),
    ):
        names = [play["name"] for play in playbook(shares(design))]
        assert names.index("Install") < names.index("Check watchdogs") < names.index("Write")
        found = play_variables(design, shares(design), None)["hadeploy_watchdog"]
        assert tuple(found["disks"]) == named
        assert found["device"] == design.cluster.fencing.watchdog.device
    assert "Check watchdogs" not in {play["name"] for play in playbook(shares(two_nodes))}
    assert "hadeploy_watchdog" not in play_variables(two_nodes, shares(two_nodes), None)
