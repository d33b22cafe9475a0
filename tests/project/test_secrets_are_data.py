"""Whatever a secret is, it is the same in every place where it goes: no template, no markup, no second line, no log."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hadeploy.run.vault import _vault
from tests.project.test_membership_gate import ANSIBLE, LOCAL

ROLES = Path(__file__).resolve().parents[2] / "roles"
HOSTILE = [
    "a{{7*7}}b",
    "{{ lookup('env', 'HOME') }}",
    "{% raw %}x{% endraw %}",
    "{# comment #}",
    "'single' \"double\" `back`",
    "back\\slash \\n \\\\",
    "# hash $dollar ${brace} $(x)",
    "  leading",
    "@@hadeploy:other@@",
    '<tag a="b"/> &amp; ]]>',
    "äöü € 😀",
    "!vault x",
    "[1, 2]",
    '{"a": 1}',
    "true",
    "0123",
    "1e5",
    "null",
    "%s %(x)s",
    "- x: y",
    "x",
    "None",
]

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1).filter(
    lambda text: text == text.rstrip()
)


@pytest.fixture(scope="module")
def logic():
    spec = importlib.util.spec_from_file_location(
        "secret_logic", ROLES / "modules" / "module_utils" / "hadeploy_secret.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=TEXT)
def test_a_value_arrives_as_it_was_by_every_way(logic, tmp_path: Path, monkeypatch, value: str):
    monkeypatch.setenv("HADEPLOY_TEST_SECRET", value)
    (tmp_path / "file").write_bytes(value.encode() + b"\n")
    ways = [{"env": "HADEPLOY_TEST_SECRET"}, {"file": "file"}, {"vault": "variable"}]
    found = {str(way): logic.value_of("s", way, {"variable": value}, str(tmp_path)) for way in ways}
    assert set(found.values()) == {value}
    assert logic.opened(json.loads(json.dumps(logic.sealed({"s": value})))) == {"s": value}
    assert logic.put("a @@hadeploy:s@@ b", {"s": value, "other": "never"}) == f"a {value} b"


@given(
    value=st.text(
        st.characters(blacklist_categories=("Cs",), blacklist_characters="\ufffe\uffff"), min_size=1
    )
)
def test_a_value_is_the_same_once_the_cib_is_read(value: str):
    if any(ord(each) < 32 and each not in "\t\n\r" for each in value):
        return  # no character of XML
    for name in ("secret", "cib_merge"):
        full = f"ansible.module_utils.hadeploy_{name}"
        if full not in sys.modules:
            file = ROLES / "modules" / "module_utils" / f"hadeploy_{name}.py"
            spec = importlib.util.spec_from_file_location(full, file)
            sys.modules[full] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[full])
    merge = sys.modules["ansible.module_utils.hadeploy_cib_merge"]
    text = merge.resolve('<nvpair value="@@hadeploy:s@@"/>', {"s": value})
    assert ElementTree.fromstring(text).get("value") == value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("two\nlines", "line break"),
        ("blank ", "blank"),
        ("x" * 255, "254"),
        ("nul\0", "line break"),
        ("tab\t", "blank"),
    ],
)
def test_what_pacemaker_would_read_otherwise_is_refused(logic, value: str, words: str):
    with pytest.raises(ValueError, match=f"SECRET003.*{words}"):
        logic.for_pacemaker(value)


@pytest.mark.parametrize(
    ("source", "variables", "code"),
    [
        ({"env": "HADEPLOY_NOT_THERE"}, {}, "SECRET001.*export HADEPLOY_NOT_THERE"),
        ({"vault": "gone"}, {}, "SECRET001.*variable gone"),
        ({"vault": "empty"}, {"empty": ""}, "SECRET001"),
        ({"vault": "number"}, {"number": 123}, "SECRET002.*quotes"),
        ({"vault": "truth"}, {"truth": True}, "SECRET002"),
        ({"file": "not/there"}, {}, "SECRET001.*not/there"),
    ],
)
def test_a_secret_without_a_value_says_what_to_do(logic, tmp_path: Path, source, variables, code):
    with pytest.raises(logic.NoValueError, match=code):
        logic.value_of("s", source, variables, str(tmp_path))


def test_a_revision_changes_with_the_secret_and_tells_nothing(logic):
    def hidden(value: str, key: str, printed: Mapping[str, dict[str, str]] = MappingProxyType({})) -> str:
        cib = ElementTree.fromstring(
            '<cib><primitive id="f"><instance_attributes id="f-p"><nvpair id="f-p-x" name="password"'
            ' value="@@hadeploy:s@@"/></instance_attributes></primitive></cib>'
        )
        logic.kept_apart(cib, {"s": value}, key, printed)
        return ElementTree.tostring(cib, encoding="unicode")

    assert hidden("a", "k") == hidden("a", "k")
    assert len({hidden("a", "k"), hidden("b", "k"), hidden("a", "l")}) == 3
    assert "lrm://" in hidden("opensesame", "k")
    assert "opensesame" not in hidden("opensesame", "k")
    command = {"s": {"name": "password_script", "value": "/bin/cat it"}}
    assert '<nvpair id="f-p-password_script" name="password_script" value="/bin/cat it"' in hidden(
        "a", "k", command
    )
    assert len({hidden("a", "k", command), hidden("b", "k", command)}) == 2


ACTION = """
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import action_loader

