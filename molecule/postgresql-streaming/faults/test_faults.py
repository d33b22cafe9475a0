"""A primary and its standby: a client commits numbered rows through the address, and finds them all after every fault."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from hadeploy.app.deployment import known_id
from hadeploy.app.status import StatusReader
from hadeploy.drill import fault as faults
from hadeploy.drill.drill import wait_until_well
from hadeploy.drill.fault import Fault
from hadeploy.drill.lab_world import record_writers
from hadeploy.lab import power
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.observer import Probe
from hadeploy.lab.writer import Writer, sql_recorder
from hadeploy.spec.deployment import id_file, make_id

ADDRESS = "10.86.1.100"
SERVER = Probe("db", ADDRESS, 5432, "tcp", timeout=2.0)
RESOURCE = "orders-postgresql"
DATA = "/var/lib/postgresql/15/orders"

STANDSTILL_SECONDS = 30.0
"""Commits wait for a lost standby until the primary has noticed (5 s), and the agent's next look (4 s) takes it out."""


def kill_server(lab, node):
    exec_in_node(lab, node, "sh", "-c", f"kill -KILL $(head -n 1 {DATA}/postmaster.pid)")


def forget_failure(lab, node):
    """As docs/databases.md has it: the failure keeps the instance away until it is forgotten."""
    exec_in_node(lab, node, "crm_resource", "--cleanup", "--resource", RESOURCE)


SERVER_CRASH = Fault("server crash", kill_server, forget_failure)


def test_the_standby_has_everything_that_was_acknowledged(survives_power_cut):
    """And whoever was primary follows it when it is back, without a person."""
    survives_power_cut(SERVER)


def test_a_server_that_crashes_is_taken_over_without_fencing(strike, holder, kept_records, shots, other):
    victim = holder("db")
    verdict = strike(
        SERVER_CRASH,
        victim,
        [SERVER],
        until=lambda status: status.addresses[0].holders == (other(victim),) and not status.groups[0].broken,
    )
    kept_records(verdict)
    assert not shots(verdict)
    assert verdict.ownership[ADDRESS].sequence == (victim, other(victim))


def test_loss_of_the_standby_stops_commits_only_for_a_moment(strike, holder, kept_records, shots, other):
    primary = holder("db")
    victim = other(primary)
    verdict = strike(
        faults.POWER_CUT,
        victim,
        [SERVER],
        until=lambda status: next(node for node in status.nodes if node.name == victim).state != "online",
        hold_seconds=15,
    )
    assert kept_records(verdict).silence <= STANDSTILL_SECONDS
    assert verdict.moved == {}
    assert shots(verdict) <= {victim}


def test_the_primary_is_moved_and_moved_back_without_a_person(
    strike, holder, kept_records, move, shots, other
):
    """What was primary goes on as a standby, and has every commit when it is primary again."""
    first = holder("db")
    moved = Fault("move", lambda _lab, _node: move("db", other(first)), lambda _lab, _node: None)
    verdict = strike(moved, first, [SERVER], hold_seconds=10)
    kept_records(verdict)
    assert verdict.after["address db"] == other(first)
    assert not shots(verdict)
    back = Fault("move back", lambda _lab, _node: move("db", first), lambda _lab, _node: None)
    assert strike(back, other(first), [SERVER], hold_seconds=10).after["address db"] == first


APART = """nft -f - <<END
table inet apart {
    chain in { type filter hook input priority -300; ip saddr $1 drop; }
    chain out { type filter hook output priority -300; ip daddr $1 drop; }
}
END"""

TOGETHER = "nft delete table inet apart 2>/dev/null || true"

LOOKED = """journalctl --since "@$1" --quiet --no-pager | grep -Ec 'Commits wait|Setup .* into async mode' || true"""
"""How often the agent has found that its standby is gone: in the words of ours, and of the kept one's own."""


