"""YAML text, the same for the same data; what Ansible reads says which of its strings are data, and so no template.

Ansible takes every string of a variables file and of an inventory for a template. ``!unsafe`` keeps it from that, in all of
ansible-core 2.14 to 2.21 (Ansible documentation, "Advanced playbook syntax").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

WIDTH = 110
DATA = "!unsafe"
UNMARKED = re.compile(r"[A-Za-z0-9 _./:@,+=*~<-]*")
"""Text in which no template can begin, whatever its marks are: it is written without the tag, so that people can read it, and
because ansible-core from 2.19 on takes a marked ``~`` for nothing, even in quotes. No other text that YAML takes for something
else than text has further signs."""

UNSAFE = "__ansible_unsafe"
"""The same mark in JSON, as Ansible writes and reads it (ansible-core, AnsibleJSONDecoder)."""


class Expression(str):
    """Text that Ansible is to evaluate: hadeploy's own, and never from a topology."""

    __slots__ = ()


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """No anchors: the same list in two places is written twice, as a person would."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 (yaml's own signature)
        """Never refer back."""
        return True


class _VariablesDumper(_Dumper):
    """Marks what is data."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Knows the mark; everything is data here."""


def _data(dumper: Any, text: str) -> Any:
    if UNMARKED.fullmatch(text):
        return dumper.represent_str(text)
    return dumper.represent_scalar(DATA, text, style='"')


_VariablesDumper.add_representer(str, _data)
_VariablesDumper.add_representer(Expression, lambda dumper, text: dumper.represent_str(str(text)))
_Loader.add_constructor(DATA, lambda loader, node: loader.construct_scalar(node))


def dump_yaml(data: Any) -> str:
    """Keys in the order given; one document."""
    return _dumped(data, _Dumper)


def dump_variables(data: Any) -> str:
    """The same for what Ansible reads as variables: only an :class:`Expression` is evaluated."""
    return _dumped(data, _VariablesDumper)


def load_variables(text: str) -> Any:
    """What :func:`dump_variables` wrote, now or in a former version.

    Raises:
        yaml.YAMLError: it is something else.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 (a safe loader that knows one more tag)


def extra_variables(data: Mapping[str, Any]) -> str:
    """JSON for ``--extra-vars``, every string of it data: a path with braces is no template, one with quotes no second key."""
    return json.dumps({name: _unsafe(value) for name, value in data.items()})


def _unsafe(value: Any) -> Any:
    if isinstance(value, str):
        return {UNSAFE: value}
    if isinstance(value, Mapping):
        return {key: _unsafe(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_unsafe(inner) for inner in value]
    return value


def _dumped(data: Any, dumper: type[Any]) -> str:
    text = yaml.dump(
        data, Dumper=dumper, sort_keys=False, default_flow_style=False, width=WIDTH, allow_unicode=True
    )
    return f"---\n{text}"
