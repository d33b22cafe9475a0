"""What needs no host: validating and compiling."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from figures import Figure, Section
from topologies import n_plus_1_topology

PROJECT = Path(__file__).resolve().parent.parent
EXAMPLE = "inventories/active-passive/topology.yaml"
RUNS = 7


def run(*argv: str) -> tuple[float, float]:
    """Seconds and peak MiB of one process."""
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, *argv], cwd=PROJECT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(argv[:4])} ... failed with {process.returncode}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


def measure() -> Section:
    """Validate one topology; compile many in one call."""
    validate = [run("-m", "hadeploy", "validate", EXAMPLE)[0] for _ in range(RUNS)]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number in range(250):
            topology = {**n_plus_1_topology(4, 3), "name": f"cluster-{number:03}"}
            file = Path(folder) / f"{number:03}.yaml"
            file.write_text(_apart(yaml.safe_dump(topology, sort_keys=False), number), encoding="utf-8")
            files.append(str(file))
        compiled = {
            count: [
                run("-m", "hadeploy", "compile", *files[:count], "--out", f"{folder}/build-{count}-{turn}")
                for turn in range(5)
            ]
            for count in (50, 125, 250)
        }
        judged = [run("-m", "hadeploy", "validate", *files)[0] for _ in range(5)]
    seconds = {count: tuple(done[0] for done in runs) for count, runs in compiled.items()}
    whole = Figure("compile 250 four-node topologies in one call", "s", seconds[250], 5)
    half = Figure("compile 125 of them", "s", seconds[125])
    fifth = Figure("compile 50 of them", "s", seconds[50])
    slope = (whole.median - half.median) / 125 / ((half.median - fifth.median) / 75)
    return Section(
        "text",
        "Validate and compile",
        [
            Figure("validate one topology, cold", "s", tuple(validate), 0.4),
            whole,
            Figure("the same, peak memory", "MiB", tuple(done[1] for done in compiled[250]), 300),
            half,
            fifth,
            Figure(
                "growth: seconds a topology from 125 to 250, over that from 50 to 125",
                "times",
                (slope,),
                1.25,
            ),
            Figure("validate 250 four-node topologies, all rules", "s", tuple(judged)),
        ],
    )


def _apart(text: str, number: int) -> str:
    """Each cluster in networks of its own, so that none collides with another."""
    return text.replace("10.90.", f"10.{number}.")
