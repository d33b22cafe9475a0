"""Values that Pacemaker or an agent would read as something else than they are, or that break what a cluster promises."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.durability import POWER, given_up
from hadeploy.spec.parameters import Written
from hadeploy.spec.source import KeyPath, SourceMap

IN_FILES = "lrm://"
"""Pacemaker puts the content of a file in the place of such a value (lib/common/cib_secrets.c)."""


def check_handed_over(
    owner: str, agent: str, written: Written, source: SourceMap, path: KeyPath
) -> Iterator[Diagnostic]:
    """Every finding about values that are texts, whether the agent is known or not.

    Args:
        owner: what the findings tell of.
        agent: its name.
        written: the parameters in the topology.
        source: where everything stands.
        path: of the mapping that holds ``parameters``.
    """
    for name, value in written.items():
        if not isinstance(value, str):
            continue
        place = source.span(*path, "parameters", name)
        option = given_up(agent, name, value)
        if option:
            yield Diagnostic(
                "SPEC164",
                f"{owner}: {option} gives up what a commit promises",
                place,
                detail=POWER,
                mend=f"leave {option} out of {name}: the default is the safe one",
            )
        if value.startswith(IN_FILES):
            yield Diagnostic(
                "SPEC165",
                f"{owner}: {name} would not arrive as it is written",
                place,
                detail=f"what begins with {IN_FILES} Pacemaker takes for the name of a file with a secret",
                mend="a secret is a reference: {env: NAME}, {file: path} or {vault: variable}",
            )
        elif agent.startswith("fence_") and value != value.rstrip():
            yield Diagnostic(
                "SPEC165",
                f"{owner}: {name} would not arrive as it is written",
                place,
                detail="fence agents drop blanks at the end of a value, and another device or user would be asked",
                mend="write it without blanks at the end",
            )
