"""hadeploy schema: the JSON Schema of a topology, for editors and other tools."""

from __future__ import annotations

import json

from hadeploy.cli.terminal import echo


def schema() -> None:
    """Print the JSON Schema of topology.yaml."""
    from hadeploy.spec.schema import json_schema

    echo(json.dumps(json_schema(), indent=2))
