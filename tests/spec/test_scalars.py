"""Scalars as they are written: another reading of a number is another machine switched off, or another port opened."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from hadeploy.app.validate import load_design, load_valid
from hadeploy.diagnostics.characters import escaped, unwanted_characters
from hadeploy.spec.load import MODELS, load_topology
from hadeploy.spec.scalars import AS_TEXT, AS_WRITTEN, NUMBER, Switch, Text, Whole
from hadeploy.spec.schema import json_schema

OTHERWISE = [
    "010", "0123", "2:04", "12:30", "1_0", "0x10", "0b11", "0o10", "+7", "1e3", "1.10", ".5", ".inf", ".nan", "1.",
    "yes", "no", "on", "off", "Yes", "NO", "True", "y", "2026-01-01", "1:2:3:4:5:6:7:8", "190:20:30.15", "-0", "=",
    "08", "1__0", "9" * 30, "52:54:00:12:34:56",
]  # fmt: skip
"""Plain scalars that some YAML reads as something else than their text."""

LEGAL = [
    "true",
    "false",
    "3",
    "0",
    "-1",
    "1.5",
    "O'Brien",
    "ü",
    "日本",
    "👩\u200d🚒",
    "a %h $HOME",
    "a b",
    "1.2.3",
    "~/x",
    "null-1",
]
NUMBERS = [each for each in OTHERWISE if each[0] in "0123456789+-."]


@pytest.fixture
def read(example, tmp_path):
    """The topology and the findings of an example in which one text stands in place of another."""

    def make(pattern: str, old: str, new: str, *, checked: bool = False) -> tuple[Any, list[Any]]:
        text = example(pattern)
        assert old in text
        file = tmp_path / "topology.yaml"
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        loaded, found = (load_valid if checked else load_topology)(file)
        return (loaded.topology if loaded else None), [each for each in found if each.is_error]

    return make


@pytest.mark.parametrize("quote", ["", '"', "'"], ids=["plain", "double", "single"])
@pytest.mark.parametrize("text", [*OTHERWISE, *LEGAL])
def test_text_is_taken_as_it_is_written(read, tmp_path, text, quote):
    if quote == "'":
        text = text.replace("'", "")
    topology, found = read("active-passive", "username: admin", f"username: {quote}{text}{quote}")
    assert found == []
    assert str(topology.fencing.devices["ipmi-n1"].parameters["username"]).lower() == text.lower()
    design, _ = load_design(tmp_path / "topology.yaml")
    assert dict(design.cluster.fencing.devices[0].parameters)["username"] == text


@pytest.mark.parametrize("text", NUMBERS)
def test_number_that_is_read_in_two_ways_is_refused_in_every_whole_number(read, text):
    for key in ("votes", "node_id"):
        topology, found = read("active-passive", "  n1:\n", f"  n1:\n    {key}: {text}\n")
        assert topology is None
        assert [each.code for each in found] == ["SPEC120"]
        assert found[0].span.column == len(f"    {key}: ") + 1


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("010", "write 8 or 10, whichever is meant"),
        ("12:30", "write 750"),
        ("1_0", "write 10"),
        ("0x10", "write 16"),
        ("+7", "write 7"),
        ("08", "write 8"),
        ('"010"', "write 10"),
        ("many", ""),
        ("true", ""),
        ("yes", ""),
    ],
)
def test_a_refused_number_says_what_to_write(read, text, mend):
    _, found = read("active-passive", "port: 80", f"port: {text}")
    assert [(each.code, each.mend) for each in found] == [("SPEC120", mend)]
    assert found[0].span.column == len("        port: ") + 1


@pytest.mark.parametrize("text", ["yes", "no", "on", "off", "y", "1", "0", "'yes'", "maybe", "2026-01-01"])
def test_a_switch_is_true_or_false(read, text):
    topology, found = read("active-passive", "  devices:\n", f"  startup_fencing: {text}\n  devices:\n")
    assert topology is None
    assert [(each.code, each.mend) for each in found] == [("SPEC121", "write true or false")]


def test_what_an_agent_reads_is_asked_for_as_it_is_written(read):
    """The agent's own metadata says what is a number and what is a switch; there 010 and yes are refused, too."""
    for wrong, code, mend in (
        ("lanplus: yes", "SPEC121", "write true or false"),
        ("ipport: 010", "SPEC120", "write 8 or 10, whichever is meant"),
        ("power_wait: 1:30", "SPEC120", "write 90"),
    ):
        _, found = read("active-passive", "lanplus: true", wrong, checked=True)
        assert [(each.code, each.mend) for each in found] == [(code, mend)]
    for right in ("ipport: '010'", "lanplus: 'yes'", "power_wait: 1.50"):
        _, found = read("active-passive", "lanplus: true", right, checked=True)
        assert "SPEC120" not in [each.code for each in found]
    _, found = read(
        "active-passive",
        "services:",
        "policy:\n  properties: {stop-all-resources: no}\nservices:",
        checked=True,
    )
    assert [each.code for each in found] == ["SPEC121"]


