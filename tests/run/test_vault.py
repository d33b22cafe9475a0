from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from hadeploy.run.errors import RunError
from hadeploy.run.vault import _vault, ensure_generated, read_vault, vault_password

PASSWORD = b"correct horse"


def test_what_is_missing_is_made_once(tmp_path: Path):
    file = tmp_path / "secrets.vault.yml"
    assert ensure_generated(file, ["key"], PASSWORD)
    content = file.read_bytes()
    assert content.startswith(b"$ANSIBLE_VAULT;1.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(read_vault(file, PASSWORD)["key"])) == 256
    assert not ensure_generated(file, ["key"], PASSWORD)
    assert file.read_bytes() == content
    assert [entry.name for entry in tmp_path.iterdir()] == ["secrets.vault.yml"]


def test_what_is_there_is_never_overwritten(tmp_path: Path):
    file = tmp_path / "v.yml"
    ensure_generated(file, ["one"], PASSWORD)
    first = read_vault(file, PASSWORD)
    assert ensure_generated(file, ["one", "two"], PASSWORD)
    second = read_vault(file, PASSWORD)
    assert second["one"] == first["one"]
    assert second["two"] != first["one"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"key: plain\n", "RUN013"), (b"", "RUN013"), (b"$ANSIBLE_VAULT;1.1;AES256\nnonsense\n", "RUN014")],
)
def test_a_vault_that_is_none_is_refused_and_kept(tmp_path: Path, content: bytes, code: str):
    file = tmp_path / "v.yml"
    file.write_bytes(content)
    with pytest.raises(RunError) as caught:
        ensure_generated(file, ["key"], PASSWORD)
    assert caught.value.code == code
    assert file.read_bytes() == content


def test_another_password_is_refused(tmp_path: Path):
    file = tmp_path / "v.yml"
    ensure_generated(file, ["key"], PASSWORD)
    with pytest.raises(RunError) as caught:
        ensure_generated(file, ["key", "more"], b"wrong")
    assert caught.value.code == "RUN014"


def test_the_password_comes_from_the_environment(tmp_path: Path):
    file = tmp_path / "password"
    file.write_text("from a file\n")
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho from a program\n")
    program.chmod(0o755)
    assert vault_password({"HADEPLOY_VAULT_PASSWORD": "x"}) == b"x"
    assert vault_password({"HADEPLOY_VAULT_PASSWORD_FILE": str(file)}) == b"from a file"
    assert vault_password({"ANSIBLE_VAULT_PASSWORD_FILE": str(program)}) == b"from a program"


@pytest.mark.parametrize(
    ("environment", "code"),
    [({}, "RUN010"), ({"HADEPLOY_VAULT_PASSWORD_FILE": "missing/password"}, "RUN011")],
)
def test_no_password_is_an_error_with_a_mend(
    environment: dict[str, str], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError) as caught:
        vault_password(environment)
    assert caught.value.code == code


WRITTEN = """# of the rack's managers
pin: 0123
when: 2026-01-01
many: |
  one
  two
off: no  # a word
"""


@pytest.mark.parametrize("text", [WRITTEN, f"---\n{WRITTEN}...\n", WRITTEN.rstrip()])
def test_what_a_person_wrote_in_the_vault_stays_as_it_is_written(tmp_path: Path, text: str):
    """Read as YAML and written anew, 0123 came back as 83."""
    file = tmp_path / "v.yml"
    file.write_bytes(_vault(PASSWORD).encrypt(text.encode()))
    before = read_vault(file, PASSWORD)
    assert ensure_generated(file, ["key"], PASSWORD)
    plain = _vault(PASSWORD).decrypt(file.read_bytes()).decode()
    assert plain.startswith(text.removesuffix("...\n"))
    assert {**before, "key": read_vault(file, PASSWORD)["key"]} == read_vault(file, PASSWORD)


@pytest.mark.parametrize("text", ["{pin: 0123, old: abc}\n", "pin: 0123\nold: abc\nnew: was made\n"])
def test_a_value_that_is_taken_leaves_the_others_as_they_are_written(tmp_path: Path, text: str):
    file = tmp_path / "v.yml"
    file.write_bytes(_vault(PASSWORD).encrypt(text.encode()))
    assert ensure_generated(file, ["new"], PASSWORD, {"new": "old"})
    plain = _vault(PASSWORD).decrypt(file.read_bytes()).decode()
    assert "pin: 0123\n" in plain
    assert read_vault(file, PASSWORD)["new"] == "abc"
