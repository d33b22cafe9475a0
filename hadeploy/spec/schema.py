"""The JSON Schema of a topology, for editors."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from hadeploy.spec.topology import Topology

BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of all patterns."""
    schema: dict[str, Any] = TypeAdapter(Topology).json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hadeploy topology",
        "description": "A highly available cluster, in one of the patterns that hadeploy builds.",
        **_named_by_the_standard(schema),
    }


def _named_by_the_standard(node: Any) -> Any:
    """Pydantic leaves its own names of bounds where a value is read by a function first; those of a text are not its own."""
    if isinstance(node, list):
        return [_named_by_the_standard(each) for each in node]
    if not isinstance(node, dict):
        return node
    number = node.get("type") in ("integer", "number")
    renamed = {
        BOUNDS.get(key, key) if number else key: value
        for key, value in node.items()
        if number or key not in BOUNDS
    }
    return {key: _named_by_the_standard(value) for key, value in renamed.items()}
