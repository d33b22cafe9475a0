"""Copies the WAL that only this instance has, before pg_rewind discards it: keep-wal DATA DIRECTORY.

Runs on a host that has nothing of hadeploy: kept to the standard library. On standard input is what the next primary follows:
its timeline in hexadecimal, then its timeline history file. Prints where the copy is, on disk by then; nothing where this
instance has no WAL of its own. Ends with 1 and a reason where it cannot be kept.
"""

import os
import re
import shutil
import sys
import time
from pathlib import Path

SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?")
NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
"""Of a copy: what has another name in the same directory is not removed."""

SWITCH = re.compile(r"\s*(\d+)\s+([0-9A-F]+)/([0-9A-F]+)")
RESERVE = 64 << 20
"""What stays free for the server that is to start afterwards, in bytes."""

COPIES = 8
"""How many are kept; the oldest go once a newer one is on disk."""


def _starts_with(segment: Path, position: int) -> bool:
    """Whether it begins with WAL of this position: one that was recycled still holds older WAL (XLogPageHeaderData)."""
    with segment.open("rb") as stream:
        head = stream.read(16)
    return int.from_bytes(head[8:16], sys.byteorder) == position


def own_segments(
    wal: Path, current: int, switches: dict[int, int], history: str
) -> tuple[list[Path], dict[int, int]]:
    """Segments with WAL that the next primary does not have, and where on which timeline that begins.

    Args:
        wal: directory of the instance.
        current: the next primary's timeline.
        switches: timelines that it followed before, and where each ended for it.
        history: its history file; another one of the same number is of another timeline.
    """
    found = []
    forks: dict[int, int] = {}
    segments = sorted(each for each in wal.iterdir() if SEGMENT.fullmatch(each.name))
    size = max((each.stat().st_size for each in segments), default=0)
    own = wal / f"{current:08X}.history"
    same = current == 1 or (own.exists() and own.read_text("utf-8").split() == history.split())
    for segment in segments:
        timeline, high, low = (int(segment.name[at : at + 8], 16) for at in (0, 8, 16))
        begin, fork = (high << 32) + low * size, switches.get(timeline, 0)
        if (timeline == current and same) or begin + size <= fork:
            continue
        if _starts_with(segment, begin):
            found.append(segment)
            forks[timeline] = min(forks.get(timeline, sys.maxsize), max(begin, fork))
    return found, forks


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def keep(files: list[Path], place: Path, note: str) -> Path:
    """Whole or not at all: a copy that was interrupted is begun anew. Returns its directory.

    Raises:
        OSError: there is no room, or the disk does not take it.
    """
    unfinished = place / ".unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    needed = sum(each.stat().st_size for each in files)
    space = os.statvfs(place)
    free = space.f_bavail * space.f_frsize
    if free < needed + RESERVE:
        raise OSError(
            f"{needed >> 20} MiB and {RESERVE >> 20} MiB for the server are needed in {place}, {free >> 20} MiB are free"
        )
    for each in files:
        shutil.copyfile(each, unfinished / each.name)
    (unfinished / "README").write_text(note, "utf-8")
    for each in unfinished.iterdir():
        _sync(each)
    _sync(unfinished)
    target = place / next_name([each.name for each in place.iterdir()], time.gmtime())
    unfinished.rename(target)
    _sync(place)
    _sync(place.parent)
    return target


def _order(name: str) -> tuple[str, int]:
    when, _, number = name.partition("-")
    return when, int(number or 1)


def next_name(names: list[str], now: time.struct_time) -> str:
    """The time, and later in order than all names, also where the clock was set back."""
    name = time.strftime("%Y%m%dT%H%M%SZ", now)
    when, number = max((_order(each) for each in names if NAME.fullmatch(each)), default=("", 0))
    return name if name > when else f"{when}-{number + 1}"


def main(data: str, where: str) -> None:
    """Keep what there is to keep."""
    wal, place = Path(data) / "pg_wal", Path(where)
    first, _, history = sys.stdin.read().partition("\n")
    switches = {
        int(found[1]): (int(found[2], 16) << 32) + int(found[3], 16)
        for found in map(SWITCH.match, history.splitlines())
        if found
    }
    segments, forks = own_segments(wal, int(first, 16), switches, history)
    if not segments:
        return
    begins = ", ".join(
        f"timeline {timeline} from {at >> 32:X}/{at & 0xFFFFFFFF:X}" for timeline, at in sorted(forks.items())
    )
    note = (
        f"WAL that only this instance had ({begins}), kept before pg_rewind discarded it.\n"
        "Read it: pg_waldump --path=THIS_DIRECTORY --timeline=TIMELINE --start=POSITION\n"
        "Remove this directory when nobody needs it.\n"
    )
    target = keep([*segments, *wal.glob("*.history")], place, note)
    sys.stdout.write(f"{target} ({begins})\n")
    kept = [each for each in place.iterdir() if NAME.fullmatch(each.name) and each.is_dir()]
    kept.sort(key=lambda each: _order(each.name))
    for each in kept[:-COPIES]:
        shutil.rmtree(each)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError) as error:
        sys.exit(str(error))
