"""The case file of a rule: one topology that breaks just that rule and one that just does not, as changes of an example.

``cases/CODE.yml`` holds ``base`` (an example below ``inventories/``), ``both`` (changes of both topologies, for what the rule
needs), ``breaks`` and ``holds``; each change is a path of keys and indexes with its new value, null to leave the key out.
``also`` are codes that follow, ``beside`` is another topology that is judged together with it, ``place`` is where the finding
is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import hadeploy

CASES = Path(__file__).parent / "cases"
WIDTH = 110


@dataclass(frozen=True, slots=True)
class CaseFile:
    """What the file of one rule says; the excerpts are parts of topologies, in YAML.

    Attributes:
        base: the example that the excerpts belong into.
        breaks, holds: both changes and those of one of the two topologies together.
        also: other codes that the topology that breaks the rule has, too.
        beside: the example and its changes that are judged together with it; None for most rules.
        place: of the finding; empty where the file does not say.
    """

    base: str
    breaks: Mapping[str, Any]
    holds: Mapping[str, Any]
    also: tuple[str, ...] = ()
    beside: Mapping[str, Any] | None = field(default=None)
    place: str = ""

    @property
    def bad(self) -> str:
        """The part of the example that is written otherwise to break the rule."""
        return self._excerpt(self.breaks)

    @property
    def good(self) -> str:
        """The same part where it does not."""
        return self._excerpt(self.holds)

    def topology(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The whole example with its changes."""
        document = deepcopy(_example(self.base))
        apply_changes(document, changes)
        return document

    def _excerpt(self, changes: Mapping[str, Any]) -> str:
        document = self.topology(changes)
        part: dict[str, Any] = {}
        for path in dict.fromkeys((*changes, *self.breaks, *self.holds)):
            _copy(document, part, _steps(path))
        text = "".join(f"# without {path}\n" for path in _left_out(_example(self.base), document))
        shown = _without_empty(part)
        if not shown:
            return text
        return text + yaml.safe_dump(
            shown, sort_keys=False, allow_unicode=True, width=WIDTH, default_flow_style=None
        )


@cache
def read_case(code: str) -> CaseFile:
    """The case file of a rule.

    Raises:
        FileNotFoundError: it has none.
    """
    written = yaml.safe_load((CASES / f"{code}.yml").read_text(encoding="utf-8"))
    both = written.get("both", {})
    return CaseFile(
        base=written["base"],
        breaks=both | written["breaks"],
        holds=both | written["holds"],
        also=tuple(written.get("also", ())),
        beside=written.get("beside"),
        place=written.get("place", ""),
    )


def examples_directory() -> Path:
    """The folder of examples: package data in a wheel, beside the package in a checkout."""
    package = Path(hadeploy.__file__).parent
    packaged = package / "data" / "inventories"
    return packaged if packaged.is_dir() else package.parent / "inventories"


def apply_changes(document: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Write an example otherwise: path of keys and indexes -> value, None to leave it out."""
    for path, value in changes.items():
        *parents, last = _steps(path)
        place: Any = document
        for part in parents:
            if isinstance(place, dict) and part not in place:
                place[part] = {}
            place = place[part]
        if value is None:
            if isinstance(place, dict):
                place.pop(last, None)
            else:
                del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(deepcopy(value))
        else:
            place[last] = deepcopy(value)


@cache
def _example(base: str) -> dict[str, Any]:
    text = (examples_directory() / base / "topology.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def _steps(path: str) -> list[str | int]:
    return [int(step) if step.isdigit() else step for step in path.split(".")]


def _copy(document: Any, part: dict[str, Any], steps: Iterable[str | int]) -> bool:
    """Take over what stands at a path; a list is taken as a whole. False where nothing stands there."""
    steps = list(steps)
    for at, step in enumerate(steps):
        if not isinstance(document, dict) or step not in document:
            return False
        value = document[step]
        if at == len(steps) - 1 or not isinstance(value, dict):
            part[str(step)] = value
            return True
        if not isinstance(part.setdefault(str(step), {}), dict):
            return True
        if part[str(step)] is value:
            return True  # taken over as a whole before
        document, part = value, part[str(step)]
    return True


def _without_empty(part: dict[str, Any]) -> dict[str, Any]:
    """Without the mappings that were only on the way to what is left out."""
    inner = {key: _without_empty(value) if isinstance(value, dict) else value for key, value in part.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _left_out(example: Mapping[str, Any], document: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The paths of keys that the example has and the topology has not."""
    for key, value in example.items():
        if key not in document:
            yield f"{before}{key}"
        elif isinstance(value, dict) and isinstance(document[key], dict):
            yield from _left_out(value, document[key], f"{before}{key}.")
