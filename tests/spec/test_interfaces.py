"""A node's own name for an interface goes before the network's; where neither is written, a finding says where to write one."""

from __future__ import annotations

from hadeploy.design.patterns import expand
from hadeploy.spec.load import load_topology

LAN = "    interface: lan0\n"
N2 = "addresses: {lan: 10.71.1.12"


def design(tmp_path, text: str):
    file = tmp_path / "topology.yaml"
    file.write_text(text, encoding="utf-8")
    loaded, found = load_topology(file)
    assert loaded is not None, list(found)
    return expand(loaded.topology)


def test_a_nodes_own_name_goes_before_the_networks(example, tmp_path):
    text = example("active-passive").replace(N2, f"interfaces: {{lan: ens18}}\n    {N2}")
    n1, n2 = design(tmp_path, text).members
    assert (n1.interface("lan"), n2.interface("lan")) == ("lan0", "ens18")
    assert n1.interface("ring") == n2.interface("ring")


def test_a_network_needs_no_interface_where_each_node_names_its_own(example, findings):
    text = example("active-passive").replace(LAN, "")
    text = text.replace(
        "addresses: {lan: 10.71.1.11", "interfaces: {lan: eno1}\n    addresses: {lan: 10.71.1.11"
    )
    assert findings(text.replace(N2, f"interfaces: {{lan: ens18}}\n    {N2}")) == []


def test_a_node_without_a_name_for_its_interface_is_told_where_to_write_it(example, findings):
    text = example("active-passive").replace(LAN, "")
    text = text.replace(
        "addresses: {lan: 10.71.1.11", "interfaces: {lan: eno1}\n    addresses: {lan: 10.71.1.11"
    )
    offset = text.index("10.71.1.12")
    place = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    assert findings(text) == [("HOST001", *place)]


def test_a_node_that_may_get_a_virtual_address_needs_an_interface_for_it(example, findings):
    text = example("active-passive").replace("    network: lan\n", "    network: front\n", 1)
    text = text.replace(
        "networks:\n", "networks:\n  front:\n    subnets: [10.71.1.0/24]\n", 1
    )  # no node has an address there
    assert [code for code, _, _ in findings(text) if code.startswith("HOST")] == ["HOST001", "HOST001"]


def test_an_interface_is_named_only_where_the_node_has_an_address(example, findings):
    text = example("active-passive")
    broken = text.replace(N2, f"interfaces: {{lan: ens18, wan: ens19}}\n    {N2}")
    assert [code for code, _, _ in findings(broken)] == ["SPEC030"]
    broken = text.replace("networks:\n", "networks:\n  spare:\n    subnets: [192.0.2.0/24]\n", 1).replace(
        N2, f"interfaces: {{spare: ens19}}\n    {N2}"
    )
    assert [code for code, _, _ in findings(broken)] == ["HOST002"]


def test_an_interface_is_a_name_and_never_an_option(example, findings):
    for name in ("-x", ".", "..", "a b", "sixteen-letters-", "eth0/1", "'lan0\\n'"):
        broken = example("active-passive").replace(N2, f"interfaces: {{lan: {name}}}\n    {N2}")
        assert [code for code, _, _ in findings(broken)] == ["SPEC017"], name
