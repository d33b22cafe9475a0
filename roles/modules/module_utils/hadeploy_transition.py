# SPDX-License-Identifier: Apache-2.0
"""A rule set between two designs: openings are there before what they serve, and go only after it was stopped."""

from __future__ import annotations

import re

OPENING = re.compile(rb"^\s+\S.* accept comment \".*\"$")
"""A rule as hadeploy writes it."""


def transitional(before: bytes, after: bytes) -> bytes:
    """The new rule set with the openings of the former one that it has no more, after its own last opening."""
    lines = after.splitlines(keepends=True)
    own = {line.strip() for line in lines}
    former = [
        line
        for line in before.splitlines(keepends=True)
        if OPENING.match(line.rstrip(b"\n")) and line.strip() not in own
    ]
    places = [number for number, line in enumerate(lines) if OPENING.match(line.rstrip(b"\n"))]
    if not former or not places:
        return after
    at = places[-1] + 1
    return b"".join([*lines[:at], *former, *lines[at:]])
