"""make demo: a cluster on real nodes, the active one loses its power, and what a client noticed."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from hadeploy.app.status import StatusReader
from hadeploy.drill.drill import run_fault
from hadeploy.drill.fault import POWER_CUT
from hadeploy.drill.lab_world import LabWorld, record_writers
from hadeploy.lab.observer import Probe
from hadeploy.lab.state import load_state

PROJECT = Path(__file__).resolve().parent.parent
PORTS = {
    "active-passive": {"web": 80},
    "active-passive-drbd": {"web": 80},
    "active-active": {"site-a": 80, "site-b": 80},
    "n-plus-1": {"app-a": 8081, "app-b": 8082},
}
BACKENDS = {"active-passive-drbd": "vm"}
"""Containers where nothing is said: they are there at once."""

console = Console()


def hadeploy(*arguments: str, check: bool = True) -> int:
    """Run the command line as a person would, and show it."""
    console.print(f"\n[bold cyan]$ hadeploy {' '.join(arguments)}[/bold cyan]")
    done = subprocess.run([sys.executable, "-m", "hadeploy", *arguments], cwd=PROJECT, check=False)
    if check and done.returncode != 0:
        raise SystemExit(done.returncode)
    return done.returncode


def cut_the_power(topology: str, pattern: str) -> bool:
    """The fault, watched from the network; True when everything held."""
    reader = StatusReader.for_lab(PROJECT / topology)
    design = reader.design
    first = design.virtual_addresses[0]
    (victim,) = next(a.holders for a in reader.read().addresses if a.name == first.name)
    console.print(
        f"\n[bold]Cutting the power of {victim} while a client asks {first.address} every 20 ms ...[/bold]"
    )
    probes = [Probe(v.name, v.address, PORTS[pattern][v.name]) for v in design.virtual_addresses]
    lab = load_state(design.name)
    if design.volumes:
        console.print("and a writer has numbered records acknowledged, one after the other")
    verdict = run_fault(
        lab,
        design,
        POWER_CUT,
        victim,
        probes=probes,
        read_status=reader.read,
        until=lambda status: all(a.holders and victim not in a.holders for a in status.addresses),
        recovery_seconds=LabWorld(lab, design).recovery_seconds,
        writers=lambda: record_writers(lab, design),
    )
    for virtual in design.virtual_addresses:
        outage = verdict.outages[virtual.name]
        owners = " → ".join(verdict.ownership[virtual.address].sequence)
        console.print(
            f"  {virtual.name} {virtual.address}: out for [bold]{outage.seconds:.2f} s[/bold] "
            f"({outage.failed} of {outage.requests} requests failed), owners {owners}"
        )
    held = not verdict.double_owners
    console.print(f"  two owners at once: {len(verdict.double_owners)} samples")
    if design.cluster is not None:
        fenced = verdict.fenced_before_takeover(first.address)
        held = held and fenced
        console.print(f"  {victim} was fenced before its address moved: {'yes' if fenced else 'NO'}")
    for records in verdict.records:
        held = held and not records.lost
        console.print(
            f"  volume {records.name}: {records.acknowledged} records acknowledged, "
            f"[bold]{len(records.lost)} lost[/bold]; none for {records.silence:.1f} s"
        )
    console.print(f"  {victim} is back, and all is well")
    return held


def main() -> int:
    """The whole demonstration; the lab is ended whatever happens."""
    pattern = sys.argv[1] if len(sys.argv) > 1 else "active-passive"
    if pattern not in PORTS:
        console.print(f"no demonstration of {pattern}; one of: {', '.join(PORTS)}")
        return 2
    topology = f"inventories/{pattern}/topology.yaml"
    os.environ.setdefault("HADEPLOY_IPMI_PASSWORD", secrets.token_hex(8))
    hadeploy("lab", "up", topology, "--backend", BACKENDS.get(pattern, "container"))
    try:
        hadeploy("apply", topology, "--lab", "--yes")
        hadeploy("status", topology, "--lab")
        held = cut_the_power(topology, pattern)
        hadeploy("status", topology, "--lab")
    finally:
        hadeploy("lab", "down", topology, check=False)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
