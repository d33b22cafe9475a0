"""The JSON Schema of a topology, for editors."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from hadeploy.spec.topology import Topology


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of all patterns."""
    schema: dict[str, Any] = TypeAdapter(Topology).json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hadeploy topology",
        "description": "A highly available cluster, in one of the patterns that hadeploy builds.",
        **schema,
    }
