"""A YAML file as plain values, with the place of every key and value.

Composed with PyYAML's safe composer; no tag makes an object, and a scalar is what is written (``scalars.py``). Limits keep a
hostile file from costing more than it weighs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hadeploy.diagnostics import Diagnostic, Diagnostics, Span
from hadeploy.diagnostics.characters import escaped, unwanted_characters
from hadeploy.spec.scalars import NUMBER
from hadeploy.spec.source_text import LONGEST_KEY, LONGEST_TEXT, read_text

MOST_NODES = 100_000
MOST_PROBLEMS = 200
"""Of more than these nobody reads; each costs a search for the key that was meant."""
DEEPEST = 40

KeyPath = tuple[str | int, ...]

NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
"""A plain scalar that says that there is no value."""

_STRING = "tag:yaml.org,2002:str"
_TAGS = {yaml.MappingNode: "tag:yaml.org,2002:map", yaml.SequenceNode: "tag:yaml.org,2002:seq"}

Reading = bool | int | float | str
"""What YAML 1.1 makes of a plain scalar; a date is given as its text."""

_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class SourceMap:
    """Where every key and value stands.

    Attributes:
        file: its name.
        values: the place of each value.
        keys: the place of each key.
        readings: what YAML 1.1 would have made of a plain scalar that it reads as something else than its text: 8 for 010.
        refused: what was not read as it stands, and was told of.
        cut: mappings of which a key was not read, and was told of.
    """

    file: str
    values: Mapping[KeyPath, Span] = field(default_factory=dict)
    keys: Mapping[KeyPath, Span] = field(default_factory=dict)
    readings: Mapping[KeyPath, Reading] = field(default_factory=dict)
    refused: frozenset[KeyPath] = frozenset()
    cut: frozenset[KeyPath] = frozenset()

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
    text, problems = read_text(path, name)
    if text is None:
        return None, Diagnostics.of(problems)
    try:
        deep = _first_too_deep(text)
        if deep is not None:
            return None, Diagnostics.of([_too_deep(name, deep.line + 1, deep.column + 1)])
        root = _compose(text)
    except yaml.YAMLError as error:
        return None, Diagnostics.of([_syntax(error, name)])
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
    return (value, reader.source()), Diagnostics.of(reader.problems)


def _first_too_deep(text: str) -> Any:
    """Where nesting goes too deep: composing is recursive in C, and would end this process."""
    loader, depth = _Loader(text), 0
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEEPEST + 1:
                    return event.start_mark
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    finally:
        loader.dispose()
    return None


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
        self._resolve: Any = yaml.resolver.Resolver().resolve
        self.values: dict[KeyPath, Span] = {}
        self.keys: dict[KeyPath, Span] = {}
        self.problems: list[Diagnostic] = []
        self._readings: dict[KeyPath, Reading] = {}
        self._refused: set[KeyPath] = set()
        self._cut: set[KeyPath] = set()

    def source(self) -> SourceMap:
        """Where everything stands that was read until now."""
        return SourceMap(
            self._name,
            self.values,
            self.keys,
            self._readings,
            frozenset(self._refused),
            frozenset(self._cut),
        )

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
        self._end_early(place)
        self.values.setdefault(path, place)
        self._refuse_tag(node, path, place)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        return self._scalar(node, path, place)

    def _end_early(self, place: Span) -> None:
        if len(self.problems) > MOST_PROBLEMS:
            raise _LimitError(
                Diagnostic("SPEC006", "the rest of the file is not read: there are too many problems", place)
            )

    def _mapping(self, node: Any, path: KeyPath, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = _span(self._name, key_node)
            self._end_early(place)
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.value:
                self.problems.append(Diagnostic("SPEC008", "a key must be a plain word", place))
                self._cut.add(path)
                continue
            key = str(key_node.value)
            if len(key) > LONGEST_KEY:
                self.problems.append(_too_long("a key", LONGEST_KEY, place))
                self._cut.add(path)
                continue
            if unwanted_characters(key):
                self.problems.append(_characters(f"the key {escaped(key)}", key, place))
                self._cut.add(path)
                continue
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
                self._cut.add(path)
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
            self._refuse_tag(key_node, here, place)
            result[key] = self.read(value_node, here, depth + 1)
        return result

    def _scalar(self, node: Any, path: KeyPath, place: Span) -> Any:
        """A scalar as it is written; a number, true, false or nothing only where every YAML reads it so."""
        text = str(node.value)
        if node.style in ("|", ">"):
            text = text.rstrip("\n")  # the end of its last line is not a part of the text
        if len(text) > LONGEST_TEXT:
            self.problems.append(_too_long(_name(path), LONGEST_TEXT, place))
            self._refused.add(path)
            return ""
        if unwanted_characters(text):
            self.problems.append(_characters(_name(path), text, place))
            self._refused.add(path)
            return escaped(text)
        if node.style or node.tag == _STRING or path in self._refused:
            return text
        if text in NOTHING:
            return None
        if text in ("true", "false"):
            return text == "true"
        if NUMBER.fullmatch(text):
            return int(text)
        self._readings[path] = self._yaml_reading(node)
        return text

    def _yaml_reading(self, node: Any) -> Reading:
        try:
            value = self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError):
            return str(node.value)
        return value if isinstance(value, bool | int | float) else str(node.value)

    def _refuse_tag(self, node: Any, path: KeyPath, place: Span) -> None:
        """A tag says what a value is to be; the schema says that, and whatever else would be dropped in silence."""
        scalar = isinstance(node, yaml.ScalarNode)
        if node.tag == (_STRING if scalar else _TAGS[type(node)]):
            return
        if (
            scalar
            and not node.style
            and node.tag == self._resolve(yaml.ScalarNode, node.value, (True, False))
        ):
            return
        if path in self._refused:
            return
        self._refused.add(path)
        tag = escaped(str(node.tag)).replace("tag:yaml.org,2002:", "!!")
        self.problems.append(
            Diagnostic(
                "SPEC123",
                f"{_name(path)} has the tag {tag}",
                place,
                detail="what a value is follows from its key; a tag would say something else",
                mend="a secret: {vault: VARIABLE}, with the variable in the file that secrets_vault names"
                if tag in ("!vault", "!vault-encrypted")
                else f"leave {tag} out",
            )
        )


def _name(path: KeyPath) -> str:
    return ".".join(str(step) for step in path) or "the topology"


def _too_long(what: str, most: int, place: Span) -> Diagnostic:
    return Diagnostic("SPEC128", f"{what} is longer than {most} characters", place)


def _characters(what: str, text: str, place: Span) -> Diagnostic:
    unwanted = unwanted_characters(text)
    lines = [each for each in unwanted if each in "\n\r\x85\u2028\u2029"]
    names = ", ".join(f"U+{ord(each):04X}" for each in unwanted)
    if len(lines) == len(unwanted):
        return Diagnostic(
            "SPEC122",
            f"{what} has more than one line",
            place,
            detail="in the file of a daemon a second line would be a setting of its own",
            mend="write it on one line",
        )
    return Diagnostic(
        "SPEC122",
        f"{what} has control characters",
        place,
        detail=f"{names}: daemons' files, the CIB and terminals take them for something else than text",
        mend="write it without them",
    )
