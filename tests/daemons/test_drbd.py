from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from hadeploy.daemons.drbd import share as drbd
from hadeploy.daemons.drbd.compile import endpoint
from hadeploy.daemons.firewall import share as firewall
from hadeploy.daemons.pacemaker import share as pacemaker
from hadeploy.daemons.pacemaker.check import with_members_online
from hadeploy.design.design import Design
from hadeploy.design.volumes import Resync

RESOURCE = "/etc/drbd.d/data.res"


def with_volume(design: Design, **changes: object) -> Design:
    return replace(design, volumes=(replace(design.volumes[0], **changes),))


def text_of(design: Design, find) -> str:
    return find(drbd.share(design, design.members[0]), RESOURCE).content


def section(text: str, name: str) -> dict[str, str]:
    found = re.search(rf"^    {name} \{{\n(.*?)^    \}}", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {name}"
    return dict(line.strip().rstrip(";").split(" ", 1) for line in found[1].splitlines())


def test_8_4_has_its_fencing_policy_in_the_disk_section(replicated, find):
    text = text_of(replicated, find)
    assert section(text, "disk")["fencing"] == "resource-and-stonith"
    assert "fencing" not in section(text, "net")
    assert section(text, "handlers") == {
        "fence-peer": '"/usr/lib/drbd/crm-fence-peer.sh --role Promoted --timeout 33 --dc-timeout 43"',
        "unfence-peer": '"/usr/lib/drbd/crm-unfence-peer.sh --role Promoted"',
    }
    assert "node-id" not in text
    assert "connection-mesh" not in text


def test_9_has_it_in_the_net_section_and_never_promotes_by_itself(tied, find):
    text = text_of(tied, find)
    assert section(text, "net")["fencing"] == "resource-and-stonith"
    assert "fencing" not in section(text, "disk")
    assert "/usr/lib/drbd/crm-fence-peer.9.sh " in section(text, "handlers")["fence-peer"]
    assert section(text, "options") == {
        "on-no-data-accessible": "io-error",
        "quorum": "majority",
        "on-no-quorum": "io-error",
        "auto-promote": "no",
    }
    assert re.findall(r"node-id (\d)", text) == ["0", "1", "2"]
    assert "    connection-mesh {\n        hosts n1 n2 n3;\n    }\n" in text
    assert text.count("disk none;") == 1
    assert text.count("meta-disk internal;") == 2


def test_no_policy_without_its_handler_and_no_handler_without_its_policy(replicated, find):
    volume = replicated.volumes[0]
    text = text_of(with_volume(replicated, fencing=replace(volume.fencing, policy="dont-care")), find)
    assert section(text, "disk")["fencing"] == "dont-care"
    assert "handlers" not in text


def test_the_send_buffer_is_named_where_it_bounds_a_loss(replicated, find):
    assert "sndbuf-size" not in section(text_of(replicated, find), "net")
    asynchronous = with_volume(replicated, protocol="A", send_buffer=512 * 1024)
    assert section(text_of(asynchronous, find), "net")["sndbuf-size"] == "512K"


def test_times_are_in_the_units_of_the_file(replicated, find):
    net = section(text_of(replicated, find), "net")
    assert {name: net[name] for name in ("ping-int", "ping-timeout", "timeout", "connect-int")} == {
        "ping-int": "2",
        "ping-timeout": "10",
        "timeout": "15",
        "connect-int": "2",
    }


def test_rates_are_kib_a_second(replicated, find):
    disk = section(text_of(replicated, find), "disk")
    assert (disk["c-max-rate"], disk["c-min-rate"], disk["c-plan-ahead"]) == ("102400", "250", "20")
    assert "resync-rate" not in disk
    fixed = with_volume(replicated, resync=Resync(100 * 1024**2, 0, 0, 40 * 1024**2))
    disk = section(text_of(fixed, find), "disk")
    assert (disk["resync-rate"], disk["c-plan-ahead"]) == ("40960", "0")


def test_what_was_written_is_never_discarded(replicated, find):
    net = section(text_of(replicated, find), "net")
    assert [net[f"after-sb-{n}pri"] for n in (0, 1, 2)] == ["discard-zero-changes", "consensus", "disconnect"]
    assert net["rr-conflict"] == "disconnect"
    assert "allow-two-primaries" not in net


def test_the_secret_is_a_reference_and_the_file_private(replicated, find):
    share = drbd.share(replicated, replicated.members[0])
    file = find(share, RESOURCE)
    assert section(file.content, "net")["shared-secret"] == '"@@hadeploy:drbd-data@@"'
    assert (file.mode, [secret.length for secret in file.secrets]) == ("0600", [63])
    open_file = find(drbd.share(with_volume(replicated, secret=None), replicated.members[0]), RESOURCE)
    assert (open_file.mode, open_file.secrets) == ("0644", ())
    assert "cram-hmac-alg" not in open_file.content


def test_the_file_is_the_same_on_every_member(tied, find):
    texts = {find(drbd.share(tied, member), RESOURCE).content for member in tied.members}
    assert len(texts) == 1


def test_ipv6_has_brackets():
    assert endpoint("2001:db8::1", 7788) == "ipv6 [2001:db8::1]:7788"
    assert endpoint("192.0.2.1", 7788) == "ipv4 192.0.2.1:7788"


def test_only_pacemaker_starts_it(replicated):
    units = {unit.name: unit for unit in drbd.share(replicated, replicated.members[0]).units}
    assert (units["drbd.service"].enabled, units["drbd.service"].running) == (False, None)
    timer = units["hadeploy-drbd-verify@data.timer"]
    assert (timer.enabled, timer.running) == (True, True)


def test_packages_follow_from_filesystem_and_disks(replicated):
    names = set(drbd.share(replicated, replicated.members[0]).packages)
    assert {"drbd-utils", "e2fsprogs"} <= names
    assert not names & {"xfsprogs", "lvm2"}
    volume = replicated.volumes[0]
    first = replace(volume.replicas[0], volume_group="vg0", logical_volume="data")
    changed = with_volume(replicated, filesystem="xfs", replicas=(first, volume.replicas[1]))
    assert {"xfsprogs", "lvm2"} <= set(drbd.share(changed, changed.members[0]).packages)
    assert "lvm2" not in drbd.share(changed, changed.members[1]).packages


def test_without_a_verification_nothing_is_compared(replicated, find):
    share = drbd.share(with_volume(replicated, verification=None), replicated.members[0])
    assert [file.path for file in share.artifacts] == [RESOURCE]
    assert [unit.name for unit in share.units] == ["drbd.service"]
    assert "verify-alg" not in text_of(with_volume(replicated, verification=None), find)


def test_who_has_no_part_in_it_gets_nothing(tied):
    volume = tied.volumes[0]
    two = with_volume(tied, replicas=volume.replicas[:2])
    assert drbd.share(two, two.members[2]) is None


def cib(design: Design):
    return etree.fromstring(pacemaker.cluster_information_base(design).xml.encode())


def pairs(root, path: str) -> dict[str, str]:
    return {pair.get("name"): pair.get("value") for pair in root.iterfind(f"{path}/nvpair")}


def test_the_clone_is_promotable_and_notified(replicated):
    meta = pairs(cib(replicated), ".//clone[@id='data-drbd-clone']/meta_attributes")
    assert meta == {
        "clone-max": "2",
        "clone-node-max": "1",
        "failure-timeout": "3600s",
        "interleave": "true",
        "migration-threshold": "3",
        "notify": "true",
        "promotable": "true",
        "promoted-max": "1",
        "promoted-node-max": "1",
    }


def test_monitors_of_the_roles_have_intervals_of_their_own(replicated):
    monitors = cib(replicated).findall(".//clone//op[@name='monitor']")
    assert {op.get("role"): op.get("interval") for op in monitors} == {"Promoted": "10s", "Unpromoted": "20s"}
    assert len({op.get("id") for op in monitors}) == 2


def test_roles_are_named_as_the_release_names_them(replicated, find):
    older = replace(replicated, release=replace(replicated.release, promoted_role="Master"))
    root = cib(older)
    roles = {op.get("role") for op in root.findall(".//clone//op[@name='monitor']")}
    assert roles == {"Master", "Slave"}
    assert root.find(".//rsc_colocation").get("with-rsc-role") == "Master"
    assert "--role Master" in text_of(older, find)


def test_order_and_colocation_come_together(replicated):
    root = cib(replicated)
    order, together = root.find(".//rsc_order"), root.find(".//rsc_colocation")
    assert {name: order.get(name) for name in ("first", "first-action", "then", "then-action")} == {
        "first": "data-drbd-clone",
        "first-action": "promote",
        "then": "web",
        "then-action": "start",
    }
    assert dict(together.attrib) == {
        "id": "colocation-web-data-drbd-clone",
        "rsc": "web",
        "with-rsc": "data-drbd-clone",
        "with-rsc-role": "Promoted",
        "score": "INFINITY",
    }


def test_a_tiebreaker_is_never_promoted_and_strangers_run_nothing(tied):
    found = cib(tied).find(".//rsc_location[@rsc='data-drbd-clone']")
    assert (found.get("node"), found.get("role"), found.get("score")) == ("n3", "Promoted", "-INFINITY")
    volume = tied.volumes[0]
    found = cib(with_volume(tied, replicas=volume.replicas[:2])).find(
        ".//rsc_location[@rsc='data-drbd-clone']"
    )
    assert (found.get("node"), found.get("role"), found.get("score")) == ("n3", None, "-INFINITY")


def test_the_link_is_open_to_its_members_alone(design_of):
    design = design_of("active-passive-drbd")
    volume = design.volumes[0]
    rules = firewall.share(design, design.members[0]).artifacts[0].content
    assert (
        f'ip saddr {{ 10.81.3.11, 10.81.3.12 }} tcp dport {{ {volume.port} }} accept comment "DRBD volume data"'
        in rules
    )


@pytest.mark.native
@pytest.mark.parametrize("which", ["replicated", "tied"])
def test_parser_takes_it(which, request, parser_host, find):
    design = request.getfixturevalue(which)
    file = find(drbd.share(design, design.members[0]), RESOURCE)
    good, said = parser_host.judge(file.check, file.content)
    assert good, said


@pytest.mark.native
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("al-extents", "al-extent"),
        ('on "n2" {', 'on "n1" {'),
        ("192.0.2.2:7795", "192.0.2.1:7795"),
        ("connection-mesh {\n        hosts n1 n2 n3;\n    }\n", ""),
    ],
)
def test_parser_refuses_what_is_broken(old, new, tied, parser_host, find):
    file = find(drbd.share(tied, tied.members[0]), RESOURCE)
    assert old in file.content
    good, said = parser_host.judge(file.check, file.content.replace(old, new))
    assert not good, said


