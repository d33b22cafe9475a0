# SPDX-License-Identifier: Apache-2.0
"""How the outcome of a daemon's own parser is read."""

from __future__ import annotations

import re


def verdict(check: dict, code: int, words: str) -> bool:
    """Whether a parser's outcome means valid."""
    return code in check["accept"] and not any(
        re.search(pattern, words) for pattern in check["reject_output"]
    )
