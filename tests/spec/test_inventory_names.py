"""What an inventory calls a host: a name of its own, told apart from all others and from Ansible's groups."""

from __future__ import annotations

import pytest


def named(text: str, **names: str) -> str:
    for node, name in names.items():
        text = text.replace(f"  {node}:\n", f"  {node}:\n    inventory_name: {name}\n", 1)
    return text


@pytest.mark.parametrize("name", ["db1.example.com", "DB-1", "10.0.0.1", "db_1", "n1"])
def test_names_that_inventories_have(example, findings, name):
    assert findings(named(example("active-passive"), n1=name)) == []


@pytest.mark.parametrize("name", ["all", "ungrouped", "hadeploy_cluster"])
def test_a_host_has_no_group_s_name(example, findings, name):
    assert [code for code, _, _ in findings(named(example("active-passive"), n1=name))] == ["SPEC092"]


@pytest.mark.parametrize("name", ["'db1:2222'", "'db[1:3]'", "'a b'", "'-i'", "'{{ x }}'", "''", "'a,b'"])
def test_what_is_no_name_to_ansible_is_refused(example, findings, name):
    assert findings(named(example("active-passive"), n1=name)) != []


def test_two_hosts_have_two_names(example, findings):
    same = named(example("active-passive"), n1="db.example.com", n2="db.example.com")
    assert [code for code, _, _ in findings(same)] == ["SPEC092"]
    assert [code for code, _, _ in findings(named(example("active-passive"), n1="n2"))] == ["SPEC092"]
    assert findings(named(example("active-passive"), n1="n2", n2="n1")) == []
    witness = example("quorum-device").replace(
        "    host: arbiter ", "    inventory_name: n1\n    host: arbiter "
    )
    assert [code for code, _, _ in findings(witness)] == ["SPEC092"]
