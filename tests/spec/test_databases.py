"""One change to the example with a database, one finding, at its place."""

from __future__ import annotations

import pytest

ACCESS = "network: lan, database: orders"
CASES = [
    # (what is written, what stands there instead, code, text whose place is expected)
    ("databases: [orders]", "databases: [order]", "SPEC030", "order]"),
    ("kind: postgresql\n", "kind: postgresql\n    nodes: [n1, n3]\n", "SPEC030", "n3]"),
    (ACCESS, "network: lann, database: orders", "SPEC030", "lann"),
    ("kind: postgresql\n", "kind: postgresql\n    nodes: [n1]\n", "SPEC100", "[n1]\n    repl"),
    (
        "    databases: [orders]\n",
        "    members: [{kind: nginx, name: w, port: 80}]\n",
        "SPEC103",
        "orders:\n",
    ),
    ("    addresses: [db]", "    addresses: []", "SPEC104", "db:\n    databases"),
    ("kind: postgresql\n", "kind: postgresql\n    address: dbs\n", "SPEC104", "dbs\n"),
    (
        "    databases: [orders]\n",
        "    databases: [orders]\n    members: [{kind: nginx, name: w, port: 80}]\n",
        "SPEC105",
        "members: [{",
    ),
    ("shared_buffers: 256MB", "wal_level: minimal", "SPEC106", "wal_level"),
    ("user: orders}", "user: orders, tls: true}", "SPEC109", "{network: lan, database"),
    ("user: orders}", "user: orders, method: trust}", "SPEC015", "trust"),
    ("{lan: 10.86.1.12, ring", "{ring", "SPEC033", "{ring: 10.86.2.12"),
    ("shared_buffers: 256MB", "Shared Buffers: 256MB", "SPEC017", "Shared Buffers"),
]


@pytest.mark.parametrize(
    ("old", "new", "code", "at"), CASES, ids=[f"{c[2]}-{i}" for i, c in enumerate(CASES)]
)
def test_one_mistake(mistaken, findings, old, new, code, at):
    broken, line, column = mistaken("postgresql-streaming", old, new, at)
    found = findings(broken)
    assert (code, line, column) in found, found


def test_the_package_s_own_instance_is_left_alone(example, findings):
    text = example("postgresql-streaming").replace("[orders]", "[main]").replace("  orders:\n", "  main:\n")
    assert {code for code, *_ in findings(text)} == {"SPEC101"}


def test_two_services_cannot_share_a_database(example, findings):
    moved = example("postgresql-streaming").replace(
        "    priority: 10",
        "    priority: 10\n  second:\n    databases: [orders]\n    addresses: [db]\n    priority: 9",
    )
    assert "SPEC102" in {code for code, *_ in findings(moved)}


def test_two_databases_on_one_port(example, findings):
    text = example("postgresql-streaming").replace(
        "\nvirtual_addresses:\n",
        "\n  stock: {kind: postgresql}\n\nvirtual_addresses:\n  stock: {address: 10.86.1.101/24, network: lan}\n",
    )
    text = text.replace(
        "\nsecrets_vault:", "\n  stock: {databases: [stock], addresses: [stock]}\n\nsecrets_vault:"
    )
    assert {code for code, *_ in findings(text)} == {"SPEC107"}


def test_a_preferred_node_needs_a_copy(example, findings):
    text = example("postgresql-streaming")
    text = text.replace("kind: postgresql\n", "kind: postgresql\n    nodes: [n1, n2]\n")
    third = (
        "  n3:\n    addresses: {lan: 10.86.1.13, ring: 10.86.2.13, bmc: 10.86.9.13}\n    power_supplies: 2\n"
    )
    text = text.replace("\ncluster:\n", f"{third}\ncluster:\n").replace(
        "    priority: 10", "    prefers: n3\n    priority: 10"
    )
    assert "SPEC108" in {code for code, *_ in findings(text)}


def test_a_service_with_nothing_to_run(example, findings):
    text = example("active-passive")
    start = text.index("    members:")
    end = text.index("    addresses:", start)
    assert {code for code, *_ in findings(text[:start] + text[end:])} == {"SPEC105"}
