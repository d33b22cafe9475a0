"""Every parser of the gate takes what is rendered and refuses what is corrupted: this machine's parsers, those of the
release's node image, and this machine's again as an ordinary user has them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hadeploy.app.check import Judges, check_parts, own_judges
from hadeploy.daemons.registry import cluster_information_base, shares
from hadeploy.lab.container_image import ensure_container_image
from hadeploy.lab.parsers import ensure_parser_root
from hadeploy.lab.tell import say_nothing
from hadeploy.proof.parsers import State, Verdict, read_answer, united
from hadeploy.proof.rooms import room_job, rooms
from hadeploy.run import parser_room
from hadeploy.run.jobs import run_jobs

pytestmark = pytest.mark.native

ORDINARY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
PYTHON = "/usr/bin/python3"
"""One that an ordinary user may run: this test's own may lie in root's home."""

Judge = Callable[..., tuple[Verdict, ...]]


def judged_by(judges: Judges) -> Judge:
    return lambda design, parts, cib: check_parts(design, parts, cib, judges)


def as_ordinary_user(design, parts, cib) -> tuple[Verdict, ...]:
    program = Path(parser_room.__file__).read_text(encoding="utf-8")
    played = list(rooms(design, parts, cib, ordinary=True))
    with tempfile.TemporaryDirectory(prefix="hadeploy-gate-") as stage:
        os.chown(stage, 65534, 65534)

        def jobs():
            for number, room in enumerate(played):
                place = "" if room.isolated else stage
                job = room_job(room, PYTHON, program, root="", stage=place, ordinary=True)
                yield number, replace(job, argv=(*ORDINARY, *job.argv))

        outcomes = dict(run_jobs(jobs()))
    return united(v for n, room in enumerate(played) for v in read_answer(room, outcomes[n], "here"))


@pytest.fixture(scope="module", params=["this machine", "node image", "ordinary user"])
def judge(request) -> Judge:
    if os.geteuid() != 0:
        pytest.fail("run make test as root")
    if request.param == "ordinary user":
        return as_ordinary_user
    if request.param == "this machine":
        return judged_by(own_judges("debian-12"))
    return judged_by(node_image("debian-12"))


def node_image(release: str) -> Judges:
    ensure_container_image(release, say_nothing)
    tree = ensure_parser_root(release, say_nothing)
    return Judges(tree, "the node image", versions_will_run=True)


def first_member(design, change=lambda path, content: content):
    """Shares of the first member, contents changed, and the CIB."""
    name = design.members[0].name
    parts = [
        replace(part, artifacts=tuple(replace(a, content=change(a.path, a.content)) for a in part.artifacts))
        for part in shares(design)
        if part.host == name
    ]
    cib = cluster_information_base(design)
    return parts, cib and replace(cib, xml=change("CIB", cib.xml))


CLUSTER = {"corosync", "xmllint", "crm_verify"}
PARSERS = {
    "active-active": {"haproxy", "keepalived"},
    "active-passive": CLUSTER,
    "active-passive-drbd": CLUSTER | {"drbdadm-84", "sh"},
    "n-plus-1": CLUSTER,
}


@pytest.mark.parametrize("example", PARSERS)
def test_what_is_rendered_is_accepted(example, judge, design_of):
    design = design_of(example)
    verdicts = judge(design, *first_member(design))
    assert {v.state for v in verdicts} == {State.ACCEPTED}, verdicts
    assert all(v.version for v in verdicts if v.parser != "sh")
    assert {v.parser for v in verdicts} == {"nft", "nginx", "systemd-analyze"} | PARSERS[example]


CORRUPTED = [
    ("active-active", "/etc/hadeploy/firewall.nft", "policy drop", "policy dropp", "nft", ""),
    ("active-active", "/etc/haproxy/haproxy.cfg", "balance roundrobin", "balance robin", "haproxy", ""),
    ("active-active", "/etc/haproxy/haproxy.cfg", "timeout client ", "# ", "haproxy", "missing timeouts"),
    ("active-active", "/etc/hadeploy/nginx/web.conf", "sendfile on", "sendfile maybe", "nginx", "sendfile"),
    (
        "active-active",
        "/etc/keepalived/keepalived.conf",
        "router_id 61",
        "router_id 256",
        "keepalived",
        "256",
    ),
    (
        "active-active",
        "/etc/keepalived/keepalived.conf",
        "interface lan0",
        "interface lan7",
        "keepalived",
        "lan7",
    ),
    (
        "active-active",
        "/etc/keepalived/keepalived.conf",
        "interval 1",
        "intervall 1",
        "keepalived",
        "intervall",
    ),
    (
        "active-active",
        "/etc/keepalived/keepalived.conf",
        "user nobody",
        "user noone",
        "keepalived",
        "uid/gid",
    ),
    (
        "active-active",
        "/etc/systemd/system/hadeploy-nginx@.service",
        "ExecStart=",
        "ExecStar=",
        "systemd-analyze",
        "",
    ),
    (
        "active-active",
        "/etc/systemd/system/keepalived.service.d/hadeploy.conf",
        "Restart=always",
        "Restart=oftn",
        "systemd-analyze",
        "oftn",
    ),
    ("active-passive-drbd", "/etc/drbd.d/data.res", "protocol C", "protokol C", "drbdadm-84", "protokol"),
    ("active-passive", "/etc/corosync/corosync.conf", "aes256", "rot13", "corosync", "cipher"),
    (
        "active-passive",
        "/etc/corosync/corosync.conf",
        "name: n1\n        nodeid: 1",
        "nodeid: 2",
        "corosync",
        "",
    ),
    ("active-passive", "CIB", "<rsc_location", "<rsc_locatoin", "xmllint", "rsc_locatoin"),
    ("active-passive", "CIB", 'class="stonith"', 'class="ocf" provider="heartbeat"', "crm_verify", "STONITH"),
]


@pytest.mark.parametrize(
    ("example", "path", "good", "bad", "parser", "words"), CORRUPTED, ids=lambda value: str(value)[-24:]
)
def test_what_is_corrupted_is_refused(example, path, good, bad, parser, words, judge, design_of):
    design = design_of(example)

    def corrupt(where: str, content: str) -> str:
        if where != path:
            return content
        assert good in content, content
        return content.replace(good, bad)

    verdicts = judge(design, *first_member(design, corrupt))
    refused = [verdict for verdict in verdicts if verdict.state is State.REFUSED]
    assert parser in {verdict.parser for verdict in refused}, verdicts
    assert {verdict.path for verdict in refused} == {path}
    assert any(words in verdict.words for verdict in refused), refused


def test_a_file_that_includes_what_is_not_there_is_refused(judge, design_of):
    design = design_of("active-active")

    def corrupt(path: str, content: str) -> str:
        return (
            content.replace("/etc/nginx/mime.types", "/etc/nginx/mime.typos") if "nginx/" in path else content
        )

    verdicts = judge(design, *first_member(design, corrupt))
    assert [v.parser for v in verdicts if v.state is State.REFUSED] == ["nginx"]


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
def test_a_node_image_has_every_parser_of_its_release(release, design_of):
    """Units that drop-ins are read with, too: the quorum device's client is on no controller."""
    design = design_of("quorum-device", ("release: debian-12", f"release: {release}"))
    verdicts = check_parts(design, *first_member(design), node_image(release))
    assert {v.state for v in verdicts} == {State.ACCEPTED}, verdicts
    assert {v.place for v in verdicts} == {"the node image"}


SETTINGS = "/etc/postgresql/15/orders/postgresql.conf"


@pytest.mark.parametrize(
    ("good", "bad", "words"),
    [
        ("port = 5432", "port = 5432", ""),
        ("port = 5432", "port = many", "port"),
        ("wal_level = ", "wal_levle = ", "wal_levle"),
        ("synchronous_commit = 'on'", "synchronous_commit = 'on", "syntax error"),
    ],
)
def test_a_database_s_settings(design_of, good, bad, words):
    """By this machine's server: none is in the node image, and an ordinary user is not the server's."""
    design = design_of("postgresql-streaming")
    changed = first_member(design, lambda path, text: text.replace(good, bad) if path == SETTINGS else text)
    verdicts = judged_by(own_judges("debian-12"))(design, *changed)
    (verdict,) = (each for each in verdicts if each.parser == "postgres")
    assert verdict.state is (State.REFUSED if words else State.ACCEPTED), verdict
    assert words in verdict.words
