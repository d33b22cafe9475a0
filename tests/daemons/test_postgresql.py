"""PostgreSQL with streaming replication: its files, its clone, and the order of address and primary."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from hadeploy.daemons.pacemaker.share import cluster_information_base
from hadeploy.daemons.postgresql import keep_wal, share


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


ALONE = """cd /data; echo "synchronous_standby_names = ''" > rep_mode.conf"""
TOGETHER = """cd /data; echo "synchronous_standby_names = '\\"n2\\"'" > rep_mode.conf"""
SEEN = '<node name="{}" id="2" online="{}" standby="false" pending="false" unclean="{}" type="member"/>'
HERE = SEEN.format("n1", "true", "false")


@pytest.mark.parametrize(
    ("action", "statement", "members", "done"),
    [
        ("monitor", ALONE, (HERE, SEEN.format("n2", "true", "false")), True),
        ("monitor", ALONE, (HERE, SEEN.format("n2", "false", "false")), True),
        ("monitor", ALONE, (HERE, SEEN.format("n2", "false", "true")), False),
        ("notify", ALONE, (HERE, SEEN.format("n2", "false", "true")), False),
        ("monitor", ALONE, (), False),
        ("monitor", ALONE, (HERE, SEEN.format("n22", "false", "true")), True),
        ("monitor", TOGETHER, (HERE, SEEN.format("n2", "false", "true")), True),
        ("start", ALONE, (HERE, SEEN.format("n2", "false", "true")), True),
    ],
    ids=[
        "member",
        "off",
        "out of sight",
        "notified",
        "nothing is known",
        "somebody else",
        "synchronous",
        "start",
    ],
)
def test_a_primary_goes_on_alone_only_when_every_lost_member_is_known_to_be_off(
    streaming_of, tmp_path, action, statement, members, done
):
    """The agent's own words, sourced as the agent does; crm_mon and runuser are stood in for."""
    kept, programs = tmp_path / "lib/heartbeat", tmp_path / "bin"
    kept.mkdir(parents=True)
    programs.mkdir()
    (kept / "ocf-shellfuncs").write_text('__OCF_ACTION="$1"\nocf_log() { :; }\n', encoding="utf-8")
    functions = tmp_path / "functions"
    functions.write_text(files_of(streaming_of())["ocf-shellfuncs"].content, encoding="utf-8")
    answer = f"echo '<nodes>\n{chr(10).join(members)}\n</nodes>'" if members else "exit 102"
    for name, script in (("crm_mon", answer), ("runuser", f"touch {tmp_path}/written")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    environment = {
        "OCF_ROOT": str(tmp_path),
        "HA_SBIN_DIR": str(programs),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "OCF_RESKEY_node_list": "n1 n2",
    }
    agent = f'. {functions}; runuser postgres -c "$2"'
    subprocess.run(["sh", "-euc", agent, "pgsql", action, statement], env=environment, check=True)
    assert (tmp_path / "written").exists() is done


def test_wal_that_was_kept_last_is_not_the_first_to_go_when_the_clock_was_set_back(tmp_path, monkeypatch):
    """A host without a battery begins in the past, until it is told the time."""
    place, wal = tmp_path / "kept-wal", tmp_path / "pg_wal"
    wal.mkdir()
    (wal / "000000010000000000000001").write_bytes(bytes(8) + (4096).to_bytes(8, sys.byteorder) + bytes(4080))
    for name in (*(f"2099010{day}T000000Z" for day in range(1, 9)), "20990108T000000Z-9", "of a person"):
        (place / name).mkdir(parents=True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("2\n1\t0/64\tno recovery target specified\n"))
    keep_wal.main(str(tmp_path), str(place))
    left = {each.name for each in place.iterdir()}
    assert (place / "20990108T000000Z-10" / "000000010000000000000001").exists()
    assert left - {"of a person"} == {
        *(f"2099010{day}T000000Z" for day in range(3, 9)), "20990108T000000Z-9", "20990108T000000Z-10",
    }  # fmt: skip
    assert "of a person" in left
