"""Objects that hold data and that an apply takes out of service: what a person should read before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hadeploy.design.design import Design
from hadeploy.project.dump import load_variables
from hadeploy.project.playbook import VARIABLES

FORMER_VARIABLES = "group_vars/all.yml"
"""Where builds had them until 2026."""


def objects_of(project: Path) -> list[dict[str, Any]]:
    """Objects that a former build of this topology had; none where there is no such build, or an older version made it."""
    for place in (VARIABLES, FORMER_VARIABLES):
        try:
            variables = load_variables((project / place).read_text(encoding="utf-8"))
            return [each for each in variables["hadeploy_objects"] if isinstance(each["data"], dict)]
        except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError):
            continue
    return []


def removed_objects(former: list[dict[str, Any]], design: Design) -> tuple[str, ...]:
    """A sentence for each object that leaves the topology, and for each that gets another name."""
    there = [("volume", each.name, each.was) for each in design.volumes]
    there += [("database", each.name, each.was) for each in design.databases]
    names = {(kind, name) for kind, name, _ in there}
    renamed = {(kind, was): name for kind, name, was in there if was}
    return tuple(
        f"{each['kind']} {each['name']} {_fate(each, renamed.get((each['kind'], each['name'])))}"
        for each in former
        if (each["kind"], each["name"]) not in names
    )


def _fate(gone: dict[str, Any], now: str | None) -> str:
    if now is not None:
        return f"becomes {now}, with its data"
    places: dict[str, list[str]] = {}
    for host, place in gone["data"].items():
        places.setdefault(place, []).append(host)
    words = "; ".join(f"{place} on {', '.join(hosts)}" for place, hosts in places.items())
    return f"is taken out of service; its data stays in {words}"
