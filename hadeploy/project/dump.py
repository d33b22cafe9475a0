"""YAML text, the same for the same data."""

from __future__ import annotations

from typing import Any

import yaml

WIDTH = 110


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """No anchors: the same list in two places is written twice, as a person would."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (yaml's own signature)
        """Never refer back."""
        return True


def dump_yaml(data: Any) -> str:
    """Keys in the order given; one document."""
    text = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=WIDTH, allow_unicode=True
    )
    return f"---\n{text}"
