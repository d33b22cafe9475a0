"""Databases of the topology to databases of the design."""

from __future__ import annotations

from functools import partial

import pytest

from hadeploy.design.loss import losses_of
from hadeploy.design.room import allowed_members


@pytest.fixture
def expanded(design_of):
    """The example, after textual changes."""
    return partial(design_of, "postgresql-streaming")


def test_the_example(expanded):
    (database,) = expanded().databases
    assert (database.version, database.port, database.synchronous) == (15, 5432, True)
    assert database.members == (("n1", "10.86.1.11"), ("n2", "10.86.1.12"))
    assert database.primary_address == "10.86.1.100"
    assert database.data == "/var/lib/postgresql/15/orders"
    assert database.secret.source == "generated"


def test_the_release_s_version(expanded):
    (database,) = expanded(("release: debian-12", "release: debian-13")).databases
    assert database.version == 17


def test_the_firewall_lets_in_members_and_clients_alone(expanded):
    flows = {flow.why: flow for flow in expanded().flows if 5432 in flow.ports}
    assert flows["copies of database orders"].sources == ("10.86.1.11", "10.86.1.12")
    assert flows["clients of database orders"].sources == ("10.86.1.0/24",)
    assert len(flows) == 2


def test_overlapping_clients_are_one(expanded):
    one = "      - {network: lan, database: orders, user: orders}"
    design = expanded((one, f"{one}\n      - {{network: 10.86.1.0/25, user: audit}}\n     "))
    flow = next(flow for flow in design.flows if flow.why == "clients of database orders")
    assert flow.sources == ("10.86.1.0/24",)


def test_what_a_loss_takes(expanded):
    assert [loss.window_ms for loss in losses_of(expanded())] == [0]
    lagging = expanded(("replication: synchronous ", "replication: asynchronous "))
    assert [loss.window_ms for loss in losses_of(lagging)] == [None]


def test_the_agent_s_words_when_all_is_well(expanded):
    lagging = expanded(("replication: synchronous ", "replication: asynchronous "))
    assert expanded().databases[0].well == ("PRI", "HS:sync", "HS:potential")
    assert lagging.databases[0].well == ("PRI", "HS:sync", "HS:async")


def test_only_members_with_a_copy_may_have_the_service(expanded):
    third = (
        "  n3:\n    addresses: {lan: 10.86.1.13, ring: 10.86.2.13, bmc: 10.86.9.13}\n    power_supplies: 2\n"
    )
    device = (
        "    ipmi-n3:\n      agent: fence_ipmilan\n      targets: [n3]\n      parameters: {ip: 10.86.9.113, lanplus: true,"
        " username: admin, password: {env: HADEPLOY_IPMI_PASSWORD}}\n"
    )
    design = expanded(
        ("\ncluster:\n", f"{third}\ncluster:\n"),
        ("\ndatabases:\n", f"{device}\ndatabases:\n"),
        ("kind: postgresql\n", "kind: postgresql\n    nodes: [n1, n2]\n"),
    )
    assert allowed_members(design, "db") == ("n1", "n2")
