"""What every failure would do, asked of Pacemaker's own scheduler."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml
from figures import Figure, Section
from topologies import n_plus_1_topology
from typing_and_text import run

from hadeploy.app import simulate as simulation
from hadeploy.proof.failures import Kind
from hadeploy.proof.job import Job
from hadeploy.proof.scheduler_job import SHADOW_DIRECTORY
from hadeploy.run.jobs import run_jobs, usable_cores

TWO_NODES = "inventories/active-passive/topology.yaml"
RUNS = 5
LARGE_RUNS = 3
NODES, GROUPS = 16, 20
"""A group is three resources: two units and an address."""


def measure() -> Section:
    """Small and large matrices; the large one beside the bare calls that it is made of."""
    small = [run("-m", "hadeploy", "simulate", TWO_NODES)[0] for _ in range(RUNS)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "topology.yaml"
        file.write_text(yaml.safe_dump(n_plus_1_topology(NODES, GROUPS), sort_keys=False), encoding="utf-8")
        large, bare, asked = [], [], 0
        for _ in range(LARGE_RUNS):
            seconds, jobs = matrix(file)
            large.append(seconds)
            bare.append(bare_calls(jobs))
            asked = len(jobs)
    overhead = tuple(whole / alone for whole, alone in zip(large, bare, strict=True))
    return Section(
        "simulate",
        "Simulation of failures",
        [
            Figure("two nodes, every single failure and every pair, cold", "s", tuple(small), 3),
            Figure(
                f"{NODES} nodes with {3 * GROUPS} resources, every node and every two nodes",
                "s",
                tuple(large),
                25,
                f"{asked} questions to the scheduler on {usable_cores()} cores",
            ),
            Figure("the bare crm_simulate -R calls of it", "s", tuple(bare)),
            Figure("the whole over the bare calls", "times", overhead, 1.15),
        ],
    )


def matrix(file: Path) -> tuple[float, list[Job]]:
    """Seconds of the whole matrix of node failures, and what was asked in it."""
    asked: list[Job] = []

    def recorded(jobs: Iterator[tuple[Any, Job]], **options: Any) -> Iterator[tuple[Any, Any]]:
        def noted() -> Iterator[tuple[Any, Job]]:
            for key, job in jobs:
                asked.append(job)
                yield key, job

        return run_jobs(noted(), **options)

    plain = simulation.run_jobs
    simulation.run_jobs = recorded  # type: ignore[assignment]
    try:
        begun = time.monotonic()
        results, _ = simulation.simulate_topologies(simulation.SimulationRequest((file,), kinds=(Kind.NODE,)))
        seconds = time.monotonic() - begun
    finally:
        simulation.run_jobs = plain
    rows = len(results[0][1].rows)
    if rows != NODES + NODES * (NODES - 1) // 2:
        raise SystemExit(f"{rows} rows instead of every node and every two")
    return seconds, asked


def bare_calls(jobs: list[Job]) -> float:
    """Seconds of the same questions asked by nothing but the program itself, on all cores."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as shadow, ThreadPoolExecutor(usable_cores()) as pool:

        def ask(job: Job) -> None:
            subprocess.run(
                job.argv,
                input=job.stdin.encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", SHADOW_DIRECTORY: shadow},
                check=False,
            )

        list(pool.map(ask, jobs))
    return time.monotonic() - begun
