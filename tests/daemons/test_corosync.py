from __future__ import annotations

import os
from dataclasses import replace

import pytest

from hadeploy.daemons.corosync import share as corosync
from hadeploy.daemons.corosync.section import Section
from hadeploy.daemons.qdevice import share as qdevice

PATH = "/etc/corosync/corosync.conf"
KEY = "/etc/corosync/authkey"

TWO_NODES = """\
# Written by hadeploy from topology demo; edit the topology, not this file.
totem {
    version: 2
    cluster_name: demo
    transport: knet
    link_mode: passive
    crypto_cipher: aes256
    crypto_hash: sha256
    keyfile: /etc/corosync/authkey
    token: 1000
    token_coefficient: 650
    consensus: 1200
    interface {
        linknumber: 0
        knet_link_priority: 2
    }
    interface {
        linknumber: 1
        knet_link_priority: 1
    }
}
nodelist {
    node {
        name: n1
        nodeid: 1
        ring0_addr: 192.0.2.1
        ring1_addr: 198.51.100.1
    }
    node {
        name: n2
        nodeid: 2
        ring0_addr: 192.0.2.2
        ring1_addr: 198.51.100.2
    }
}
quorum {
    provider: corosync_votequorum
    two_node: 1
    wait_for_all: 1
}
logging {
    to_syslog: yes
    to_stderr: no
    to_logfile: no
}
"""


def test_two_nodes_text(two_nodes, find):
    assert find(corosync.share(two_nodes, two_nodes.members[0]), PATH).content == TWO_NODES


def test_every_member_gets_the_same_bytes(three_nodes, find):
    contents = {find(corosync.share(three_nodes, member), PATH).content for member in three_nodes.members}
    assert len(contents) == 1
    assert "two_node" not in contents.pop()


def test_one_link_needs_no_link_mode(two_nodes, find):
    membership = two_nodes.cluster.membership
    single = replace(membership, links=membership.links[:1])
    design = replace(two_nodes, cluster=replace(two_nodes.cluster, membership=single))
    text = find(corosync.share(design, design.members[0]), PATH).content
    assert "link_mode" not in text
    assert "ring1_addr" not in text


def test_arbiter_excludes_two_node_and_brings_its_client(arbitrated, find):
    share = corosync.share(arbitrated, arbitrated.members[0])
    text = find(share, PATH).content
    assert "two_node" not in text
    device = text[text.index("    device {") : text.index("logging")]
    assert " ".join(device.split()) == (
        "device { model: net votes: 1 net { host: 203.0.113.9 port: 5403 algorithm: ffsplit tls: required } } }"
    )
    client = qdevice.share(arbitrated, arbitrated.members[0])
    assert client.packages == ("corosync-qdevice",)
    assert [unit.name for unit in client.units] == ["corosync-qdevice.service"]


def test_lms_counts_its_votes_itself(arbitrated, find):
    membership = arbitrated.cluster.membership
    quorum = replace(membership.quorum, device=replace(membership.quorum.device, algorithm="lms"))
    cluster = replace(arbitrated.cluster, membership=replace(membership, quorum=quorum))
    text = find(corosync.share(replace(arbitrated, cluster=cluster), arbitrated.members[0]), PATH).content
    assert "votes:" not in text


def quorum_text(design, find, **changes) -> str:
    """The quorum section, on one line."""
    membership = design.cluster.membership
    quorum = replace(membership.quorum, **changes)
    changed = replace(design, cluster=replace(design.cluster, membership=replace(membership, quorum=quorum)))
    text = find(corosync.share(changed, changed.members[0]), PATH).content
    return " ".join(text[text.index("quorum {") : text.index("logging {")].split())


def test_quorum_options_are_written_where_a_person_wrote_them(three_nodes, find):
    assert quorum_text(three_nodes, find) == "quorum { provider: corosync_votequorum }"
    assert quorum_text(
        three_nodes,
        find,
        wait_for_all=True,
        auto_tie_breaker="1 3",
        last_man_standing=True,
        last_man_standing_window_ms=20_000,
        expected_votes=3,
    ) == (
        "quorum { provider: corosync_votequorum expected_votes: 3 wait_for_all: 1 last_man_standing: 1"
        " last_man_standing_window: 20000 auto_tie_breaker: 1 auto_tie_breaker_node: 1 3 }"
    )


