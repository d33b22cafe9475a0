"""What is listed twice: one of the two was meant to be another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.source import KeyPath

if TYPE_CHECKING:
    from hadeploy.spec.load import LoadedTopology

WITHOUT_EFFECT = frozenset(
    {"packages", "directories", "breakages", "clients_from", "from_", "ssh_from", "units"}
)
"""Lists of texts in which a second mention changes nothing."""

TOLD_ELSEWHERE = frozenset({"links"})
"""Two cluster links over one network: HA013."""


def check_repeated(loaded: LoadedTopology) -> Iterator[Diagnostic]:
    """Every name, address or path that one list holds twice."""
    for path, value in _lists(loaded.topology, ()):
        first: dict[object, int] = {}
        for index, item in enumerate(value):
            if isinstance(item, str) and first.setdefault(item, index) != index:
                yield Diagnostic(
                    "SPEC149",
                    f"{item} stands twice in {'.'.join(str(step) for step in path)}",
                    loaded.source.span(*path, index),
                    detail="the second has no effect of its own, so that something else was meant, or nothing",
                    mend="remove it, or write the one that is missing",
                )


def _lists(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, tuple[object, ...]]]:
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            if name not in WITHOUT_EFFECT | TOLD_ELSEWHERE:
                alias = type(value).model_fields[name].alias
                yield from _lists(getattr(value, name), (*path, alias or name))
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _lists(one, (*path, key))
    elif isinstance(value, tuple):
        yield path, value
        for index, one in enumerate(value):
            yield from _lists(one, (*path, index))
