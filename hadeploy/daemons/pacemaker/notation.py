"""Pacemaker's own notation for times and scores."""

from __future__ import annotations

from hadeploy.design.resources import INFINITY


def duration(milliseconds: int) -> str:
    """Whole seconds as ``10s``, else ``1500ms``; both are read exactly (a bare number would be seconds)."""
    if milliseconds % 1000 == 0:
        return f"{milliseconds // 1000}s"
    return f"{milliseconds}ms"


def score(value: int) -> str:
    """A million and more is INFINITY to Pacemaker, by name here."""
    if value >= INFINITY:
        return "INFINITY"
    if value <= -INFINITY:
        return "-INFINITY"
    return str(value)
