"""How a host's programs and files are read by the probe."""

from __future__ import annotations

import json
import os
import subprocess

SECONDS = 10
PLAIN = {
    **os.environ,
    "LC_ALL": "C.UTF-8",
    "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin",
}
"""Programs answer in one language, and an ordinary user's PATH has no sbin."""


def output(argv: list[str]) -> str:
    """What a program prints; empty where it is missing or takes too long."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False, env=PLAIN
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def text(path: str) -> str:
    """A file; empty where it is missing or may not be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def records(argv: list[str]) -> list[dict[str, object]]:
    """What a program prints as a JSON list of objects; empty where it does not."""
    try:
        found = json.loads(output(argv) or "[]")
    except ValueError:
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
