"""Nodes whose interfaces have different names: what is bound to an interface by name gets each node's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import etree

from hadeploy.daemons.registry import cluster_information_base, shares
from hadeploy.design.patterns import expand
from hadeploy.spec.load import load_topology

INVENTORIES = Path(__file__).resolve().parents[2] / "inventories"
OWN = "interfaces: {lan: ens18}\n    addresses: {lan:"


def differing(tmp_path: Path, example: str) -> Path:
    """The example with another name on its last node."""
    text = (INVENTORIES / example / "topology.yaml").read_text(encoding="utf-8")
    head, _, tail = text.rpartition("addresses: {lan:")
    assert head
    file = tmp_path / "topology.yaml"
    file.write_text(head + OWN + tail, encoding="utf-8")
    return file


def design(file: Path):
    loaded, found = load_topology(file)
    assert loaded is not None, list(found)
    return expand(loaded.topology)


@pytest.mark.parametrize("example", ["active-passive", "n-plus-1", "nfs"])
def test_the_cib_names_the_interface_of_each_node(tmp_path, example):
    wish = design(differing(tmp_path, example))
    cib = cluster_information_base(wish)
    root = etree.fromstring(cib.xml.encode())
    addresses = root.findall(".//primitive[@type='IPaddr2']")
    assert addresses
    for primitive in addresses:
        seen = {
            holder.find("rule/expression").get("value"): holder.find("nvpair[@name='nic']").get("value")
            for holder in primitive.findall("instance_attributes")
            if holder.find("rule") is not None
        }
        assert seen == {member.name: member.interface("lan") for member in wish.members}
        assert len(set(seen.values())) == 2
        common = primitive.find(f"instance_attributes[@id='{primitive.get('id')}-parameters']")
        assert common.find("nvpair[@name='nic']") is None
        assert common.find("nvpair[@name='ip']") is not None


def test_where_all_are_the_same_the_cib_has_one_interface(tmp_path):
    wish = design(INVENTORIES / "active-passive" / "topology.yaml")
    assert cluster_information_base(wish).xml.count('name="nic"') == 1


def test_keepalived_gets_each_nodes_own_interface(tmp_path):
    wish = design(differing(tmp_path, "active-active"))
    *_, last = wish.members
    for member in wish.members:
        (text,) = (
            artifact.content
            for share in shares(wish)
            for artifact in share.artifacts
            if share.host == member.name and artifact.path.endswith("keepalived.conf")
        )
        names = set(re.findall(r"^\s*interface (\S+)$", text, re.MULTILINE))
        assert names == {"ens18" if member is last else wish.members[0].interface("lan")}
