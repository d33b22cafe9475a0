"""PostgreSQL with streaming replication: its files, its clone, and the order of address and primary."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from hadeploy.daemons.pacemaker.share import cluster_information_base
from hadeploy.daemons.postgresql import share


def files_of(design, member: str = "n1"):
    found = share.share(design, design.member(member))
    assert found is not None
    return {Path(artifact.path).name: artifact for artifact in found.artifacts}


def test_debian_s_own_unit_starts_nothing(streaming_of):
    design = streaming_of()
    found = share.share(design, design.member("n1"))
    assert found is not None
    assert [(unit.name, unit.enabled, unit.running) for unit in found.units] == [
        ("postgresql.service", False, None)
    ]
    assert files_of(design)["start.conf"].content == "disabled\n"
    assert found.packages == ("postgresql-15",)


def test_the_password_is_for_the_server_s_user_alone(streaming_of):
    file = files_of(streaming_of())["replication.pgpass"]
    assert (file.owner, file.mode) == ("postgres", "0600")
    assert file.content == "*:*:*:hadeploy_replication:@@hadeploy:postgresql-orders@@\n"
    assert [secret.name for secret in file.secrets] == ["postgresql-orders"]
    others = [each.content for name, each in files_of(streaming_of()).items() if name != file.path]
    assert sum("@@hadeploy" in content for content in others) == 1


def test_nobody_is_let_in_unasked(streaming_of):
    lines = files_of(streaming_of())["pg_hba.conf"].content.splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "local all all peer",
        "host replication hadeploy_replication 10.86.1.11/32 scram-sha-256",
        "host postgres hadeploy_replication 10.86.1.11/32 scram-sha-256",
        "host replication hadeploy_replication 10.86.1.12/32 scram-sha-256",
        "host postgres hadeploy_replication 10.86.1.12/32 scram-sha-256",
        "host orders orders 10.86.1.0/24 scram-sha-256",
    ]


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("work_mem: 64MB", "work_mem = '64MB'"),
        ("max_connections: 200", "max_connections = 200"),
        ("log_connections: true", "log_connections = 'on'"),
        ('log_line_prefix: "it\'s %m "', "log_line_prefix = 'it''s %m '"),
    ],
)
def test_settings_are_quoted_as_the_server_reads_them(streaming_of, written, printed):
    design = streaming_of(("shared_buffers: 256MB", written))
    assert printed in files_of(design)["postgresql.conf"].content.splitlines()


def test_a_server_that_crashed_waits_for_the_cluster(streaming_of):
    lines = files_of(streaming_of())["postgresql.conf"].content.splitlines()
    assert "restart_after_crash = 'off'" in lines
    assert "synchronous_commit = 'on'" in lines


def cib_of(design) -> etree._Element:
    cib = cluster_information_base(design)
    assert cib is not None
    return etree.fromstring(cib.xml.encode())


def test_the_address_goes_after_the_primary(streaming_of):
    """A standby gets the last write over it; without that write it may not take over."""
    orders = cib_of(streaming_of()).findall(".//rsc_order")
    told = {(each.get("first-action"), each.get("then-action")): each for each in orders}
    assert set(told) == {("promote", "start"), ("demote", "stop")}
    assert {each.get("symmetrical") for each in orders} == {"false"}
    assert told["promote", "start"].get("kind") is None
    assert told["demote", "stop"].get("kind") == "Optional"
    assert len({each.get("id") for each in orders}) == 2


def test_the_service_is_where_the_primary_is(streaming_of):
    (colocation,) = cib_of(streaming_of()).findall(".//rsc_colocation")
    assert (colocation.get("rsc"), colocation.get("with-rsc")) == ("db", "orders-postgresql-clone")
    assert (colocation.get("with-rsc-role"), colocation.get("score")) == ("Promoted", "INFINITY")


@pytest.mark.parametrize(("replication", "mode"), [("synchronous", "sync"), ("asynchronous", "async")])
def test_the_agent_is_told(streaming_of, replication, mode):
    design = streaming_of(("replication: synchronous ", f"replication: {replication} "))
    (primitive,) = cib_of(design).findall(".//clone/primitive")
    parameters = {
        pair.get("name"): pair.get("value") for pair in primitive.iterfind("instance_attributes/nvpair")
    }
    assert parameters["rep_mode"] == mode
    assert parameters["node_list"] == "n1 n2"
    assert parameters["master_ip"] == "10.86.1.100"
    assert parameters["tmpdir"] == "/var/lib/postgresql/15/orders.cluster"
    assert "assword" not in "".join(value or "" for value in parameters.values())
    monitors = {
        operation.get("role"): operation.get("interval")
        for operation in primitive.iterfind("operations/op")
        if operation.get("name") == "monitor"
    }
    assert monitors == {"Promoted": "4s", "Unpromoted": "7s"}