@pytest.mark.native
def test_each_generation_has_its_own_grammar(replicated, tied, parser_host, find):
    old = find(drbd.share(replicated, replicated.members[0]), RESOURCE)
    new = find(drbd.share(tied, tied.members[0]), RESOURCE)
    assert not parser_host.judge(new.check, old.content)[0]
    assert not parser_host.judge(old.check, new.content)[0]


@pytest.mark.native
@pytest.mark.parametrize("which", ["replicated", "tied"])
@pytest.mark.parametrize("number", [0, 1])
def test_pacemaker_takes_it(which, number, request, parser_host):
    base = pacemaker.cluster_information_base(request.getfixturevalue(which))
    good, said = parser_host.judge(base.checks[number], base.xml)
    assert good, said


@pytest.mark.native
def test_crm_verify_has_nothing_to_say_when_all_are_online(tied, parser_host):
    base = pacemaker.cluster_information_base(tied)
    check = replace(base.checks[1], accept=(0,))
    good, said = parser_host.judge(check, with_members_online(base.xml))
    assert good, said


DRBDADM = """#!/bin/sh
echo "drbdadm $*" >> "$LOG"
case "$1" in
sh-minor) echo 7 ;;
role) echo "$ROLE/Secondary" ;;
verify) [ -z "$AFTER" ] || cp "$AFTER" "$PROC" ;;
esac
"""