def test_a_primary_that_is_cut_off_acknowledges_nothing_that_its_successor_lacks(
    lab, design, strike, holder, kept_records, shots, other, patience, read_status
):
    """Clients reach it, its standby does not, and it loses the race: its way to the power switches is cut, too.

    It is shot only after the agent has looked at a standby that is gone, which is when it would acknowledge alone. What it
    wrote until then is nowhere else: that WAL is kept when it follows the next primary.
    """
    primary = holder("db")
    standby = design.member(other(primary)).management_address

    def cut_off(state, node):
        faults.refuse_power(refusing=True)(state, node)
        faults.set_links(("ring", "bmc"), "drop")(state, node)
        exec_in_node(state, node, "sh", "-ec", APART, "sh", standby)
        since, end = int(time.time()), time.monotonic() + patience
        while exec_in_node(state, node, "sh", "-c", LOOKED, "sh", str(since)).strip() == "0":
            assert time.monotonic() < end, "the agent has not looked"
            time.sleep(0.2)
        faults.refuse_power(refusing=False)(state, node)

    def mended(state, node):
        faults.refuse_power(refusing=False)(state, node)
        faults.set_links(("ring", "bmc"), "restore")(state, node)
        exec_in_node(state, node, "sh", "-c", TOGETHER, check=False)

    verdict = strike(
        Fault("cut off from the standby", cut_off, mended),
        primary,
        [SERVER],
        until=lambda status: status.addresses[0].holders == (other(primary),) and not status.groups[0].broken,
    )
    kept_records(verdict)
    assert shots(verdict) == {primary}
    assert verdict.ownership[ADDRESS].sequence == (primary, other(primary))
    kept = [each.path for each in wait_until_well(read_status, patience).kept_wal if each.member == primary]
    assert "desc: INSERT" in exec_in_node(lab, primary, "sh", "-c", INSERTS, "sh", kept[-1])


INSERTS = """cd "$1" && last=$(ls | grep -E '^[0-9A-F]{24}$' | tail -n 1)
first=$(ls | grep -E "^${last%????????????????}[0-9A-F]{16}$" | head -n 1)
/usr/lib/postgresql/15/bin/pg_waldump --rmgr=Heap "$first" "$last" 2>&1 || true"""
"""Of the timeline that it wrote last: segments of earlier ones are kept, too. pg_waldump ends with 1 where the WAL ends, in the
middle of a segment."""


@pytest.fixture
def resting(lab, read_status, patience):
    """Takes the instance off a member, and gives it back whatever happens."""
    taken = []

    def rest(node):
        taken.append(node)
        exec_in_node(lab, node, "crm_attribute", "--node", node, "--name", "standby", "--update", "on")

    def wake(node):
        exec_in_node(lab, node, "crm_attribute", "--node", node, "--name", "standby", "--delete")
        taken.remove(node)

    rest.wake = wake
    yield rest
    while taken:
        wake(taken[-1])
        wait_until_well(read_status, patience)


def test_a_standby_that_lacks_commits_is_never_promoted(
    lab, design, holder, read_status, patience, written, other, resting
):
    """The primary went on alone and died: what it acknowledged is nowhere else, so nobody serves until it is back."""
    primary = holder("db")
    standby = other(primary)
    resting(standby)
    writer = record_writers(lab, design)["db"]
    written.append(writer)
    with writer:
        acknowledged_alone(read_status, writer, standby, patience)
    power.cut(lab, primary)
    holders = set()
    try:
        resting.wake(standby)

        def watched():
            status = read_status()
            holders.update(status.addresses[0].holders)
            return status

        wait_until_well(watched, patience)
    finally:
        power.boot(lab, primary)
    assert holders == {primary}
    assert {each.number for each in writer.acknowledged} <= writer.found(primary)


def acknowledged_alone(read_status, writer, standby, patience):
    """Wait until commits are acknowledged that the standby never saw."""
    end = time.monotonic() + patience
    gone = None
    while time.monotonic() < end:
        copy = next(each for each in read_status().databases if each.member == standby)
        if copy.data == "DISCONNECT" and gone is None:
            gone = len(writer.acknowledged)
        if gone is not None and len(writer.acknowledged) > gone + 50:
            return
    pytest.fail("the primary did not go on alone")


