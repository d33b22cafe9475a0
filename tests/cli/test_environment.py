"""Verbs as real programs in environments that are odd: they work where they can, else say one line; never a traceback."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories" / "active-passive" / "topology.yaml"
NOBODY_LISTENS = """all:
  hosts:
    n1: {ansible_host: 127.0.0.1, ansible_port: 1}
    n2: {ansible_host: 127.0.0.2, ansible_port: 1}
"""

VERBS: dict[str, tuple[list[str], int]] = {
    "validate": (["topology.yaml"], 0),
    "explain": (["HA024"], 0),
    "graph": (["topology.yaml"], 0),
    "schema": ([], 0),
    "simulate": (["topology.yaml"], 0),
    "predict": (["topology.yaml"], 0),
    "check": (["topology.yaml", "--parsers", "own"], 0),
    "compile": (["topology.yaml"], 0),
    "init": (["active-active", "--output", "fresh.yaml"], 0),
    "status": (["topology.yaml", "--inventory", "hosts.yml"], 1),
    "drill": (["topology.yaml", "--i-mean-it", "--inventory", "hosts.yml"], 1),
    "apply": (["topology.yaml", "--yes", "--inventory", "hosts.yml"], 1),
    "lab": (["status", "topology.yaml"], 1),
}
"""Arguments, and the exit code in an ordinary environment: hosts do not answer, and no lab is up."""

ODD = {
    "LC_ALL": "POSIX",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "HOME": "/proc",
    "XDG_CACHE_HOME": "relative/cache",
    "XDG_CONFIG_HOME": "/dev/null",
    "TMPDIR": "/nowhere",
    "COLUMNS": "20",
    "LINES": "x",
    "TERM": "no-such-terminal",
    "PYTHONPATH": "/etc:/nowhere",
    "PYTHONSAFEPATH": "1",
    "ANSIBLE_STDOUT_CALLBACK": "no_such_callback",
    "ANSIBLE_STRATEGY": "free",
    "ANSIBLE_INVENTORY": "/nowhere",
    "ANSIBLE_SKIP_TAGS": "all",
    "ANSIBLE_RUN_TAGS": "nothing",
    "ANSIBLE_HOST_KEY_CHECKING": "False",
    "ANSIBLE_HASH_BEHAVIOUR": "merge",
    "ANSIBLE_CONFIG": "/nowhere/ansible.cfg",
}
"""All at once; a verb that fails in it is tried with each."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a topology is that may be drilled, and an inventory whose hosts refuse connections at once."""
    text = EXAMPLE.read_text() + "\ndrill: {allowed: true}\n"
    (tmp_path / "topology.yaml").write_text(text)
    (tmp_path / "hosts.yml").write_text(NOBODY_LISTENS)
    return tmp_path