def test_true_is_a_word_where_the_agent_takes_a_text(read, tmp_path):
    read("active-passive", "username: admin", "username: true")
    design, _ = load_design(tmp_path / "topology.yaml")
    assert dict(design.cluster.fencing.devices[0].parameters)["username"] == "true"
    assert dict(design.cluster.fencing.devices[0].parameters)["lanplus"] == "1"


@pytest.mark.parametrize("text", ["9", "8.4", '"9"'])
def test_versions_may_be_plain(read, text):
    new = f"release: debian-12\ndrbd_version: {text}"
    topology, found = read("active-passive-drbd", "release: debian-12", new)
    assert found == []
    assert topology.drbd_version == text.strip('"')


@pytest.mark.parametrize("text", ["", "~", "null", "NULL"])
def test_nothing_is_told_apart_from_its_word(read, text):
    topology, found = read("active-passive", "username: admin", f"username: {text}")
    assert topology is None
    assert [each.code for each in found] == ["SPEC124"]
    topology, found = read("active-passive", "username: admin", f"username: '{text}'")
    assert found == []
    assert topology.fencing.devices["ipmi-n1"].parameters["username"] == text


@pytest.mark.parametrize(
    "value",
    ["!!int '3'", "!!binary aGk=", "!!python/name:os.system x", "!!python/object/apply:os.system [id]", "!x {a: b}",
     "!!set {a, b}", "!!float 3", "!!null x", "!!timestamp x", "!vault |\n          $ANSIBLE_VAULT;1.1;AES256", "!!omap []"],
)  # fmt: skip
def test_tags_are_refused(read, value):
    topology, found = read("active-passive", "username: admin", f"username: {value}")
    assert topology is None
    assert [each.code for each in found] == ["SPEC123"]
    assert read("active-passive", "username: admin", "username: !!str 010")[1] == []


HOSTILE = [
    "\\e]0;x\\a",
    "\\x1b[2J",
    "\\0",
    "a\\nb",
    "a\\rb",
    "\\x7f",
    "\\x9b",
    "\\N",
    "\\L",
    "\\P",
    "a\\tb",
    "\\u202e",
    "\\uFFFE",
    "\\uFEFF",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("username: admin", 'username: "X"'),
        ("ip: 10.71.9.111", 'ip: "X"'),
        ("env: HADEPLOY_IPMI_PASSWORD", 'env: "X"'),
        ("name: active-passive", 'name: "X"'),
        ("pattern: active-passive", 'pattern: "X"'),
        ("port: 80", 'port: "X"'),
        ("token: 1s", 'token: "X"'),
        ("  n1:\n", '  "X":\n'),
        ("lanplus: true", '"X": true'),
        ("name: active-passive", 'accept_risks: [{rule: HA013, reason: "twelve letters X"}]\nname: active-passive'),
        ("secrets_vault: secrets.vault.yml", 'secrets_vault: "X"'),
        ("name: active-passive", '"X": 3\nname: active-passive'),
    ],
)  # fmt: skip
def test_control_characters_are_refused_where_they_stand_and_are_never_shown(read, text, old, new):
    topology, found = read("active-passive", old, new.replace("X", text))
    assert topology is None
    assert [each.code for each in found] == ["SPEC122"]
    assert all(each.span for each in found)
    shown = "".join(f"{each.span} {each.summary}{each.detail}{each.mend}" for each in found)
    assert not unwanted_characters(shown)


