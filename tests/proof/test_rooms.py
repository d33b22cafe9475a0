"""What a member is played with, and how the parsers' words are read; no parser is needed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from hadeploy.daemons.keepalived.check import scripts_apart
from hadeploy.daemons.registry import cluster_information_base, shares
from hadeploy.daemons.units.check import unit_check
from hadeploy.proof.job import JobOutcome
from hadeploy.proof.parsers import State, read_answer, united
from hadeploy.proof.rooms import DUMMY_KEY, room_job, rooms, unjudged


@pytest.fixture
def passive(design_of):
    design = design_of("active-passive")
    return list(rooms(design, shares(design), cluster_information_base(design), ordinary=False))


def test_a_member_has_its_name_its_interfaces_and_its_files(passive):
    first, second = passive
    assert (first.host, second.host) == ("n1", "n2")
    assert first.interfaces == (
        ("lan0", ("10.71.1.11/24",)),
        ("ring0", ("10.71.2.11/24",)),
        ("bmc0", ("10.71.9.11/24",)),
    )
    assert {"/etc/corosync/corosync.conf", "/etc/corosync/authkey"} <= {file.path for file in second.files}


def test_the_cib_is_judged_once_and_twice(passive):
    judged = [[judged.check.parser for judged in room.judged if judged.shown == "CIB"] for room in passive]
    assert judged == [["xmllint", "crm_verify"], []]


def test_no_secret_is_asked_for(passive):
    contents = {file.path: file.content for room in passive for file in room.files}
    assert contents["/etc/corosync/authkey"] == DUMMY_KEY
    assert "@@hadeploy:" not in "".join(contents.values())


def test_every_file_is_judged_or_named_as_one_that_nothing_judges(design_of):
    design = design_of("active-active")
    parts = shares(design)
    (room, _) = rooms(design, parts, None, ordinary=False)
    judged = {file.path for file in room.judged}
    rest = {artifact.path for artifact in unjudged(parts)}
    assert rest == {"/etc/sysctl.d/60-hadeploy.conf"}
    assert judged | rest == {file.path for file in room.files}


def test_units_and_drop_ins_are_read_by_systemd(design_of):
    parts = shares(design_of("active-active"))
    checks = {a.path: unit_check(a) for part in parts for a in part.artifacts}
    unit = checks["/etc/systemd/system/hadeploy-nginx@.service"]
    assert unit is not None
    assert unit.needs == ("/usr/sbin/nginx", "/bin/kill")
    assert not unit.accepts(0, "/etc/systemd/system/hadeploy-nginx@.service:3: Unknown key 'x', ignoring.")
    assert unit.accepts(0, "/usr/lib/systemd/system/other.service:3: Unknown key 'x', ignoring.")
    drop_in = checks["/etc/systemd/system/keepalived.service.d/hadeploy.conf"]
    assert drop_in is not None
    assert drop_in.parser == "systemd-analyze"
    assert drop_in.argv[-1] == "keepalived.service"
    assert checks["/etc/hadeploy/firewall.nft"] is None


def test_an_ordinary_user_judges_keepaliveds_scripts_outside_of_the_room(design_of):
    design = design_of("active-active")
    played = list(rooms(design, shares(design), None, ordinary=True))
    assert [(room.host, room.isolated) for room in played] == [
        ("lb1", True),
        ("lb1", False),
        ("lb2", True),
        ("lb2", False),
    ]
    inside, outside = played[:2]
    text = {file.path: file.content for file in inside.files}["/etc/keepalived/keepalived.conf"]
    assert "vrrp_instance site-a {" in text
    assert "script" not in text.replace("enable_script_security", "").replace("script_user", "")
    (only,) = outside.files
    assert "vrrp_script process-haproxy {" in only.content
    assert "vrrp_instance" not in only.content
    assert text.count("\n") == only.content.count("\n")
    assert room_job(outside, "python3", "pass", root="", stage="/x", ordinary=True).argv[0] == "python3"
    assert room_job(inside, "python3", "pass", root="", stage="", ordinary=True).argv[:2] == (
        "unshare",
        "--user",
    )


def test_without_scripts_there_is_nothing_to_judge_outside():
    text = "global_defs {\n    router_id n1\n}\nvrrp_instance a {\n    state BACKUP\n}\n"
    assert scripts_apart(text) == (text, "")


def answer(room, *told, stood_in=()):
    answers = [
        {"check": n, "code": 0, "words": "", "version": "v1.2.3", "missing": "", **words}
        for n, words in enumerate(told)
    ]
    return JobOutcome(0, json.dumps({"problem": "", "answers": answers, "stood_in": list(stood_in)}), "", 0.1)


@pytest.fixture
def corosync(passive):
    room = passive[1]
    judged = tuple(each for each in room.judged if each.check.parser == "corosync")
    return replace(room, judged=judged)


def test_a_refusal_has_the_words_and_the_line_they_mean(corosync):
    words = "parse error in /etc/corosync/corosync.conf:4: nonsense"
    (verdict,) = read_answer(corosync, answer(corosync, {"code": 8, "words": words}), "here")
    assert (verdict.state, verdict.version, verdict.words) == (State.REFUSED, "1.2.3", words)
    assert verdict.line == "4: cluster_name: active-passive"


def test_silence_is_told_too(corosync):
    (verdict,) = read_answer(corosync, answer(corosync, {"code": 139}), "here")
    assert verdict.words == "it ended with 139 and said nothing"


def test_no_parser_is_not_accepted(corosync):
    told = {"missing": "corosync is not installed here"}
    (verdict,) = read_answer(corosync, answer(corosync, told), "here")
    assert (verdict.state, verdict.words) == (State.UNCHECKED, "corosync is not installed here")


@pytest.mark.parametrize(
    "outcome",
    [
        JobOutcome(1, "", "unshare: unshare failed: Operation not permitted\n", 0.1),
        JobOutcome(0, json.dumps({"problem": "Operation not permitted"}), "", 0.1),
        JobOutcome(124, "[]", "Operation not permitted", 60.0),
    ],
)
def test_a_room_that_cannot_be_made_accepts_nothing(outcome, corosync):
    (verdict,) = read_answer(corosync, outcome, "here")
    assert verdict.state is State.UNCHECKED
    assert "Operation not permitted" in verdict.words


def test_a_file_in_two_parts_is_as_good_as_the_worse(corosync):
    (good,) = read_answer(corosync, answer(corosync, {}), "here")
    (bad,) = read_answer(corosync, answer(corosync, {"code": 8, "words": "no"}), "here")
    (missing,) = read_answer(corosync, answer(corosync, {"missing": "not here"}), "here")
    assert united([good, bad]) == united([bad, good]) == (bad,)
    assert united([good, missing]) == (missing,)
    assert united([missing, bad, good]) == (bad,)


def test_the_arbiters_files_are_judged_too(design_of):
    design = design_of("quorum-device")
    assert design.arbiter is not None
    *_, room = rooms(design, shares(design), None, ordinary=False)
    assert room.host == design.arbiter.host
    assert room.files
    assert room.interfaces == ()
