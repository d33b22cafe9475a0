"""What a compiled project says apart from its values: two projects that differ in a value alone have the same shape."""

from __future__ import annotations

import re
import shlex
from typing import Any
from xml.etree import ElementTree

import yaml

from hadeploy.project.dump import load_variables

ASSIGNED = re.compile(r"\s*([A-Za-z_-]+)=")
"""A line of a unit, or of a file of variables: all behind the sign is the value."""

SETTING = re.compile(r"\s*([a-z_]+): ")
"""A line of corosync.conf, likewise."""

FAMILIES = {"ip6": "ip"}
"""Words of nft that follow from an address."""

QUOTED = re.compile(r'"[^"\n]*"')
"""Nothing but a quotation mark ends a text of nft (its scanner.l, quotedstring) and of pg_hba.conf (hba.c, next_token)."""

POSTGRESQL = re.compile(r"([a-z_.]+) = (-?[0-9.]+|'(?:[^'\\]|''|\\.)*')")


def shape(files: dict[str, bytes]) -> dict[str, Any]:
    """Of all files of a project that follow from its topology, in order; names of files are values too."""
    return {
        str(number): (_kind(path), _shape(path, content.decode()))
        for number, (path, content) in enumerate(files.items())
        if not path.startswith("roles/") and path != "README.md"
    }


def _kind(path: str) -> str:
    return path.rpartition(".")[2] if "." in path.rpartition("/")[2] else path.rpartition("/")[2]


def _shape(path: str, text: str) -> Any:
    if path.endswith(".xml"):
        return _of_element(ElementTree.fromstring(text))
    if path.endswith(".yml"):
        return _of_data(load_variables(text) if "files/" not in path else yaml.safe_load(text))
    if path.endswith("/postgresql.conf"):
        return [_of_setting(line) for line in text.split("\n")]
    if path.endswith((".nft", "/pg_hba.conf")):
        text = QUOTED.sub("text", text)
    return [_of_line(line) for line in text.split("\n")]


def _of_setting(line: str) -> Any:
    found = POSTGRESQL.fullmatch(line)
    return "a setting" if found else line.startswith("#") or line


def _of_line(line: str) -> Any:
    """The first word and how many there are, quoted as in a shell: all formats here that quote do it like that."""
    assigned = ASSIGNED.match(line) or SETTING.match(line)
    if assigned:
        return assigned[0]
    try:
        words = shlex.split(line, comments=False)
    except ValueError:
        return "a quotation mark that is not closed", len(line.split("'")), len(line.split('"'))
    # A line of one word is a sign of the format, or one value of a list.
    first = words[0] if len(words) > 1 or (words and words[0] in "{};") else ""
    return FAMILIES.get(first, first), len(words), line[-1:] in "{};"


def _of_element(element: ElementTree.Element) -> Any:
    return element.tag, sorted(element.attrib), [_of_element(each) for each in element]


def _of_data(data: Any) -> Any:
    if isinstance(data, dict):
        return [_of_data(each) for each in data.values()]
    if isinstance(data, list):
        return [_of_data(each) for each in data]
    return type(data).__name__
