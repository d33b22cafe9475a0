"""make demo: a cluster on real nodes, the active one loses its power, and what a client noticed."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from hadeploy.app.drill import probes_of
from hadeploy.app.status import StatusReader
from hadeploy.app.validate import load_judged
from hadeploy.design.design import Design
from hadeploy.drill.drill import run_fault
from hadeploy.drill.fault import POWER_CUT
from hadeploy.drill.lab_world import LabWorld, record_writers
from hadeploy.lab.observer import interval_of
from hadeploy.lab.state import load_state
from hadeploy.spec.load import LoadedTopology

PROJECT = Path(__file__).resolve().parent.parent
PATTERNS = sorted(file.parent.name for file in (PROJECT / "inventories").glob("*/topology.yaml"))

console = Console()


def hadeploy(*arguments: str, check: bool = True) -> int:
    """Run the command line as a person would, and show it."""
    console.print(f"\n[bold cyan]$ hadeploy {' '.join(arguments)}[/bold cyan]")
    done = subprocess.run([sys.executable, "-m", "hadeploy", *arguments], cwd=PROJECT, check=False)
    if check and done.returncode != 0:
        raise SystemExit(done.returncode)
    return done.returncode


def judged(topology: str) -> tuple[LoadedTopology, Design]:
    """The example; its finding would be shown by the commands as well."""
    found, _ = load_judged(PROJECT / topology)
    if found is None:
        raise SystemExit(1)
    return found


def cut_the_power(topology: str) -> bool:
    """The fault, watched from the network; True when everything held."""
    loaded, design = judged(topology)
    reader = StatusReader.for_lab(PROJECT / topology)
    first = design.virtual_addresses[0]
    (victim,) = next(a.holders for a in reader.read().addresses if a.name == first.name)
    lab = load_state(design.name)
    often = f"every {1000 * interval_of(lab):.0f} ms"
    console.print(
        f"\n[bold]Cutting the power of {victim} while a client asks {first.address} {often} ...[/bold]"
    )
    probes, _ = probes_of(loaded, design)
    if design.volumes or design.databases:
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
            f"  {records.name}: {records.acknowledged} records acknowledged, "
            f"[bold]{len(records.lost)} lost[/bold]; none for {records.silence:.1f} s"
        )
    console.print(f"  {victim} is back, and all is well")
    return held


def main() -> int:
    """The whole demonstration; the lab is ended whatever happens."""
    pattern = sys.argv[1] if len(sys.argv) > 1 else "active-passive"
    if pattern not in PATTERNS:
        console.print(f"no demonstration of {pattern}; one of: {', '.join(PATTERNS)}")
        return 2
    topology = f"inventories/{pattern}/topology.yaml"
    os.environ.setdefault("HADEPLOY_IPMI_PASSWORD", secrets.token_hex(8))
    # Containers share this machine's kernel, which has no DRBD; where they serve, they are there at once.
    hadeploy("lab", "up", topology, "--backend", "vm" if judged(topology)[1].volumes else "container")
    try:
        hadeploy("apply", topology, "--lab", "--yes")
        hadeploy("status", topology, "--lab")
        held = cut_the_power(topology)
        hadeploy("status", topology, "--lab")
    finally:
        hadeploy("lab", "down", topology, check=False)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
