"""Whether a disk holds nothing. Only zeros are nothing: encrypted data without a header has no signature."""

from __future__ import annotations

import os
import time

CHUNK = 4 * 1024 * 1024
SAMPLE = 64 * 1024
SAMPLES = 256
"""Places, evenly spread, that are read first: data on a large disk is found within seconds."""

ESTIMATE_SECONDS = 5.0
"""After so long it is known whether reading the whole disk would take more than twice the time that there is."""

_ZEROS = bytes(CHUNK)


def read_zeros(path: str, seconds: float, end: int | None = None) -> tuple[str, int]:
    """Read a disk, or its first C(end) bytes, to prove that it holds nothing but zeros.

    Returns:
        C(zeros): every byte was read and is zero; C(bytes): another was found; C(unproven): the time was, or would have been,
        too short. And how many bytes in a row were read from the beginning.
    """
    started = time.monotonic()
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
        end = size if end is None else min(end, size)
        for offset in _places(end):
            found = os.pread(descriptor, min(SAMPLE, end - offset), offset)
            if found != _ZEROS[: len(found)]:
                return "bytes", 0
        done = 0
        while done < end:
            spent = time.monotonic() - started
            if spent > seconds or (spent > ESTIMATE_SECONDS and spent * end > 2 * seconds * done):
                return "unproven", done
            chunk = os.pread(descriptor, min(CHUNK, end - done), done)
            if not chunk:
                return "unproven", done
            if chunk != _ZEROS[: len(chunk)]:
                return "bytes", done
            done += len(chunk)
    finally:
        os.close(descriptor)
    return "zeros", done


def _places(end: int) -> list[int]:
    """Offsets of the samples: the beginning, the end, and between."""
    last = max(0, end - SAMPLE)
    return sorted({0, last, *(last * step // SAMPLES // 512 * 512 for step in range(1, SAMPLES))})
