"""Every place of a topology where text may stand, found in the schema itself: a new field is covered by being there."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hadeploy.spec.load import MODELS

KEY, ANY, ITEM = "[key]", "{}", "[]"
"""Steps of a path: the key of a mapping, a value of a mapping whose keys are a person's, an item of a list."""

ALTERNATIVES = ("env", "file", "vault")
"""Of a reference to a secret, one at a time."""

Path = tuple[str, ...]
Place = tuple[str | int, ...]


def fields() -> tuple[Path, ...]:
    """The paths of all patterns, each once."""
    found: dict[Path, None] = {}
    for model in MODELS.values():
        schema = model.model_json_schema(by_alias=True)
        found |= dict.fromkeys(_texts(schema, schema.get("$defs", {}), (), ()))
    return tuple(found)


def _texts(node: Any, definitions: Any, path: Path, seen: tuple[str, ...]) -> Iterator[Path]:
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from _texts(definitions[name], definitions, path, (*seen, name))
        return
    for word in ("anyOf", "oneOf", "allOf"):
        for branch in node.get(word, ()):
            yield from _texts(branch, definitions, path, seen)
    if node.get("type") == "string" and not {"enum", "const"} & set(node):
        yield path
    for key, inner in node.get("properties", {}).items():
        yield from _texts(inner, definitions, (*path, key), seen)
    free = [*node.get("patternProperties", {}).values()]
    if isinstance(node.get("additionalProperties"), dict):
        free.append(node["additionalProperties"])
    for inner in free:
        yield (*path, KEY)
        yield from _texts(inner, definitions, (*path, ANY), seen)
    if isinstance(node.get("items"), dict):
        yield from _texts(node["items"], definitions, (*path, ITEM), seen)


def with_value(base: Any, path: Path, value: str) -> tuple[Any, Place] | None:
    """A copy of a topology with a value at a field, and where it stands; None where the topology has nothing around it.

    Of several places that one is taken where the field is written already: others may be of another kind.
    """
    changed = copy.deepcopy(base)
    found = [(place, _holder(changed, place)) for place in _places(changed, path[:-1], ())]
    last = path[-1]
    found.sort(key=lambda each: not (isinstance(each[1], dict) and last in each[1]))
    for place, holder in found:
        if last == KEY and isinstance(holder, dict) and holder:
            first, *_ = holder
            items = [(value if key == first else key, inner) for key, inner in holder.items()]
            holder.clear()
            holder.update(items)
            return changed, (*place, value)
        if last == ANY and isinstance(holder, dict) and holder:
            first = next((key for key, inner in holder.items() if isinstance(inner, str)), next(iter(holder)))
            holder[first] = value
            return changed, (*place, first)
        if last == ITEM and isinstance(holder, list):
            holder[:1] = [value]
            return changed, (*place, 0)
        if last not in (KEY, ANY, ITEM) and isinstance(holder, dict):
            if last in ALTERNATIVES:
                holder.clear()
            holder[last] = value
            return changed, (*place, last)
    return None


def _holder(data: Any, place: Place) -> Any:
    for step in place:
        data = data[step]
    return data


def _places(data: Any, path: Path, place: Place) -> Iterator[Place]:
    """Where the things around a field are, as far as they are written."""
    if not path:
        yield place
        return
    step, *others = path
    rest = tuple(others)
    if step == ANY and isinstance(data, dict):
        for key, inner in data.items():
            yield from _places(inner, rest, (*place, key))
    elif step == ITEM and isinstance(data, list):
        for number, inner in enumerate(data):
            yield from _places(inner, rest, (*place, number))
    elif isinstance(data, dict) and step in data:
        yield from _places(data[step], rest, (*place, step))