def run(
    folder: Path, verb: str, changes: Mapping[str, str | None] = {}, shell: str = "", **more: object
) -> subprocess.CompletedProcess[str]:
    """A verb, with variables changed (None: not there) and redirections by the shell."""
    known = {
        **os.environ,
        "HADEPLOY_IPMI_PASSWORD": "x",
        "HADEPLOY_VAULT_PASSWORD": "y",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    environment = {name: value for name, value in {**known, **changes}.items() if value is not None}
    argv = [sys.executable, "-m", "hadeploy", verb, *VERBS[verb][0]]
    if shell:
        argv = ["/bin/sh", "-c", f'"$@" {shell}', "sh", *argv]
    done = subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120, **more
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_in_all_of_it_at_once(folder: Path, verb: str):
    done = run(folder, verb, ODD, "<&-")
    assert done.returncode == VERBS[verb][1], done.stdout + done.stderr
    if verb in ("apply", "status", "drill"):
        assert "ANSIBLE_STRATEGY" in done.stderr
        assert "refused" in done.stdout + done.stderr  # the connection, which is all that is wrong


@pytest.mark.parametrize(
    "changes",
    [
        {"LC_ALL": "xx_YY.UTF-8", "TMPDIR": "relative"},
        {"LC_ALL": "de_DE.ISO-8859-1", "HOME": None, "XDG_CACHE_HOME": None},
        {"HOME": "", "XDG_CACHE_HOME": "", "TMPDIR": "/etc/passwd"},
        {"HOME": "/nowhere", "XDG_CACHE_HOME": None, "XDG_RUNTIME_DIR": "/nowhere"},
    ],
    ids=lambda changes: ",".join(f"{name}={value}" for name, value in changes.items()),
)
def test_an_apply_comes_as_far_as_its_hosts(folder: Path, changes: dict[str, str | None]):
    done = run(folder, "apply", changes)
    assert done.returncode == 1
    assert "refused" in done.stdout + done.stderr
    assert (folder / "build" / "active-passive" / "site.yml").is_file()
    assert not Path("/nowhere").exists()


def test_a_home_that_is_too_long_for_a_socket(folder: Path):
    from hadeploy.run.surroundings import LONGEST_CONTROL_FOLDER

    home = folder / ("h" * 120)
    home.mkdir()
    asked = "from hadeploy.run.surroundings import control_folder; print(control_folder('h0123456789ab'))"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.strip()) <= LONGEST_CONTROL_FOLDER
    assert stat.S_IMODE(Path(done.stdout.strip()).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("verb", ["schema", "explain", "status"])
def test_what_cannot_be_printed_is_said(folder: Path, verb: str):
    """And is no success. Where nobody wants to read it, that is no fault."""
    full = run(folder, verb, {}, ">/dev/full")
    assert full.returncode == 1
    assert full.stderr.strip().splitlines()[-1].startswith("SYS001 no space left on device")
    assert run(folder, verb, {}, ">&-").returncode == VERBS[verb][1]


@pytest.mark.parametrize(
    ("verb", "shell"),
    [("compile", "2>/dev/full"), ("compile", ">&- 2>&- <&-"), ("apply", "2>/dev/full"), ("apply", "2>&-")],
)
def test_a_log_that_nobody_can_write_ends_nothing(folder: Path, verb: str, shell: str):
    """And no file that is opened later gets what is printed."""
    assert run(folder, verb, {}, shell).returncode == VERBS[verb][1]
    assert (folder / "build" / "active-passive" / "site.yml").is_file()
    said = (folder / "topology.yaml.id").read_text()
    assert said.count("\n") == 2


@pytest.mark.parametrize("verb", ["schema", "graph"])
def test_a_reader_that_goes_away(folder: Path, verb: str):
    done = run(folder, verb, {}, "| head -n 1")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert done.stderr.count("\n") <= 1, done.stderr


def test_a_folder_that_is_gone(folder: Path):
    """What needs it says so; what does not works."""
    gone = folder / "gone"
    for words, code in (
        (["compile", str(folder / "topology.yaml")], 1),
        (["validate", str(folder / "topology.yaml")], 0),
        (["explain", "HA024"], 0),
    ):
        gone.mkdir()
        done = subprocess.run(
            ["/bin/sh", "-c", 'rmdir "$0"; exec "$@"', str(gone), sys.executable, "-m", "hadeploy", *words],
            cwd=gone,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        if code:
            assert done.stderr.startswith("ENV001 the current folder does not exist any more")


@pytest.mark.parametrize("mask", [0o077, 0o000])
def test_nobody_else_may_write_what_was_written(folder: Path, mask: int):
    run(folder, "compile", umask=mask)
    written = [folder / "topology.yaml.id", *(folder / "build").rglob("*")]
    assert len(written) > 50
    assert [path for path in written if not path.is_symlink() and path.stat().st_mode & 0o022] == []


def test_without_ssh(folder: Path):
    programs = folder / "bin"
    programs.mkdir()
    for name in ("sh", "env", "python3"):
        (programs / name).symlink_to(shutil.which(name) or name)
    done = run(folder, "status", {"PATH": str(programs)})
    assert done.returncode == 1
    assert "ENV002 the program ssh is not on the PATH" in done.stderr
    assert run(folder, "compile", {"PATH": str(programs)}).returncode == 0


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    from hadeploy.run import surroundings

    monkeypatch.setattr(surroundings.os, "umask", lambda _: 0o022)

    def of(**known: str) -> dict[str, str]:
        surroundings.settle(known)
        return known

    return of


def test_what_of_ansibles_settings_counts(settled):
    kept = {
        "ANSIBLE_REMOTE_USER": "admin",
        "ANSIBLE_BECOME": "1",
        "ANSIBLE_BECOME_METHOD": "sudo",
        "ANSIBLE_PRIVATE_KEY_FILE": "/k",
        "ANSIBLE_SSH_ARGS": "-o ProxyJump=bastion",
        "ANSIBLE_SSH_COMMON_ARGS": "-J bastion",
        "ANSIBLE_VAULT_PASSWORD_FILE": "/v",
        "ANSIBLE_HASHI_VAULT_ADDR": "https://vault",
        "ANSIBLE_COLLECTIONS_PATH": "/c",
        "ANSIBLE_TIMEOUT": "30",
    }
    dropped = (
        *(
            "ANSIBLE_STRATEGY",
            "ANSIBLE_STDOUT_CALLBACK",
            "ANSIBLE_INVENTORY",
            "ANSIBLE_SKIP_TAGS",
            "ANSIBLE_RUN_TAGS",
        ),
        *(
            "ANSIBLE_PIPELINING",
            "ANSIBLE_SSH_PIPELINING",
            "ANSIBLE_SSH_HOST_KEY_CHECKING",
            "ANSIBLE_ROLES_PATH",
        ),
        *(
            "ANSIBLE_ASK_PASS",
            "ANSIBLE_BECOME_ASK_PASS",
            "ANSIBLE_ASK_VAULT_PASS",
            "ANSIBLE_CONFIG",
            "ANSIBLE_LIBRARY",
        ),
        *(
            "ANSIBLE_ACTION_PLUGINS",
            "ANSIBLE_ANY_ERRORS_FATAL",
            "ANSIBLE_GATHERING",
            "ANSIBLE_SSH_CONTROL_PATH",
        ),
    )
    found = settled(**kept, **dict.fromkeys(dropped, "x"))
    assert {name: value for name, value in found.items() if name.startswith("ANSIBLE_")} == kept
