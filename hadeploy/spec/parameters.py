"""Parameters as a topology writes them, held against what the agent says of itself."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from hadeploy.diagnostics import Diagnostic, Severity
from hadeploy.spec.catalogue import Agent, Parameter
from hadeploy.spec.misread import as_written
from hadeploy.spec.scalars import Scalar
from hadeploy.spec.secret import SecretReference
from hadeploy.spec.source import KeyPath, Reading, SourceMap

SET_BY_HADEPLOY: Mapping[str, str] = {
    "action": "leave it out: Pacemaker names the action each time; pcmk_reboot_action: off keeps a fenced node down",
    "pcmk_host_list": "targets: [...] at the device",
    "pcmk_delay_base": "delay: 5s at the device",
    "pcmk_delay_max": "random_delay: 10s at the device",
    "pcmk_off_timeout": "timeout: 60s at the device",
    "pcmk_reboot_timeout": "timeout: 60s at the device",
}
"""Parameters of fencing devices that follow from the topology, and what to write there instead."""

GIVEN_BY_PACEMAKER = frozenset({"action", "nodename", "plug", "port"})
"""Required by many fence agents, and filled in by Pacemaker when it fences (pacemaker-fenced(7), pcmk_host_argument)."""

OF_EVERY_OCF_AGENT = frozenset({"trace_ra", "trace_file"})
"""Read by the shell library that agents share (ocf-shellfuncs), so that no agent names them."""

WORDS: Mapping[str, str] = {
    "integer": "a whole number",
    "second": "whole seconds without a unit",
    "time": "a number of seconds, or one with its unit (30s, 2min)",
    "boolean": "true or false",
}

NUMBERS = frozenset({"integer", "second", "time"})

_FORMS: Mapping[str, re.Pattern[str]] = {
    "integer": re.compile(r"[+-]?\d+"),
    "second": re.compile(r"\d+"),
    "time": re.compile(r"\d+(\.\d+)?\s*(us|usec|ms|msec|s|sec|m|min|h|hr)?"),
    "boolean": re.compile(r"1|0|y|n|yes|no|ja|true|false|on|off", re.IGNORECASE),
}

MOST_NAMES = 12
"""More names than these help nobody who reads one line."""

Written = Mapping[str, Scalar | SecretReference]


def check_parameters(
    agent: Agent, fenced: Agent | None, owner: str, written: Written, source: SourceMap, path: KeyPath
) -> Iterator[Diagnostic]:
    """Every finding about one resource's or device's parameters.

    Args:
        agent: what its metadata says.
        fenced: the parameters that Pacemaker itself reads of every fencing device.
        owner: what the findings tell of.
        written: the parameters in the topology.
        source: where everything stands.
        path: of the mapping that holds ``parameters``.
    """
    is_fencing = agent.name.startswith("fence_")
    known = {parameter.name: parameter for parameter in agent.parameters}
    if is_fencing and fenced is not None:
        known = {parameter.name: parameter for parameter in fenced.parameters} | known
    for name, value in written.items():
        place = source.key_span(*path, "parameters", name)
        if is_fencing and name in SET_BY_HADEPLOY:
            yield Diagnostic(
                "SPEC065",
                f"{owner}: hadeploy sets {name} itself",
                place,
                detail="written twice, one would silently win over the other",
                mend=SET_BY_HADEPLOY[name],
            )
            continue
        parameter = known.get(name)
        if parameter is None:
            if is_fencing or name not in OF_EVERY_OCF_AGENT:
                yield Diagnostic(
                    "SPEC061",
                    f"{owner}: {agent.name} has no parameter {name}",
                    place,
                    detail="Pacemaker hands it over unread, and the agent works without it",
                    mend=_near(name, agent),
                )
            continue
        if parameter.deprecated:
            yield from _deprecated(agent, owner, parameter, written, source, path)
        yield from _value(agent, owner, parameter, value, source, path)
    yield from _missing(agent, owner, written, source, path)


def _near(name: str, agent: Agent) -> str:
    names = [parameter.name for parameter in agent.parameters if not parameter.deprecated]
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    if len(names) <= MOST_NAMES:
        return f"one of: {', '.join(names)}" if names else "it has no parameters"
    ask = (
        f"{agent.name} -o metadata"
        if agent.name.startswith("fence_")
        else f"crm_resource --show-metadata {agent.name}"
    )
    return f"{ask} lists them, on a member"


def _deprecated(
    agent: Agent, owner: str, parameter: Parameter, written: Written, source: SourceMap, path: KeyPath
) -> Iterator[Diagnostic]:
    successor = agent.successor(parameter.name)
    twice = successor is not None and successor.name in written
    yield Diagnostic(
        "SPEC064",
        f"{owner}: {parameter.name} is deprecated in {agent.name}"
        + (f", and {successor.name} stands beside it" if successor is not None and twice else ""),
        source.key_span(*path, "parameters", parameter.name),
        detail="both name the same thing; which of the two is read is the agent's affair"
        if twice
        else "a later release may no longer read it",
        mend=(f"leave {parameter.name} out" if twice else f"write {successor.name}") if successor else "",
        severity=Severity.WARNING,
    )


def _value(
    agent: Agent,
    owner: str,
    parameter: Parameter,
    value: Scalar | SecretReference,
    source: SourceMap,
    path: KeyPath,
) -> Iterator[Diagnostic]:
    """A secret's value is not known here, so it counts as right."""
    if not isinstance(value, str | int) or value == "":
        return
    place = source.key_span(*path, "parameters", parameter.name)
    reading = source.readings.get((*path, "parameters", parameter.name))
    if kind := read_otherwise(parameter, value, reading):
        yield as_written(kind, f"{owner}: {parameter.name}", value, place, reading)
        return
    wanted = wanted_instead(parameter, value)
    if wanted:
        yield Diagnostic(
            "SPEC063",
            f"{owner}: {parameter.name} of {agent.name} cannot be {str(value).lower() if isinstance(value, bool) else value!r}",
            place,
            detail=parameter.about,
            mend=wanted,
        )


