"""The first line of every file that hadeploy writes."""

from __future__ import annotations

from hadeploy.design.design import Design


def notice(design: Design) -> str:
    """Who wrote a file and where to change it, without comment sign or time: same input, same bytes."""
    return f"Written by hadeploy from topology {design.name}; edit the topology, not this file."
