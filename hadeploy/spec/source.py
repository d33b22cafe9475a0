"""A YAML file as plain values, with the place of every key and value.

Composed with PyYAML's safe composer; no tag makes an object. Limits keep a hostile file from costing more than it weighs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hadeploy.diagnostics import Diagnostic, Diagnostics, Span

LARGEST_BYTES = 1024 * 1024
MOST_NODES = 100_000
DEEPEST = 40

KeyPath = tuple[str | int, ...]

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Where every key and value stands."""

    file: str
    values: Mapping[KeyPath, Span] = field(default_factory=dict)
    keys: Mapping[KeyPath, Span] = field(default_factory=dict)

    def span(self, *path: str | int) -> Span:
        """The place of a value, or of the nearest thing around it that is written."""
        return self._nearest(self.values, path)

    def key_span(self, *path: str | int) -> Span:
        """The place of a key, or of the nearest thing around it that is written."""
        return self.keys.get(path) or self.span(*path)

    def _nearest(self, places: Mapping[KeyPath, Span], path: KeyPath) -> Span:
        while path:
            if path in places:
                return places[path]
            path = path[:-1]
        return places.get((), Span(self.file, 1, 1))


def read_source(path: Path) -> tuple[tuple[Any, SourceMap] | None, Diagnostics]:
    """Read a file into plain values and their places."""
    name = str(path)
    text, problem = _read_text(path, name)
    if text is None:
        return None, Diagnostics.of([problem] if problem else [])
    try:
        root = _compose(text)
    except yaml.YAMLError as error:
        return None, Diagnostics.of([_syntax(error, name)])
    except RecursionError:
        return None, Diagnostics.of([_too_deep(name, 1, 1)])
    if root is None:
        return None, Diagnostics.of(
            [
                Diagnostic(
                    "SPEC002",
                    "the file is empty",
                    Span(name, 1, 1),
                    mend="hadeploy init active-passive writes a file to start from",
                )
            ]
        )
    reader = _Reader(name)
    try:
        value = reader.read(root, (), 0)
    except _LimitError as limit:
        return None, Diagnostics.of([*reader.problems, limit.problem])
    if not isinstance(value, dict):
        problem = Diagnostic(
            "SPEC005",
            "a topology is a mapping of keys",
            _span(name, root),
            mend="start with: name, pattern, release, networks, nodes",
        )
        return None, Diagnostics.of([*reader.problems, problem])
    return (value, SourceMap(name, reader.values, reader.keys)), Diagnostics.of(reader.problems)


def _read_text(path: Path, name: str) -> tuple[str | None, Diagnostic | None]:
    place = Span(name, 1, 1)
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else None
    except IsADirectoryError:
        return None, Diagnostic("SPEC001", "this is a folder", place, mend="name the topology file in it")
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        return None, Diagnostic("SPEC001", f"the file cannot be read: {reason}", place)
    if data is None:
        return None, Diagnostic("SPEC003", f"the file is larger than {LARGEST_BYTES} bytes", place)
    if b"\0" in data:
        return None, Diagnostic("SPEC003", "the file is binary, not text", place)
    try:
        return data.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        return None, Diagnostic(
            "SPEC003", "the file is not UTF-8 text", Span(name, line, 1), mend="save it as UTF-8"
        )


def _compose(text: str) -> Any:
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _syntax(error: yaml.YAMLError, name: str) -> Diagnostic:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Span(name, mark.line + 1, mark.column + 1) if mark else Span(name, 1, 1)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be parsed"
    return Diagnostic(
        "SPEC004",
        f"this is not YAML: {problem}",
        place,
        mend="check indentation, a missing colon, or an unquoted character before this place",
    )


def _span(name: str, node: Any) -> Span:
    return Span(name, node.start_mark.line + 1, node.start_mark.column + 1)


def _too_deep(name: str, line: int, column: int) -> Diagnostic:
    return Diagnostic("SPEC006", f"nested more than {DEEPEST} levels deep", Span(name, line, column))


class _LimitError(Exception):
    def __init__(self, problem: Diagnostic) -> None:
        super().__init__(problem.summary)
        self.problem = problem


class _Reader:
    """Turns composed nodes into values; counts every visit, so that aliases of aliases end early."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._visits = 0
        self._constructor = yaml.constructor.SafeConstructor()
        self.values: dict[KeyPath, Span] = {}
        self.keys: dict[KeyPath, Span] = {}
        self.problems: list[Diagnostic] = []

    def read(self, node: Any, path: KeyPath, depth: int) -> Any:
        self._visits += 1
        place = _span(self._name, node)
        if self._visits > MOST_NODES:
            raise _LimitError(
                Diagnostic(
                    "SPEC006",
                    f"the file unfolds to more than {MOST_NODES} values",
                    place,
                    detail="aliases of aliases multiply; no topology needs that",
                )
            )
        if depth > DEEPEST:
            raise _LimitError(_too_deep(self._name, place.line, place.column))
        self.values.setdefault(path, place)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        return self._scalar(node, place)

    def _mapping(self, node: Any, path: KeyPath, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = _span(self._name, key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.append(Diagnostic("SPEC008", "a key must be a plain word", place))
                continue
            key = str(key_node.value)
            if key == "<<" and key_node.tag == "tag:yaml.org,2002:merge":
                self.problems.append(
                    Diagnostic(
                        "SPEC009",
                        "merge keys (<<) are not read",
                        place,
                        detail="what a node gets should stand at the node",
                        mend="write the keys out, or use a plain alias for the whole value",
                    )
                )
                continue
            here = (*path, key)
            if key in result:
                first = self.keys[here]
                self.problems.append(
                    Diagnostic(
                        "SPEC007",
                        f"the key {key} is written twice",
                        place,
                        detail=f"it already stands in line {first.line}; YAML would silently keep only one of them",
                        mend="remove one, or give it another name",
                    )
                )
                continue
            self.keys[here] = place
            result[key] = self.read(value_node, here, depth + 1)
        return result

    def _scalar(self, node: Any, place: Span) -> Any:
        try:
            value = self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError):
            self.problems.append(
                Diagnostic("SPEC008", "this value is not understood", place, mend="quote it")
            )
            return str(node.value)
        if value is None or isinstance(value, str | bool | int | float):
            return value
        # Dates and binary values: nothing here wants them, so the text that was written is meant.
        return str(node.value)
