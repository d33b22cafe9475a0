"""Characters that no text of a topology holds, and that no terminal gets from what hadeploy was given to read."""

from __future__ import annotations

import unicodedata

_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They let a text look like another one to those who review it."""

_OTHERS = frozenset("\ufeff\ufffe\uffff")
"""The byte order mark, and what XML 1.0 cannot hold (2.2, Char)."""


def unwanted_characters(text: str) -> tuple[str, ...]:
    """The characters of a text that no daemon's file, no CIB and no terminal may get, once each.

    These are control characters (newline and tab too: every text of a topology is one line), line separators, lone
    surrogates, what XML cannot hold, and what turns the direction of writing.
    """
    if text.isascii() and text.isprintable():
        return ()
    return tuple(dict.fromkeys(each for each in text if _is_unwanted(each)))


def _is_unwanted(character: str) -> bool:
    if character in _BIDIRECTIONAL or character in _OTHERS:
        return True
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")


def escaped(text: str) -> str:
    """The same text with those characters as Python escapes them, so that it can be shown."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        each.encode("unicode_escape").decode("ascii") if _is_unwanted(each) else each for each in text
    )
