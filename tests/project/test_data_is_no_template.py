"""Ansible's own templar, in process: whatever a topology's strings hold, they arrive as they are, and nothing is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hadeploy.daemons.registry import shares
from hadeploy.design.design import Design
from hadeploy.design.secrets import Secret
from hadeploy.project.build import build, project_files
from hadeploy.project.dump import UNSAFE, Expression, dump_variables, extra_variables, load_variables
from hadeploy.project.inventory import play_variables
from hadeploy.project.paths import EvaluatedPathError

LEGAL = [
    "/srv/O'Brien",
    "/srv/ü 100% $HOME #1",
    'back\\slash "quoted"',
    "- x: y",
    "[1, 2]",
    '{"a": 1}',
    "010",
    "yes",
    "",
    " leading and trailing ",
    "two\nlines",
    "~",
    "<<",
    "=",
    "null",
    "1e3",
    "1:30",
    "0x10",
    "2001-01-01",
    ".inf",
    "!unsafe x",
    "&anchor",
    "*alias",
    "x: y",
]


def hostile(canary: Path) -> list[str]:
    command = f"touch {canary}"
    return [
        "{{ lookup('pipe', '" + command + "') }}",
        "{{lookup('pipe','" + command + "')}}",
        "{% set x = lookup('pipe', '" + command + "') %}",
        "{# x #}",
        "{%raw%}x{%endraw%}",
        "#jinja2: variable_start_string:'[%', variable_end_string:'%]'\n[% lookup('pipe', '"
        + command
        + "') %]",
        "/srv/{{ lookup('pipe', '" + command + "') }}/x",
        "{{ 7 * 7 }}",
        "{{ nothing_of_that_name }}",
        'q","hadeploy_wipe":["x@n1',
        "{{ '{{' }} 7 * 7 }}",
    ]


def templated(text: str, file: Path, evaluated: Collection[str] = ()) -> dict[str, Any]:
    """The variables of a file, each as a task would see it, but for those that only a play can evaluate."""
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar

    file.write_text(text, encoding="utf-8")
    loader = DataLoader()
    try:
        variables = loader.load_from_file(str(file), trusted_as_template=True)
    except TypeError:  # ansible-core before 2.19 trusts every file
        variables = loader.load_from_file(str(file))
    templar = Templar(loader=loader, variables=variables)
    return {name: templar.template(value) for name, value in variables.items() if name not in evaluated}


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "canary"
    yield path
    assert not path.exists(), "a string of a topology was run"


def test_ansible_takes_strings_for_what_they_are(tmp_path: Path, canary: Path):
    values = [*hostile(canary), *LEGAL]
    data = {
        "list": values,
        "deep": [{"a": {"b": value}} for value in values],
        "keys": dict.fromkeys(values, 1),
    }
    data |= {f"v{number}": value for number, value in enumerate(values)}
    text = dump_variables(data)
    assert templated(text, tmp_path / "v.yml") == data
    assert load_variables(text) == data


def test_the_templar_of_this_test_does_evaluate(tmp_path: Path):
    text = dump_variables({"a": Expression("{{ 7 * 7 }}"), "b": "{{ 7 * 7 }}"})
    assert {name: str(value) for name, value in templated(text, tmp_path / "v.yml").items()} == {
        "a": "49",
        "b": "{{ 7 * 7 }}",
    }


def test_extra_variables_are_data(tmp_path: Path, canary: Path):
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar

    values = [*hostile(canary), *LEGAL]
    data = {"hadeploy_secrets_directory": values[0], "hadeploy_wipe": values, "deep": {"a": values}, "n": 3}
    loader = DataLoader()
    read = loader.load(extra_variables(data))  # as ansible.utils.vars.load_extra_vars
    templar = Templar(loader=loader, variables=read)
    assert {name: templar.template(value) for name, value in read.items()} == data
    assert UNSAFE not in str(read)


@pytest.mark.parametrize("example", ["active-passive-drbd", "active-passive"])
def test_whatever_a_design_holds_ansible_reads_it_as_it_is(
    design_of: Callable[..., Design], tmp_path: Path, canary: Path, example: str
):
    """All strings of a compiled project's variables and inventory, with marks of templates in each that can hold them."""
    design = design_of(example)
    for value in hostile(canary):
        changed = replace(
            design,
            volumes=tuple(
                replace(each, mount=value, directories=(value,), was=value) for each in design.volumes
            ),
        )
        parts = [
            replace(
                part,
                artifacts=tuple(
                    replace(each, secrets=(Secret(value, "file", value),)) for each in part.artifacts
                ),
            )
            for part in shares(changed)
        ]
        files = project_files(changed, parts, None)
        wanted = play_variables(changed, parts, None)
        text = files["vars/hadeploy.yml"].decode()
        assert load_variables(text) == wanted
        ours = {name: each for name, each in wanted.items() if not isinstance(each, Expression)}
        seen = templated(text, tmp_path / "v.yml", evaluated=set(wanted) - set(ours))
        assert seen == ours
        assert seen["hadeploy_secrets"][value] == {"file": value}
        inventory = files["inventory.yml"].decode()
        assert templated(inventory, tmp_path / "i.yml") == load_variables(inventory)


@pytest.mark.parametrize("folder", ["{{ lookup('pipe', 'touch canary') }}", "a {% b", "$HOME", "x${HOME}y"])
def test_a_project_is_not_written_where_ansible_would_evaluate_its_path(
    design_of: Callable[..., Design], tmp_path: Path, folder: str
):
    """ansible-core 2.14 to 2.18 runs the name of such a folder; all versions put the value in place of the variable."""
    with pytest.raises(EvaluatedPathError, match=re.escape(folder)):
        build(design_of("active-passive"), tmp_path / folder / "p")
    assert not (tmp_path / folder).exists()


@pytest.mark.parametrize(
    "folder", ["O'Brien ü 100% #1", "a, b; c & d", '"q"', "$NOT_A_VARIABLE_OF_ANYBODY", "{ x }"]
)
def test_a_project_may_be_in_any_other_folder(design_of: Callable[..., Design], tmp_path: Path, folder: str):
    build(design_of("active-passive"), tmp_path / folder / "p")
    assert (tmp_path / folder / "p" / "site.yml").exists()
