# SPDX-License-Identifier: Apache-2.0
"""A person's own file as it may be shown: without its secrets, no longer than can be read, no control character as such."""

from __future__ import annotations

import difflib
import re

LONGEST = 60
"""Lines of a difference."""

WIDEST = 200
"""Characters of a line."""

LARGEST = 1 << 20
"""Bytes of a file that is looked into."""

SECRET = re.compile(
    r"(?i)((?:pass(?:word|wd|phrase|code)?|pwd|secret|token|api_?key|access_?key|credentials?|auth(?:_pass|orization)?|psk"
    r"|community|private_?key|shared-secret)[\"']?(?:\s*[:=]\s*|\s+))(\S.*)"
)
URL = re.compile(r"(\w://[^/\s:@]*:)[^@\s]+@")
RANDOM = re.compile(r"(?<![\w/.+-])(?=[\w+=-]*\d)(?=[\w+=-]*[A-Za-z])[\w+=-]{32,}(?![\w/.])")
PLACEHOLDER = re.compile(r"@@hadeploy:[^@]+@@")
PRIVATE = re.compile(r"-----BEGIN .*PRIVATE KEY-----")
END = re.compile(r"-----END ")
HIDDEN = "(secret)"


def text_of(content: bytes) -> str | None:
    """As text; None where it is none."""
    return None if b"\0" in content else content.decode("utf-8", errors="backslashreplace")


def difference(before: str, after: str, names: tuple[str, str]) -> list[str]:
    """Lines of a unified diff, masked, escaped and bounded."""
    old, new = before.splitlines(), after.splitlines()
    shown = {**_masked(old), **_masked(new)}
    lines = [
        line if number < 2 else line[:1] + shown.get(line[1:], line[1:])
        for number, line in enumerate(difflib.unified_diff(old, new, *names, lineterm=""))
    ]
    # Lines may differ in a secret alone, which does not show.
    lines = [plain(line)[:WIDEST] for line in lines] or ["(only the ends of lines differ)"]
    if len(lines) > LONGEST:
        lines = [*lines[:LONGEST], f"({len(lines) - LONGEST} more lines)"]
    return lines


def _masked(lines: list[str]) -> dict[str, str]:
    found, inside = {}, False
    for line in lines:
        inside = inside or PRIVATE.search(line) is not None
        found[line] = HIDDEN if inside else without_secrets(line)
        inside = inside and END.search(line) is None
    return found


def without_secrets(line: str) -> str:
    """What follows a word that announces a secret is not shown, nor what looks like a key."""
    line = PLACEHOLDER.sub(HIDDEN, line)
    line = SECRET.sub(rf"\1{HIDDEN}", line)
    return RANDOM.sub(HIDDEN, URL.sub(rf"\1{HIDDEN}@", line))


def plain(text: str) -> str:
    """No character that a terminal would obey, or that turns the direction of what follows."""
    return "".join(
        each if each.isprintable() or each == "\t" else each.encode("unicode_escape").decode("ascii")
        for each in text
    )
