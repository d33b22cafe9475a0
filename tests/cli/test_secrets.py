"""hadeploy secrets init makes what plain ansible-playbook needs, once, and says what a person still has to give."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from hadeploy.cli import command_line
from hadeploy.run.vault import read_vault

EXAMPLES = Path(__file__).resolve().parents[2] / "inventories"
PASSWORD = "opensesame"


@pytest.fixture
def topology(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In a folder with a blank; a device's password is in a file, another in the vault."""
    monkeypatch.setenv("HADEPLOY_VAULT_PASSWORD", PASSWORD)
    monkeypatch.delenv("HADEPLOY_IPMI_PASSWORD", raising=False)
    for name in ("HADEPLOY_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_PASSWORD_FILE"):
        monkeypatch.delenv(name, raising=False)
    text = (EXAMPLES / "active-passive" / "topology.yaml").read_text(encoding="utf-8")
    folder = tmp_path / "a b"
    folder.mkdir()
    text = text.replace("{env: HADEPLOY_IPMI_PASSWORD}", "{file: ipmi}", 1)
    text = text.replace("{env: HADEPLOY_IPMI_PASSWORD}", "{vault: ipmi}", 1)
    (folder / "topology.yaml").write_text(text, encoding="utf-8")
    return folder / "topology.yaml"


def run(topology: Path, *options: str):
    return CliRunner().invoke(
        command_line(), ["secrets", "init", str(topology), "--out", str(topology.parent / "build"), *options]
    )


def test_it_makes_what_is_hadeploys_once_and_says_what_is_missing(topology: Path):
    vault = topology.parent / "secrets.vault.yml"
    first = run(topology)
    assert first.exit_code == 1
    assert f"made hadeploy_corosync_authkey in {vault}" in first.output
    assert (
        f"missing ipmi-n1.password: write it as the first line of {topology.parent / 'ipmi'}" in first.output
    )
    assert f'missing ipmi-n2.password: ansible-vault edit {vault}, and write ipmi: "..."' in first.output
    before = vault.read_bytes()
    second = run(topology, "--json")
    found = json.loads(second.stdout)
    assert (found["made"], found["kept"], len(found["missing"])) == ([], ["hadeploy_corosync_authkey"], 2)
    assert vault.read_bytes() == before
    assert (
        read_vault(vault, PASSWORD.encode())["hadeploy_corosync_authkey"] not in first.output + second.output
    )


def test_the_vault_s_password_is_asked_for_in_words(topology: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HADEPLOY_VAULT_PASSWORD")
    done = run(topology)
    assert done.exit_code == 1
    assert not (topology.parent / "secrets.vault.yml").exists()


@pytest.mark.programs
def test_the_printed_command_runs_the_compiled_project(topology: Path, monkeypatch: pytest.MonkeyPatch):
    """As it is printed, by a shell: it comes as far as the hosts, which are not there."""
    from hadeploy.run.vault import _replace, _vault

    vault, password = topology.parent / "secrets.vault.yml", topology.parent / "password"
    password.write_text(PASSWORD, encoding="utf-8")
    monkeypatch.setenv("HADEPLOY_VAULT_PASSWORD_FILE", str(password))
    run(topology)
    variables = read_vault(vault, PASSWORD.encode()) | {"ipmi": "a{{7*7}}b"}
    _replace(vault, _vault(PASSWORD.encode()).encrypt(yaml.safe_dump(variables).encode()))
    (topology.parent / "ipmi").write_text("first\n", encoding="utf-8")
    done = run(topology)
    assert done.exit_code == 0
    assert "nothing is missing:" in done.output
    compiled = CliRunner().invoke(
        command_line(), ["compile", str(topology), "--out", str(topology.parent / "build")]
    )
    assert compiled.exit_code == 0
    command = done.output.splitlines()[-1].strip()
    local = json.dumps({"ansible_connection": "local", "ansible_python_interpreter": sys.executable})
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["/bin/sh", "-c", f"{command} --check -e {shlex.quote(local)}"],
        cwd=topology.parent / "build" / "active-passive",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert "SECRET" not in ended.stdout
    assert "vault" not in ended.stderr.lower(), ended.stderr
    assert "Ask the host who it is" in ended.stdout
