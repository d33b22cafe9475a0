"""Finds one agent among a release's hundreds without reading the others."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from hadeploy.spec.catalogue.agent import Agent, from_record

FOLDER = Path(__file__).parent


@cache
def releases() -> tuple[str, ...]:
    """The releases that have a catalogue."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.jsonl")))


@cache
def _lines(release: str) -> bytes:
    path = FOLDER / f"{release}.jsonl"
    return b"\n" + path.read_bytes() if path.is_file() else b""


@cache
def find_agent(release: str, name: str) -> Agent | None:
    """What a release's packages say of an agent; None where none of them brings it."""
    data = _lines(release)
    # A line begins with its agent's name, so that only the line that is wanted is parsed.
    start = data.find(f'\n{{"agent":{json.dumps(name)},'.encode())
    if start < 0:
        return None
    return from_record(json.loads(data[start : data.find(b"\n", start + 1)]))


@cache
def agent_names(release: str) -> tuple[str, ...]:
    """Every agent that a release's packages bring, sorted."""
    return tuple(name.decode() for name in re.findall(rb'\n\{"agent":"([^"]+)"', _lines(release)))
