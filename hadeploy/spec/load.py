"""From a file to a typed topology; every problem at once, in a person's words."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.spec.limits import too_many_nodes
from hadeploy.spec.misread import as_written, number_meant, shown
from hadeploy.spec.placeholders import check_placeholders
from hadeploy.spec.refused import RefusedError
from hadeploy.spec.secret import EnvironmentSecret, FileSecret, VaultSecret
from hadeploy.spec.source import MOST_PROBLEMS, KeyPath, Reading, SourceMap, read_source
from hadeploy.spec.topology import PATTERNS, ActiveActive, ActivePassive, NPlusOne

AnyTopology = ActivePassive | ActiveActive | NPlusOne

MODELS: dict[str, type[ActivePassive] | type[ActiveActive] | type[NPlusOne]] = {
    "active-passive": ActivePassive,
    "active-active": ActiveActive,
    "n-plus-1": NPlusOne,
}

SECRET_NAMES = re.compile(
    r"(passw|passwd|secret|token|api_?key|private_?key|community|login_pass|auth_?key)", re.IGNORECASE
)
SECRET_MEND = "write a reference: {env: NAME}, {file: path} or {vault: variable}"  # noqa: S105 (not a secret)

_REFERENCES = frozenset(each.__name__ for each in (EnvironmentSecret, FileSecret, VaultSecret))


@dataclass(frozen=True, slots=True)
class LoadedTopology:
    """A valid topology and where everything in it stands."""

    topology: AnyTopology
    path: Path
    source: SourceMap


def load_topology(path: Path) -> tuple[LoadedTopology | None, Diagnostics]:
    """Read and type one topology."""
    read, findings = read_source(path)
    if read is None:
        return None, findings
    data, source = read
    findings += Diagnostics.of([*_literal_secrets(data, source), *check_placeholders(data, source)])
    pattern = data.get("pattern")
    if ("pattern",) in source.refused:
        return None, findings
    if not isinstance(pattern, str) or pattern not in MODELS:
        return None, findings + Diagnostics.of([_pattern_problem(pattern, source)])
    too_many = too_many_nodes(data, source)
    if too_many is not None:
        return None, findings + Diagnostics.of([too_many])
    model = MODELS[pattern]
    try:
        topology = model.model_validate(data)
    except ValidationError as error:
        return None, findings + Diagnostics.of(_explain(error, model, data, source))
    return (None if findings.has_errors else LoadedTopology(topology, path, source)), findings


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean X?`` or the list of what is known."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return f"one of: {', '.join(names)}" if names else ""


def _pattern_problem(pattern: Any, source: SourceMap) -> Diagnostic:
    if pattern is None:
        return Diagnostic(
            "SPEC010", "the pattern is missing", source.span(), mend=f"pattern: {' | '.join(PATTERNS[:3])}"
        )
    place = source.span("pattern")
    if pattern in PATTERNS:
        return Diagnostic(
            "SPEC011", f"the pattern {pattern} is not built yet", place, mend=f"one of: {', '.join(MODELS)}"
        )
    return Diagnostic(
        "SPEC011", f"there is no pattern {pattern}", place, mend=did_you_mean(str(pattern), MODELS)
    )


def _literal_secrets(data: Any, source: SourceMap) -> list[Diagnostic]:
    """Values that stand where only a reference may; the value itself is never repeated."""
    found: list[Diagnostic] = []

    def visit(value: Any, path: KeyPath) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                here = (*path, key)
                if (
                    path
                    and path[-1] == "parameters"
                    and SECRET_NAMES.search(key)
                    and not isinstance(inner, dict)
                ):
                    found.append(
                        Diagnostic(
                            "SPEC020",
                            f"the parameter {key} holds a literal where a secret reference belongs",
                            source.span(*here),
                            detail="a topology lives in repositories and reviews; what is written here is known to all of them",
                            mend=SECRET_MEND,
                        )
                    )
                visit(inner, here)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                visit(inner, (*path, index))

    visit(data, ())
    return found


def _explain(
    error: ValidationError, model: type[BaseModel], data: Any, source: SourceMap
) -> list[Diagnostic]:
    found: dict[tuple[str, KeyPath], Diagnostic] = {}
    for problem in error.errors(include_url=False, include_input=True):
        if problem["type"] == "too_short" and problem["input"] and not isinstance(problem["input"], str):
            continue  # said of a list whose items were refused: they are told one by one
        path = _yaml_path(problem["loc"], data, problem["type"])
        if _is_told(problem["type"], path, source):
            continue
        reference = next((index for index, step in enumerate(problem["loc"]) if step in _REFERENCES), None)
        nothing = problem.get("input", "") is None
        if (
            reference is not None
            and not nothing
            and (path := _yaml_path(problem["loc"][:reference], data, ""))
        ):
            found["", path] = Diagnostic(
                "SPEC017",
                f"{'.'.join(map(str, path))} is no reference to a secret",
                source.span(*path),
                mend=SECRET_MEND,
            )
            continue
        finding = _one(dict(problem), path, model, source)
        # The branches of a union each complain about one value: the first complaint about a place is enough.
        if len(found) > MOST_PROBLEMS:
            break
        found.setdefault((finding.code if finding.code == "SPEC012" else "", path), finding)
    return list(found.values())


def _is_told(kind: str, path: KeyPath, source: SourceMap) -> bool:
    """Whether a complaint only follows from what the reader refused."""
    if kind == "missing" and path[:-1] in source.cut:
        return True
    # Of a union every branch complains about the mapping that holds it, too.
    around = path[:-1] if kind in ("missing", "extra_forbidden") else path
    return any(
        path[: len(refused)] == refused or (around and refused[: len(around)] == around)
        for refused in source.refused
    )


def _yaml_path(location: Sequence[str | int], data: Any, kind: str) -> KeyPath:
    """Drop what pydantic adds for union branches and discriminators: only keys that are written, and a last missing one."""
    path: list[str | int] = []
    value = data
    for index, step in enumerate(location):
        if step == "[key]":
            break
        if isinstance(step, str) and isinstance(value, dict) and step in value:  # noqa: SIM114 (typed apart)
            value = value[step]
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        elif kind == "missing" and index == len(location) - 1:
            pass
        else:
            continue
        path.append(step)
    return tuple(path)


def _one(problem: dict[str, Any], path: KeyPath, model: type[BaseModel], source: SourceMap) -> Diagnostic:
    kind = problem["type"]
    context = problem.get("ctx", {})
    name = ".".join(str(step) for step in path)
    place = source.key_span(*path) if "[key]" in problem["loc"] else source.span(*path)
    reading = source.readings.get(path)
    match kind:
        case _ if problem.get("input", "") is None:
            return Diagnostic(
                "SPEC124",
                f"{name} is empty",
                place,
                mend='write a value, or leave the key out; quote it where the word is meant: "null", "~", ""',
            )
        case "extra_forbidden":
            return Diagnostic(
                "SPEC012",
                f"there is no key {path[-1]} here",
                source.key_span(*path),
                detail="a key that is not known would be ignored in silence",
                mend=did_you_mean(str(path[-1]), _known_keys(model, path[:-1])),
            )
        case "missing":
            return Diagnostic("SPEC013", f"{name} is missing", source.span(*path[:-1]))
        case "union_tag_invalid" | "union_tag_not_found":
            tags = re.findall(r"'([^']+)'", str(context.get("expected_tags", "")))
            discriminator = str(context.get("discriminator", "kind")).strip("'")
            return Diagnostic(
                "SPEC014",
                f"{name} has no known {discriminator}",
                source.span(*path, discriminator),
                mend=did_you_mean(str(context.get("tag", "")), tags),
            )
        case "literal_error":
            choices = re.findall(r"'([^']+)'", str(context.get("expected", "")))
            return Diagnostic(
                "SPEC015",
                f"{name} cannot be {_shown(problem.get('input'), path)}",
                place,
                mend=did_you_mean(str(problem.get("input")), choices)
                or number_meant(problem.get("input"), reading),
            )
        case "whole_number" | "switch" | "characters" | "bool_type":
            return as_written(kind, name, problem.get("input"), place, reading)
        case "too_short" | "string_too_short" if isinstance(problem.get("input"), str):
            least = context.get("min_length", 1)
            return Diagnostic("SPEC017", f"{name}: the text should have at least {least} characters", place)
        case "value_error" if isinstance(refused := context.get("error"), RefusedError):
            return Diagnostic(refused.code, f"{name}: {refused}", place, refused.detail, refused.mend)
        case "value_error":
            return Diagnostic(
                "SPEC016", f"{name}: {_value_words(problem)}", place, mend=_value_mend(problem, reading)
            )
        case _:
            return Diagnostic("SPEC017", f"{name}: {_plain(problem)}", place, mend=_type_mend(kind))


def _shown(value: Any, path: KeyPath) -> str:
    return shown(value, is_secret=any(isinstance(step, str) and SECRET_NAMES.search(step) for step in path))


def _value_words(problem: dict[str, Any]) -> str:
    return str(problem.get("ctx", {}).get("error", problem["msg"])).removeprefix("Value error, ")


def _value_mend(problem: dict[str, Any], reading: Reading | None) -> str:
    value = problem.get("input")
    number = re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", str(value), re.ASCII)
    if "duration" in problem["msg"] and number:
        return f"{value}s or {value}ms: a number alone is the thousandfold mistake"
    return number_meant(value, reading) if reading is not None else ""


def _plain(problem: dict[str, Any]) -> str:
    text = str(problem["msg"])
    words = {
        "Input should be a valid integer": "this should be a whole number",
        "Input should be a valid": "this should be a",
        "Input should be": "this should be",
        "String should": "the text should",
        "dictionary": "mapping of keys",
        "tuple": "list",
        "Tuple": "The list",
    }
    for theirs, ours in words.items():
        text = text.replace(theirs, ours)
    return text[0].lower() + text[1:]


def _type_mend(kind: str) -> str:
    if kind == "tuple_type":
        return "write a list: [a, b]"
    return ""


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def _known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys of the model at a path, found through the JSON schema that the model itself gives."""
    schema = _schema(model)
    definitions = schema.get("$defs", {})
    nodes = [schema]
    for step in path:
        nodes = [inner for node in _branches(nodes, definitions) for inner in _step(node, step)]
    keys: dict[str, None] = {}
    for node in _branches(nodes, definitions):
        keys.update(dict.fromkeys(node.get("properties", {})))
    return [key for key in keys if not key.startswith("$")]


def _branches(nodes: list[dict[str, Any]], definitions: dict[str, Any]) -> list[dict[str, Any]]:
    result = []
    queue = list(nodes)
    while queue:
        node = queue.pop()
        if "$ref" in node:
            queue.append(definitions[node["$ref"].rpartition("/")[2]])
            continue
        queue += [branch for word in ("anyOf", "oneOf", "allOf") for branch in node.get(word, ())]
        result.append(node)
    return result


def _step(node: dict[str, Any], step: str | int) -> list[dict[str, Any]]:
    if isinstance(step, int):
        return [node["items"]] if isinstance(node.get("items"), dict) else []
    if step in node.get("properties", {}):
        return [node["properties"][step]]
    extra = node.get("additionalProperties")
    return [extra] if isinstance(extra, dict) else []
