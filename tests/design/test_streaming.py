"""Databases of the topology to databases of the design."""

from __future__ import annotations

from hadeploy.design.loss import losses_of
from hadeploy.design.room import allowed_members


def test_the_example(streaming_of):
    (database,) = streaming_of().databases
    assert (database.version, database.port, database.synchronous) == (15, 5432, True)
    assert database.members == (("n1", "10.86.1.11"), ("n2", "10.86.1.12"))
    assert database.primary_address == "10.86.1.100"
    assert database.data == "/var/lib/postgresql/15/orders"
    assert database.secret.source == "generated"


def test_the_release_s_version(streaming_of):
    (database,) = streaming_of(("release: debian-12", "release: debian-13")).databases
    assert database.version == 17


def test_the_firewall_lets_in_members_and_clients_alone(streaming_of):
    flows = {flow.why: flow for flow in streaming_of().flows if 5432 in flow.ports}
    assert flows["copies of database orders"].sources == ("10.86.1.11", "10.86.1.12")
    assert flows["clients of database orders"].sources == ("10.86.1.0/24",)
    assert len(flows) == 2


def test_overlapping_clients_are_one(streaming_of):
    one = "      - {network: lan, database: orders, user: orders}"
    design = streaming_of((one, f"{one}\n      - {{network: 10.86.1.0/25, user: audit}}\n     "))
    flow = next(flow for flow in design.flows if flow.why == "clients of database orders")
    assert flow.sources == ("10.86.1.0/24",)


def test_what_a_loss_takes(streaming_of):
    assert [loss.window_ms for loss in losses_of(streaming_of())] == [0]
    lagging = streaming_of(("replication: synchronous ", "replication: asynchronous "))
    assert [loss.window_ms for loss in losses_of(lagging)] == [None]


def test_the_agent_s_words_when_all_is_well(streaming_of):
    lagging = streaming_of(("replication: synchronous ", "replication: asynchronous "))
    assert streaming_of().databases[0].well == ("PRI", "HS:sync", "HS:potential")
    assert lagging.databases[0].well == ("PRI", "HS:sync", "HS:async")


def test_only_members_with_a_copy_may_have_the_service(streaming_of):
    third = (
        "  n3:\n    addresses: {lan: 10.86.1.13, ring: 10.86.2.13, bmc: 10.86.9.13}\n    power_supplies: 2\n"
    )
    device = (
        "    ipmi-n3:\n      agent: fence_ipmilan\n      targets: [n3]\n      parameters: {ip: 10.86.9.113, lanplus: true,"
        " username: admin, password: {env: HADEPLOY_IPMI_PASSWORD}}\n"
    )
    design = streaming_of(
        ("\ncluster:\n", f"{third}\ncluster:\n"),
        ("\ndatabases:\n", f"{device}\ndatabases:\n"),
        ("kind: postgresql\n", "kind: postgresql\n    nodes: [n1, n2]\n"),
    )
    assert allowed_members(design, "db") == ("n1", "n2")