NEW_ADDRESS = "10.86.1.101"
ADDRESS_SECONDS = 15.0
"""From the last commit through the old address to the first one through the new: the address stops and starts, and the standby
follows through the new one. A restart of both servers takes more than the agent's three looks (21 s)."""


def apply(topology, out):
    argv = [
        sys.executable,
        "-m",
        "hadeploy",
        "apply",
        str(topology),
        "--lab",
        "--yes",
        "--json",
        "--out",
        str(out),
    ]
    done = subprocess.run(argv, env={**os.environ, "HADEPLOY_IPMI_PASSWORD": "of-the-lab-only"}, check=False)
    assert done.returncode == 0


def test_a_changed_address_restarts_no_server_and_is_served_when_the_apply_ends(
    lab, design, topology, tmp_path, written, holder
):
    holder("db")
    changed = tmp_path / "topology.yaml"
    changed.write_text(topology.read_text().replace(f"address: {ADDRESS}/24", f"address: {NEW_ADDRESS}/24"))
    same_deployment(lab, topology, changed)
    (virtual,) = design.virtual_addresses
    old = record_writers(lab, design)["db"]
    recorder = sql_recorder("postgresql", f"hadeploy_records_{secrets.token_hex(4)}")
    new = Writer(lab, "new-address", NEW_ADDRESS, recorder)
    pids = {node: server(lab, node) for node in ("n1", "n2")}
    moved = replace(design, virtual_addresses=(replace(virtual, address=NEW_ADDRESS),))
    try:
        with old, ThreadPoolExecutor(1) as pool:
            applied = pool.submit(apply, changed, tmp_path / "build")
            with new:
                applied.result()
                status = StatusReader(moved, StatusReader.for_lab(topology).reaches).read()
                assert not status.degraded
        outage = new.acknowledged[0].at - old.acknowledged[-1].at
        print(f"address changed: no commit for {outage:.2f} s")
        assert {node: server(lab, node) for node in pids} == pids
        assert outage <= ADDRESS_SECONDS
        (primary,) = status.addresses[0].holders
        for writer in (old, new):
            assert {each.number for each in writer.acknowledged} <= writer.found(primary)
    finally:
        apply(topology, tmp_path / "build-again")
    written += [old, new]


def same_deployment(lab, topology, clone):
    """A copy with the id is a clone of the topology, and may be applied to its lab."""
    made, _ = known_id(topology, lab)
    make_id(id_file(clone), made)


def server(lab, node):
    return exec_in_node(lab, node, "head", "-n", "1", f"{DATA}/postmaster.pid").strip()


def test_all_of_it_is_on_both(holder, move, written, other):
    """What all faults left acknowledged, read where it was replicated to."""
    assert written, "no fault came before"
    first = holder("db")
    move("db", other(first))
    assert holder("db") == other(first)
    for writer in written:
        assert {each.number for each in writer.acknowledged} <= writer.found(other(first))


def test_another_name_is_refused_before_anything_is_written(topology, lab, holder, tmp_path):
    """It used to remove the running instance's files and to make an empty database beside its data."""
    text = topology.read_text()
    for old, new in (
        ("  orders:\n    kind", "  shop:\n    kind"),
        ("databases: [orders]", "databases: [shop]"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "topology.yaml").write_text(text)
    same_deployment(lab, topology, tmp_path / "topology.yaml")
    asked = ("sh", "-c", "find /etc/postgresql -type f | sort; ls /var/lib/postgresql/15")
    files = {node: exec_in_node(lab, node, *asked) for node in ("n1", "n2")}
    argv = [sys.executable, "-m", "hadeploy", "apply", str(tmp_path / "topology.yaml"), "--lab", "--yes"]
    done = subprocess.run(
        [*argv, "--out", str(tmp_path / "build")], capture_output=True, text=True, check=False
    )
    said = " ".join(done.stdout.split())
    assert done.returncode == 1, said
    assert "write `was: orders` at shop" in said
    assert f"The data of orders stays in {DATA} on n1, n2" in said
    assert "nothing was changed on any host" in said
    for node, before in files.items():
        assert "orders" in before.split()
        assert exec_in_node(lab, node, *asked) == before
    assert holder("db") in files