PROC = """version: 8.4.11 (api:1/proto:86-101)
 7: cs:{connection} ro:Primary/Secondary ds:UpToDate/UpToDate C r-----
    ns:1 nr:0 dw:1 dr:1 al:1 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:{oos}
17: cs:WFConnection ro:Secondary/Unknown ds:UpToDate/DUnknown C r-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:99
"""


def run_verify(
    replicated: Design,
    find,
    tmp_path: Path,
    *,
    role: str = "Primary",
    oos: int = 0,
    before: str = "Connected",
):
    """The program as it is on a member, with a drbdadm and a /proc/drbd of the test's own."""
    proc, after, log = tmp_path / "proc", tmp_path / "after", tmp_path / "log"
    proc.write_text(PROC.format(connection=before, oos=0))
    after.write_text(PROC.format(connection="Connected", oos=oos))
    program = tmp_path / "drbdadm"
    program.write_text(DRBDADM)
    program.chmod(0o755)
    share = drbd.share(replicated, replicated.members[0])
    script = find(share, "/usr/local/lib/hadeploy/drbd-verify").content.replace("/proc/drbd", str(proc))
    done = subprocess.run(
        ["sh", "-c", script.replace("sleep 1\n", ""), "drbd-verify", "data"],
        env={
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "LOG": str(log),
            "ROLE": role,
            "AFTER": str(after),
            "PROC": str(proc),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done, log.read_text().splitlines()


def test_copies_that_are_the_same(replicated, find, tmp_path):
    done, calls = run_verify(replicated, find, tmp_path)
    assert (done.returncode, done.stdout) == (0, "the copies of data are the same\n"), done.stderr
    assert "drbdadm verify data" in calls


def test_what_differs_is_sent_anew_and_told(replicated, find, tmp_path):
    done, calls = run_verify(replicated, find, tmp_path, oos=12)
    assert done.returncode == 1
    assert "differ in 12 KiB" in done.stderr
    assert calls[-2:] == ["drbdadm disconnect data", "drbdadm connect data"]


def test_only_the_primary_compares(replicated, find, tmp_path):
    done, calls = run_verify(replicated, find, tmp_path, role="Secondary")
    assert done.returncode == 0
    assert "drbdadm verify data" not in calls


@pytest.mark.parametrize("state", ["WFConnection", "SyncSource"])
def test_nothing_is_compared_with_nobody(replicated, find, tmp_path, state):
    done, calls = run_verify(replicated, find, tmp_path, before=state)
    assert done.returncode == 1
    assert "drbdadm verify data" not in calls
