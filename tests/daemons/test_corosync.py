from __future__ import annotations

import os
from dataclasses import replace

import pytest

from hadeploy.daemons import corosync
from hadeploy.daemons.corosync.section import Section

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
        "device { model: net votes: 1 net { host: 203.0.113.9 port: 5403 algorithm: ffsplit tls: off } } }"
    )
    assert "corosync-qdevice" in share.packages
    assert [unit.name for unit in share.units] == ["corosync.service", "corosync-qdevice.service"]


def test_lms_counts_its_votes_itself(arbitrated, find):
    membership = arbitrated.cluster.membership
    quorum = replace(membership.quorum, device=replace(membership.quorum.device, algorithm="lms"))
    cluster = replace(arbitrated.cluster, membership=replace(membership, quorum=quorum))
    text = find(corosync.share(replace(arbitrated, cluster=cluster), arbitrated.members[0]), PATH).content
    assert "votes:" not in text


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
