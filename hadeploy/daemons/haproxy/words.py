"""A word of haproxy.cfg, whatever is in it (HAProxy Configuration Manual, 2.2, "Quoting and escaping")."""

from __future__ import annotations

import re

PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,~?&*!()-]+")
"""What HAProxy reads as it is: no blank, comment, quotation mark, backslash, semicolon or variable."""


def word(text: str) -> str:
    """The text as one word: between single quotes nothing has a meaning, and a single quote itself stands outside of them."""
    return text if PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"
