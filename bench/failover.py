"""What needs real nodes: applying, and failing over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import Figure, Section

from hadeploy.app.status import StatusReader
from hadeploy.design.design import Design
from hadeploy.drill.drill import run_fault, wait_until_well
from hadeploy.drill.fault import POWER_CUT, Fault, daemon_crash
from hadeploy.drill.verdict import Verdict
from hadeploy.lab.observer import Probe
from hadeploy.lab.state import LabState, load_state

PROJECT = Path(__file__).resolve().parent.parent
RUNS = 5


def hadeploy(*argv: str) -> tuple[float, str]:
    """Wall seconds and stdout of one command."""
    os.environ.setdefault("HADEPLOY_IPMI_PASSWORD", "of-the-lab-only")
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "hadeploy", *argv], cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True
    )
    return time.monotonic() - start, done.stdout


@contextmanager
def applied(example: str, *options: str) -> Iterator[tuple[LabState, StatusReader, str, dict[str, object]]]:
    """A lab of an example, brought up with ``options``, and its topology applied; also the first apply's own report.

    The report tells besides how long the lab took to come up, and the apply by a clock on the wall.
    """
    topology = f"inventories/{example}/topology.yaml"
    up, _ = hadeploy("lab", "up", topology, *options)
    try:
        with tempfile.TemporaryDirectory() as out:
            seconds, text = hadeploy("apply", topology, "--lab", "--yes", "--json", "--out", out)
            yield (
                load_state(example),
                StatusReader.for_lab(PROJECT / topology),
                out,
                {"up": up, "wall": seconds, **json.loads(text)},
            )
    finally:
        hadeploy("lab", "down", topology, "--saved")


def strike(
    state: LabState, reader: StatusReader, fault: Fault, victim: str, port: int, **options: object
) -> Verdict:
    """One fault with a client at every address; two owners are never a measurement."""
    probes = [Probe(v.name, v.address, port) for v in reader.design.virtual_addresses]
    verdict = run_fault(
        state,
        reader.design,
        fault,
        victim,
        probes=probes,
        read_status=reader.read,
        **options,  # type: ignore[arg-type]
    )
    if verdict.double_owners:
        raise SystemExit(f"two owners: {verdict.double_owners[0]}")
    return verdict


def measure_apply() -> Section:
    """The first apply from bare nodes, and what it costs when nothing changes, on three nodes."""
    with applied("n-plus-1") as (_, reader, out, first):
        wait_until_well(reader.read)
        topology = "inventories/n-plus-1/topology.yaml"
        idle = []
        for _ in range(RUNS):
            seconds, text = hadeploy("apply", topology, "--lab", "--yes", "--json", "--out", out)
            if json.loads(text)["changed"]:
                raise SystemExit("an apply without a change changed something")
            idle.append(seconds)
    phases = first["phases"]
    assert isinstance(phases, list)
    split = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in _pairs(phases))
    return Section(
        "apply",
        "Apply to three nodes (n-plus-1)",
        [
            Figure("no-op apply, wall", "s", tuple(idle), 3),
            Figure("first apply from bare nodes, wall", "s", (float(str(first["wall"])),), note=split),
        ],
        text="Pacemaker's phase of a first apply waits for the first election: dc-deadtime is 20 s by default.",
    )


def _pairs(phases: list[object]) -> list[tuple[str, float]]:
    pairs = []
    for phase in phases:
        if isinstance(phase, dict):
            pairs.append((str(phase["name"]), float(phase["seconds"])))
        else:
            name, seconds = phase  # type: ignore[misc]
            pairs.append((str(name), float(seconds)))
    return pairs


def measure_vrrp() -> Section:
    """Power cut of a master at advert_int 100 ms, and the death of a backend."""
    with applied("active-active") as (state, reader, _, _):
        design: Design = reader.design
        assert design.vrrp is not None
        instance = next(i for i in design.vrrp.instances if i.name == "site-a")
        advert = instance.advert_interval_ms / 1000
        backup = min(priority for _, priority in instance.priorities)
        skew = (256 - backup) / 256 * advert
        bound = 1.1 * (3 * advert + skew)
        outages, other, lost = [], [], []
        for _ in range(2 * RUNS + 1):
            verdict = strike(
                state,
                reader,
                POWER_CUT,
                "lb1",
                80,
                until=lambda s: all(a.holders == ("lb2",) for a in s.addresses),
            )
            outages.append(verdict.outages["site-a"].seconds)
            other.append(verdict.outages["site-b"].seconds)
        for _ in range(RUNS):
            verdict = strike(
                state, reader, daemon_crash("hadeploy-nginx@web.service"), "lb1", 80, hold_seconds=4
            )
            lost.append(float(sum(outage.failed for outage in verdict.outages.values())))
    return Section(
        "vrrp",
        "VRRP and HAProxy (active-active, adverts each 100 ms)",
        [
            Figure(
                "failover on a power cut, as clients see it",
                "s",
                tuple(outages),
                round(bound, 3),
                f"bound 1.1 x (3 x {advert:g} + skew {skew:.3f}); clients ask every 20 ms: the figure is no finer",
            ),
            Figure("the address of the healthy node meanwhile, longest wait", "s", tuple(other)),
            Figure("requests lost when a backend dies", "requests", tuple(lost), 0),
        ],
    )


def measure_pacemaker() -> Section:
    """Power cut of the active node, beside what the formula adds up to."""
    with applied("active-passive") as (state, reader, _, _):
        outages, fencing = [], []
        cluster = reader.design.cluster
        assert cluster is not None
        for _ in range(RUNS):
            status = wait_until_well(reader.read)
            (victim,) = status.addresses[0].holders
            verdict = strike(
                state,
                reader,
                POWER_CUT,
                victim,
                80,
                until=lambda s, victim=victim: s.addresses[0].holders not in ((), (victim,)),
            )
            outages.append(verdict.outages["web"].seconds)
            done = [e.at for e in verdict.power if e.node == victim and e.result == "done"]
            fencing.append(min(done) - verdict.injected_at)
        token, consensus = cluster.membership.token_ms / 1000, cluster.membership.consensus_ms / 1000
        delays = [device.delay_ms / 1000 for device in cluster.fencing.devices]
    return Section(
        "pacemaker",
        "Pacemaker failover (active-passive, power cut of the active node)",
        [
            Figure("outage, as clients see it", "s", tuple(outages)),
            Figure("token + consensus", "s", (token + consensus,), note="from the design"),
            Figure("from the cut to the BMC's first deed", "s", tuple(fencing)),
        ],
        text=(
            f"Token {token:g} s and consensus {consensus:g} s pass before the loss is certain. The fence agent logs in, "
            "powers off, waits its power_wait of 2 s and powers on; a delay "
            f"({max(delays):g} s at one of the two, against a mutual shot) comes on top when that node is the victim. "
            "Then the service starts: Pacemaker looks at a systemd unit 2 s after its start; the address comes last."
        ),
    )
