"""Run proofs' jobs, many at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from hadeploy.proof.job import Job, JobOutcome
from hadeploy.run.program import end_running, run_program

Key = TypeVar("Key")

AHEAD = 2
"""Jobs made in advance for each that runs: their input may be large, so not all are made at once."""


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def run_job(job: Job, environment: Mapping[str, str] | None = None) -> JobOutcome:
    """Run one to its end."""
    begun = time.monotonic()
    outcome = run_program(
        job.argv,
        stdin=job.stdin.encode(),
        seconds=job.seconds,
        environment=environment,
    )
    return JobOutcome(outcome.code, outcome.stdout, outcome.stderr, time.monotonic() - begun)


def run_jobs(
    jobs: Iterable[tuple[Key, Job]],
    *,
    environment: Mapping[str, str] | None = None,
    workers: int | None = None,
) -> Iterator[tuple[Key, JobOutcome]]:
    """Run all, as many at once as there are cores; outcomes come as they are ready, not in order.

    Args:
        jobs: made one by one while others run.
        environment: added to this process's own.
        workers: how many at once; all usable cores when left out.
    """
    count = workers or usable_cores()
    with ThreadPoolExecutor(count) as pool:
        running: dict[Future[JobOutcome], Key] = {}
        try:
            for key, job in jobs:
                running[pool.submit(run_job, job, environment)] = key
                if len(running) >= count * AHEAD:
                    yield from _ready(running)
            while running:
                yield from _ready(running)
        except BaseException:
            for future in running:
                future.cancel()
            end_running()
            raise


def _ready(running: dict[Future[JobOutcome], Key]) -> Iterator[tuple[Key, JobOutcome]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        yield running.pop(future), future.result()