class ActionModule(action_loader.get("hadeploy_bundle", class_only=True)):
    def run(self, tmp=None, task_vars=None):
        ActionBase.run(self, tmp, task_vars)
        names = list(task_vars["hadeploy_secrets"])
        arguments = {"secrets": self.sealed(names, task_vars), "to": self._task.args["to"]}
        return self._execute_module("probe", module_args=arguments, task_vars=task_vars)
"""
MODULE = """
import json
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_secret import opened
spec = {"secrets": {"type": "dict", "no_log": True}, "to": {"type": "str"}}
module = AnsibleModule(spec)
with open(module.params["to"], "w") as stream:
    json.dump(opened(module.params["secrets"]), stream)
module.exit_json(changed=False, echo=list(module.params["secrets"]))
"""


@pytest.mark.programs
def test_ansible_itself_hands_them_over_as_they_are(tmp_path: Path):
    """A vault as extra variables, as apply and ansible-playbook give it; the short value hides nothing of a result."""
    values = {
        f"v{number}": value for number, value in enumerate([*HOSTILE, "two\nlines\n", "opensesame-4711"])
    }
    (tmp_path / "vault.yml").write_bytes(_vault(b"p").encrypt(yaml.safe_dump(values).encode()))
    (tmp_path / "password").write_text("p")
    for folder, text in (("action_plugins", ACTION), ("library", MODULE)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "probe.py").write_text(text)
    play = {
        "hosts": "h",
        "gather_facts": False,
        "roles": ["modules"],
        "vars": {"hadeploy_secrets": {name: {"vault": name} for name in values}},
        "tasks": [{"name": "Probe", "probe": {"to": str(tmp_path / "seen.json")}}],
    }
    (tmp_path / "site.yml").write_text(yaml.safe_dump([play]))
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"h": LOCAL}}}))
    (tmp_path / "ansible.cfg").write_text(f"[defaults]\nroles_path = {ROLES}\n")
    done = subprocess.run(
        [
            ANSIBLE,
            "site.yml",
            "-i",
            "hosts.yml",
            "-e",
            "@vault.yml",
            "--vault-password-file",
            "password",
            "-vvv",
        ],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "seen.json").read_text()) == values
    assert "opensesame-4711" not in done.stdout + done.stderr
    assert "VALUE_SPECIFIED_IN_NO_LOG" not in done.stdout.partition("TASK [Probe]")[2].replace(
        "NO_LOG_PARAMETER", ""
    )