def read_otherwise(parameter: Parameter, value: str | int, reading: Reading | None) -> str:
    """Of which kind a value is that YAML reads as another one than its text says; empty where that is nobody's question.

    Where a parameter is a text, its text is taken; where it is quoted, only the agent reads it.
    """
    if parameter.kind == "boolean" and isinstance(reading, bool):
        return "switch"
    if parameter.kind in NUMBERS and isinstance(reading, int | float) and not isinstance(reading, bool):
        try:
            return "" if float(value) == reading else "whole_number"
        except ValueError:
            return "whole_number"
    return ""


def wanted_instead(parameter: Parameter, value: str | int) -> str:
    """What should stand where ``value`` does; empty where it is right."""
    if parameter.kind == "select":
        text = str(value).lower() if isinstance(value, bool) else str(value)
        # The fencing library compares in capitals.
        right = not parameter.options or text.upper() in {option.upper() for option in parameter.options}
        return "" if right else f"one of: {', '.join(parameter.options)}"
    form = _FORMS.get(parameter.kind)
    if form is None or (isinstance(value, bool) and parameter.kind == "boolean"):
        return ""
    if form.fullmatch(str(value).strip()) and not isinstance(value, bool):
        return ""
    return WORDS[parameter.kind]


def _missing(
    agent: Agent, owner: str, written: Written, source: SourceMap, path: KeyPath
) -> Iterator[Diagnostic]:
    exempt = GIVEN_BY_PACEMAKER if agent.name.startswith("fence_") else frozenset[str]()
    place = source.keys.get((*path, "parameters")) or source.span(*path, "agent")
    given = {name for name, value in written.items() if value != ""}
    for parameter in agent.parameters:
        if not parameter.required or parameter.name in exempt:
            continue
        if parameter.deprecated and agent.successor(parameter.name) is not None:
            continue  # told once, by the name that is not deprecated
        if not given & {parameter.name, *parameter.obsoletes}:
            yield Diagnostic(
                "SPEC062",
                f"{owner}: {agent.name} needs the parameter {parameter.name}",
                place,
                detail=parameter.about,
                mend=f"{parameter.name}: ... under parameters",
            )