def test_a_block_scalar_of_one_line_is_one_line(read):
    for style in (">", "|", ">-", "|-", ">+"):
        topology, found = read(
            "active-passive",
            "name: active-passive",
            f"accept_risks:\n  - rule: HA013\n    reason: {style}\n      one switch is all\nname: active-passive",
        )
        assert found == []
        assert topology.accept_risks[0].reason == "one switch is all"


def test_escaped_text_is_itself_where_nothing_is_wrong():
    assert escaped("O'Brien ü 日本") == "O'Brien ü 日本"
    assert escaped("a\x1b]0;\u202eb\n") == "a\\x1b]0;\\u202eb\\n"


def _annotations(model: type[BaseModel], seen: set[type]) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """(field, type, what is said of it) of each leaf of a model, and of all models in it."""
    if model in seen:
        return
    seen.add(model)
    hints = typing.get_type_hints(model, include_extras=True)
    for name in model.model_fields:
        yield from _leaves(f"{model.__name__}.{name}", hints[name], (), seen)


def _leaves(
    name: str, kind: Any, said: tuple[Any, ...], seen: set[type]
) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        inner, *more = typing.get_args(kind)
        yield from _leaves(name, inner, (*said, *more), seen)
    elif origin in (typing.Union, types.UnionType, dict, tuple) and AS_WRITTEN not in said:
        for each in typing.get_args(kind):
            if each is not Ellipsis and each is not type(None):
                yield from _leaves(
                    name, each, said if origin in (typing.Union, types.UnionType) else (), seen
                )
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from _annotations(kind, seen)
    else:
        yield name, kind, said


def test_no_scalar_of_the_schema_is_read_as_pydantic_would():
    """Pydantic takes true as 1, "yes" as true, "1_0" as 10: every scalar is read by a function of the schema's own."""
    readers = {kind: typing.get_args(alias)[1] for kind, alias in ((str, Text), (int, Whole), (bool, Switch))}
    seen: set[type] = set()
    bare = []
    for model in MODELS.values():
        for name, kind, said in _annotations(model, seen):
            strict = any(
                getattr(more, "strict", False) for each in said for more in getattr(each, "metadata", ())
            )
            own = any(type(each).__name__ == "BeforeValidator" for each in said)
            if typing.get_origin(kind) is typing.Literal:
                words = [each for each in typing.get_args(kind) if isinstance(each, str)]
                looks = [
                    each for each in words if NUMBER.fullmatch(each) or each in ("true", "false", "null", "~")
                ]
                if looks and AS_TEXT not in said:
                    bare.append(name)
            elif kind in readers and readers[kind] not in said and not own and not strict:
                bare.append(name)
    assert bare == []


@pytest.mark.parametrize(
    ("pattern", "old", "new", "numbers"),
    [
        ("active-passive", "\nfencing:", "\nfirewall: {allow: [{port: 0123}]}\nfencing:", "83 or 123"),
        (
            "active-passive",
            "    addresses: [web]",
            "    addresses: [web]\n    locations: {n1: 010}",
            "8 or 10",
        ),
        ("active-active", "vrrp:\n", "vrrp:\n  version: 03\n", "3"),
    ],
)
def test_a_number_of_a_narrower_type_says_what_to_write(read, pattern, old, new, numbers):
    _, found = read(pattern, old, new)
    assert [each.mend.removesuffix(", whichever is meant") for each in found] == [f"write {numbers}"]


def test_the_schema_for_editors_names_bounds_as_the_standard_does():
    text = json.dumps(json_schema())
    for theirs in ("ge", "le", "gt", "lt"):
        assert f'"{theirs}": ' not in text
    assert '"maximum": 65535' in text
