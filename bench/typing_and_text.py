"""What needs no host: validating, judging and compiling."""

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

from hadeploy.app.validate import load_valid, recoveries_of
from hadeploy.design.patterns import expand
from hadeploy.rules import check_rules, check_rules_across
from hadeploy.rules.registry import all_rules
from hadeploy.rules.rule import Case

PROJECT = Path(__file__).resolve().parent.parent
EXAMPLE = "inventories/active-passive/topology.yaml"
RUNS = 7
CLUSTERS = 250


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
    # bytecode is written by the first run, as on every machine where the program ran before
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    run("-m", "hadeploy", "validate", EXAMPLE)
    validate = [run("-m", "hadeploy", "validate", EXAMPLE)[0] for _ in range(RUNS)]
    with tempfile.TemporaryDirectory() as folder:
        files = [str(file) for file in write_clusters(Path(folder))]
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


def measure_rules() -> Section:
    """Every design rule over many designs, and over all of them seen together."""
    with tempfile.TemporaryDirectory() as folder:
        cases = []
        for file in write_clusters(Path(folder)):
            loaded, _ = load_valid(file)
            assert loaded is not None
            design = expand(loaded.topology)
            cases.append(Case(loaded, design, recoveries_of(loaded, design)[0]))
    seconds = []
    for _ in range(RUNS):
        start = time.monotonic()
        for case in cases:
            check_rules(case)
        check_rules_across(cases)
        seconds.append(time.monotonic() - start)
    return Section(
        "rules",
        "Design rules",
        [
            Figure(
                f"all {len(all_rules())} rules over {len(cases)} four-node topologies, and across them",
                "s",
                tuple(seconds),
                3,
                "reading the files is in the figures of section text",
            )
        ],
    )


def write_clusters(folder: Path) -> list[Path]:
    """Files of 250 clusters of four nodes."""
    files = []
    for number in range(CLUSTERS):
        topology = {**n_plus_1_topology(4, 3), "name": f"cluster-{number:03}"}
        file = folder / f"{number:03}.yaml"
        file.write_text(_apart(yaml.safe_dump(topology, sort_keys=False), number), encoding="utf-8")
        files.append(file)
    return files


def _apart(text: str, number: int) -> str:
    """Each cluster in networks of its own, so that none collides with another."""
    return text.replace("10.90.", f"10.{number}.")