def test_wait_for_all_is_written_off_where_two_node_would_switch_it_on(two_nodes, find):
    text = quorum_text(two_nodes, find, wait_for_all=False)
    assert text == "quorum { provider: corosync_votequorum two_node: 1 wait_for_all: 0 }"


def test_device_options(arbitrated, find):
    device = replace(
        arbitrated.cluster.membership.quorum.device,
        tie_breaker="highest",
        timeout_ms=8_000,
        sync_timeout_ms=20_000,
    )
    assert (
        "votes: 1 timeout: 8000 sync_timeout: 20000 net { host: 203.0.113.9 port: 5403 algorithm: ffsplit"
        " tie_breaker: highest"
    ) in quorum_text(arbitrated, find, device=device)


def test_votes_other_than_one_are_written(three_nodes, find):
    members = (replace(three_nodes.members[0], votes=2), *three_nodes.members[1:])
    text = find(corosync.share(replace(three_nodes, members=members), members[0]), PATH).content
    assert text.count("quorum_votes") == 1
    assert "ring1_addr: 198.51.100.1\n        quorum_votes: 2\n" in text


def other_transport(design):
    """The one link and no encryption that udpu leaves."""
    membership = design.cluster.membership
    plain = replace(membership, transport="udpu", cipher="none", hash="none", links=membership.links[:1])
    return replace(design, cluster=replace(design.cluster, membership=plain))


def test_other_transports_get_no_option_of_knet(two_nodes, find):
    design = other_transport(two_nodes)
    text = find(corosync.share(design, design.members[0]), PATH).content
    assert "transport: udpu" in text
    for option in ("link_mode", "interface", "keyfile"):
        assert option not in text


def test_key_is_a_reference(two_nodes, find):
    key = find(corosync.share(two_nodes, two_nodes.members[0]), KEY)
    assert (key.mode, key.encoding, key.on_change) == ("0400", "base64", "corosync-reload")
    assert key.content == key.secrets[0].placeholder
    assert key.secrets[0].source == "generated"


def test_without_cluster_there_is_no_corosync(active_active):
    assert corosync.share(active_active, active_active.members[0]) is None


def test_section_breaks_the_line_after_each_brace():
    assert Section("a", (Section("b", (("c", "d"),)),)).text() == "a {\n    b {\n        c: d\n    }\n}\n"


@pytest.mark.native
@pytest.mark.parametrize("which", ["two_nodes", "three_nodes", "arbitrated"])
def test_parser_takes_it(which, request, parser_host, find):
    design = request.getfixturevalue(which)
    artifact = find(corosync.share(design, design.members[0]), PATH)
    key = parser_host.folder / "key"
    key.write_bytes(os.urandom(256))
    good, said = parser_host.judge(artifact.check, artifact.content, {KEY: key})
    assert good, said


@pytest.mark.native
def test_parser_takes_every_option(three_nodes, two_nodes, parser_host, find):
    key = parser_host.folder / "key"
    key.write_bytes(os.urandom(256))
    membership = three_nodes.cluster.membership
    quorum = replace(
        membership.quorum,
        wait_for_all=True,
        auto_tie_breaker="lowest",
        last_man_standing=True,
        last_man_standing_window_ms=20_000,
        expected_votes=3,
    )
    full = replace(
        three_nodes,
        cluster=replace(three_nodes.cluster, membership=replace(membership, quorum=quorum, hash="sha512")),
    )
    for design in (full, other_transport(two_nodes)):
        artifact = find(corosync.share(design, design.members[0]), PATH)
        good, said = parser_host.judge(artifact.check, artifact.content, {KEY: key})
        assert good, said


@pytest.mark.native
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("aes256", "rot13"),
        ("nodeid: 2", "nodeid: 1"),
        ("transport: knet", "transport: udpu"),
        ("quorum {", "quorum"),
    ],
)
def test_parser_refuses_what_is_broken(old, new, two_nodes, parser_host, find):
    artifact = find(corosync.share(two_nodes, two_nodes.members[0]), PATH)
    key = parser_host.folder / "key"
    key.write_bytes(os.urandom(256))
    assert old in artifact.content
    good, said = parser_host.judge(artifact.check, artifact.content.replace(old, new), {KEY: key})
    assert not good, said
