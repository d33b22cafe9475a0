"""Files that a person gives: links lead anywhere, sizes lie, pipes stay silent; nothing hangs or is read without an end."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hadeploy.app.secrets import init_secrets
from hadeploy.app.validate import load_valid, validate_topologies
from hadeploy.run.connections import known_inventories
from hadeploy.run.errors import RunError
from hadeploy.run.vault import is_there, read_vault, vault_password
from hadeploy.spec.deployment import read_id
from hadeploy.spec.given_file import SpecialFileError, TooLargeError, read_given
from hadeploy.spec.measurements import FILE, load_measurements

pytestmark = pytest.mark.timeout(20)


@pytest.fixture(
    params=["zero", "null", "link to zero", "pipe", "link to a pipe", "socket", "stdin", "link to fd"]
)
def special(request, tmp_path):
    """Makes a path that leads to no file; with a writer that never writes where it is a pipe."""
    opened: list[int] = []

    def make(path: Path) -> Path:
        path.unlink(missing_ok=True)
        target = path.with_name("target")
        match request.param:
            case "zero" | "link to zero":
                path.symlink_to("/dev/zero")
            case "null":
                path.symlink_to("/dev/null")
            case "pipe" | "link to a pipe":
                os.mkfifo(target if request.param != "pipe" else path)
                opened.append(os.open(target if request.param != "pipe" else path, os.O_RDWR))
                if request.param != "pipe":
                    path.symlink_to(target)
            case "socket":
                with socket.socket(socket.AF_UNIX) as server:
                    server.bind(str(path))
            case _:
                read, write = os.pipe()
                opened.extend((read, write))
                path.symlink_to(f"/dev/fd/{read}")
        return path

    yield make
    for descriptor in opened:
        os.close(descriptor)


def test_a_topology_is_a_file(special, tmp_path):
    loaded, found = load_valid(special(tmp_path / "topology.yaml"))
    assert loaded is None
    assert [(each.code, str(each.span)) for each in found] == [("SPEC126", f"{tmp_path}/topology.yaml:1:1")]
    assert [each.code for each in validate_topologies([tmp_path])[1]] == ["SPEC126"]


def test_what_is_beside_a_topology_is_a_file(special, tmp_path):
    special(tmp_path / FILE)
    found, findings = load_measurements(tmp_path / "topology.yaml")
    assert found is None
    assert [each.code for each in findings] == ["MEAS001"]
    for number in range(2):
        (tmp_path / f"sub{number}").mkdir()
    known, findings = read_id(special(tmp_path / "sub0" / "topology.yaml.id"))
    assert known == ""
    assert [each.code for each in findings] == ["BUILD010"]
    with pytest.raises(RunError, match="RUN012"):
        read_vault(special(tmp_path / "sub1" / "secrets.vault.yml"), b"x")
    with pytest.raises(RunError, match="RUN012"):
        is_there(tmp_path / "sub1" / "secrets.vault.yml")


def test_a_password_is_in_a_file(special, tmp_path):
    file = special(tmp_path / "password")
    with pytest.raises(RunError, match="RUN011"):
        vault_password({"HADEPLOY_VAULT_PASSWORD_FILE": str(file)})


@pytest.mark.parametrize(
    "place", ["hosts.yml", "folder/hosts.yml", "group_vars/all.yml", "host_vars/n1/more.yml"]
)
def test_an_inventory_is_made_of_files(special, tmp_path, place):
    """Ansible reads all of them, without an end."""
    inventory = tmp_path / ("folder" if place.startswith("folder") else "hosts.yml")
    if inventory.name != "folder":
        inventory.write_text("all: {hosts: {n1: {}}}")
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    special(tmp_path / place)
    with pytest.raises(RunError, match="RUN006"):
        known_inventories([inventory])


def test_a_secret_is_in_a_file(special, example, tmp_path, monkeypatch):
    text = example("active-passive").replace("{env: HADEPLOY_IPMI_PASSWORD}", "{file: bmc}")
    topology = tmp_path / "topology.yaml"
    topology.write_text(text)
    monkeypatch.setenv("HADEPLOY_VAULT_PASSWORD", "x")
    (tmp_path / "bmc").write_text("right\n")
    report, _ = init_secrets(topology, tmp_path / "build")
    assert report is not None
    assert report.missing == ()
    special(tmp_path / "bmc")
    _, found = load_valid(topology)
    assert {each.code for each in found} == {"SPEC126"}


def test_a_secret_is_read_from_a_file_on_the_controller_of_a_plain_run_too(special, tmp_path):
    """What ansible-playbook itself runs, without hadeploy."""
    place = Path(__file__).resolve().parents[2] / "roles/modules/module_utils/hadeploy_secret.py"
    known = importlib.util.spec_from_file_location("hadeploy_secret_of_files", place)
    module = importlib.util.module_from_spec(known)
    known.loader.exec_module(module)

    def value() -> str:
        return module.value_of("x", {"file": "key"}, {}, str(tmp_path))

    (tmp_path / "key").write_text("0123\nsecond\n")
    assert value() == "0123"
    (tmp_path / "key").write_bytes(b"x" * 1_048_577)
    with pytest.raises(module.NoValueError, match="longer than"):
        value()
    special(tmp_path / "key")
    with pytest.raises(module.NoValueError, match="is no file"):
        value()


def test_a_file_that_grows_is_read_to_its_bound(tmp_path):
    file = tmp_path / "topology.yaml"
    file.write_bytes(b"# " + b"x" * 1_048_574)
    assert len(read_given(file)) == 1_048_576
    with file.open("ab") as more:
        more.write(b"x")
    with pytest.raises(TooLargeError):
        read_given(file)


def test_a_size_of_nothing_says_nothing():
    """What the kernel makes when it is read has no size."""
    assert os.stat("/proc/self/status").st_size == 0
    assert b"Name:" in read_given(Path("/proc/self/status"))


def test_a_pipe_that_the_shell_names_is_read(example, tmp_path):
    """As in ``hadeploy validate <(program)``, also where the program is slow."""
    read, write = os.pipe()

    def slowly() -> None:
        for part in ("first", "second"):
            os.write(write, part.encode())
            threading.Event().wait(0.2)
        os.close(write)

    writer = threading.Thread(target=slowly)
    writer.start()
    try:
        assert read_given(Path(f"/dev/fd/{read}")) == b"firstsecond"
    finally:
        writer.join()
        os.close(read)
    link = tmp_path / "link"
    link.symlink_to("/dev/stdin")
    with pytest.raises((SpecialFileError, OSError)):
        read_given(link)


def test_a_loop_of_links_is_one_finding(tmp_path):
    (tmp_path / "topology.yaml").symlink_to("topology.yaml")
    assert [each.code for each in validate_topologies([tmp_path])[1]] == ["SPEC001"]
    assert [each.code for each in validate_topologies([tmp_path / "topology.yaml"])[1]] == ["SPEC001"]


def as_one_with_no_more_rights_than_anybody(command: list[str]) -> list[str]:
    """Root reads what nobody may read, unless it gave that up."""
    if os.geteuid() != 0:
        return command
    lost = "-dac_override,-dac_read_search"
    return ["setpriv", "--bounding-set", lost, "--inh-caps", lost, *command]


@pytest.mark.programs
@pytest.mark.parametrize("closed", ["all/below", "all/open/topology.yaml"])
def test_what_cannot_be_read_is_told(example, tmp_path, closed):
    for folder in ("all/open", "all/below"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "topology.yaml").write_text(
            example("active-passive").replace("name: active-passive", f"name: {folder[4:]}")
        )
    place = tmp_path / closed
    mode = place.stat().st_mode
    place.chmod(0)
    try:
        validate = [sys.executable, "-m", "hadeploy", "validate", "all"]
        outcome = subprocess.run(
            as_one_with_no_more_rights_than_anybody(validate),
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        place.chmod(mode)
    assert outcome.returncode == 1
    assert ("SPEC001" if closed.endswith("yaml") else "SPEC127") in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert closed in outcome.stderr


@pytest.mark.programs
def test_what_is_in_a_closed_folder_of_a_project_is_not_lost(example, tmp_path):
    """The project is exchanged as a whole; a folder that cannot be looked into is not an empty one."""
    (tmp_path / "topology.yaml").write_text(example("active-passive"))

    def compiled() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            as_one_with_no_more_rights_than_anybody([sys.executable, "-m", "hadeploy", "compile", "topology.yaml"]),
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert compiled().returncode == 0
    closed = tmp_path / "build" / "active-passive" / "files"
    (closed / "mine").write_text("kept")
    (tmp_path / "topology.yaml").write_text(example("active-passive").replace("port: 80", "port: 81"))
    closed.chmod(0)
    try:
        outcome = compiled()
    finally:
        closed = tmp_path / "build" / "active-passive" / "files"
        closed.chmod(0o755)
    assert (closed / "mine").read_text() == "kept"
    assert outcome.returncode == 1
    assert "files: permission denied" in outcome.stderr


@pytest.mark.parametrize(
    ("file", "outside"),
    [
        ("../../../etc/shadow", True),
        ("/etc/shadow", True),
        ("../other/key", False),
        ("key", False),
        ("link", True),
        ("a/../../../../key", True),
    ],
)
def test_a_secret_outside_of_the_repository_is_warned_about(example, tmp_path, file, outside):
    folder = tmp_path / "clone" / "clusters" / "one"
    folder.mkdir(parents=True)
    (tmp_path / "clone" / ".git").mkdir()
    (folder / "link").symlink_to("/etc/shadow")
    topology = folder / "topology.yaml"
    text = example("active-passive").replace("{env: HADEPLOY_IPMI_PASSWORD}", f"{{file: {file}}}", 1)
    topology.write_text(text)
    loaded, found = load_valid(topology)
    assert loaded is not None
    assert [(each.code, each.span.line) for each in found] == (
        [("SPEC125", text.count("\n", 0, text.index("{file:")) + 1)] if outside else []
    )
