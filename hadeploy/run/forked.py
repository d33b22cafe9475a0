"""The same work on many things, on all cores: in processes forked from this one, so that nothing is handed over."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hadeploy.run.jobs import usable_cores

Item = TypeVar("Item")

LEAST_SHARE = 8
"""Things for each process, below which forking costs more than it saves."""
CHUNK = 4

_WORK: dict[str, Any] = {}
"""What a forked process does, and to what; set before it does anything."""


def do_all(work: Callable[[Item], None], items: Sequence[Item]) -> None:
    """Do the work on every item; what it changes in memory is lost, so it is work that writes files.

    Raises:
        Exception: what the work raised first; work that has not begun is left undone.
    """
    processes = min(usable_cores(), len(items) // LEAST_SHARE)
    if processes < 2:
        for item in items:
            work(item)
        return
    # Most calls end above: they need not wait for these imports.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("fork"), initializer=_begin, initargs=(work, items)
    )
    try:
        for _ in pool.map(_do, range(len(items)), chunksize=CHUNK):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(work: Callable[[Item], None], items: Sequence[Item]) -> None:
    """Ctrl-C reaches all processes of a terminal: the first one decides, and the others end what they are at."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _WORK.update(work=work, items=items)


def _do(number: int) -> None:
    _WORK["work"](_WORK["items"][number])
