"""The id of a deployment in its file beside the topology."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hadeploy.diagnostics import Severity
from hadeploy.spec import deployment
from hadeploy.spec.deployment import ID, id_file, make_id, only_warned, read_id

RACE = """
import sys
from pathlib import Path
from hadeploy.spec.deployment import make_id
sys.stdin.readline()
print(make_id(Path(sys.argv[1]))[0])
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return id_file(tmp_path / "topology.yaml")


def test_it_is_made_once_and_says_what_to_do_with_it(file: Path):
    assert read_id(file) == ("", read_id(file)[1])
    made, findings = make_id(file)
    assert ID.fullmatch(made)
    assert not findings
    assert file.read_text().splitlines() == [deployment.COMMENT, made]
    assert make_id(file)[0] == read_id(file)[0] == made
    assert [entry.name for entry in file.parent.iterdir()] == ["topology.yaml.id"]


def test_two_deployments_have_two(tmp_path: Path):
    assert make_id(id_file(tmp_path / "a.yaml"))[0] != make_id(id_file(tmp_path / "b.yaml"))[0]


def test_it_is_beside_the_file_that_a_link_names(tmp_path: Path):
    (tmp_path / "v2").mkdir()
    (tmp_path / "topology.yaml").symlink_to("v2/topology.yaml")
    assert id_file(tmp_path / "topology.yaml") == tmp_path / "v2" / "topology.yaml.id"


def test_of_several_that_make_it_at_once_all_get_the_same(file: Path):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for racer in racers:
        racer.stdin.write("go\n")
        racer.stdin.flush()
    assert len({racer.communicate()[0].strip() for racer in racers} - {""}) == 1


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b"# only a comment\n", 1),
        (b"# comment\nd-123\n", 2),
        (b"# comment\n\nweb\n", 3),
        (b"d-0123456789abcdef d-0123456789abcdef\n", 1),
        (b"d-0123456789abcdef\nd-0123456789abcde0\n", 2),
        (b"<<<<<<< HEAD\nd-0123456789abcdef\n", 1),
        (b"d-0123456789ABCDEF\n", 1),
        (b"# c\n\xff\xfe\n", 2),
        (b"\0" * 10, 1),
        (b"#" * 5000, 1),
    ],
)
def test_a_file_that_holds_no_id_is_an_error_at_its_line_and_stays(file: Path, content: bytes, line: int):
    file.write_bytes(content)
    for found, findings in (read_id(file), make_id(file)):
        assert found == ""
        (finding,) = findings
        assert (finding.code, str(finding.span)) == ("BUILD010", f"{file}:{line}:1")
        assert finding.is_error
    assert file.read_bytes() == content


def test_what_editors_add_is_no_fault(file: Path):
    file.write_bytes(b"\xef\xbb\xbf# my note\r\n\r\nd-0123456789abcdef \r\n")
    assert read_id(file)[0] == "d-0123456789abcdef"


def test_a_folder_or_a_dead_link_in_its_place_is_an_error(file: Path):
    file.symlink_to("gone")
    assert [each.code for each in make_id(file)[1]] == ["BUILD010"]
    file.unlink()
    file.mkdir()
    assert [each.code for each in make_id(file)[1]] == ["BUILD010"]


def test_where_it_cannot_be_kept_that_is_said(file: Path, monkeypatch: pytest.MonkeyPatch):
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(deployment.tempfile, "mkstemp", read_only)
    found, findings = make_id(file)
    assert found == ""
    assert [(each.code, each.severity) for each in findings] == [("BUILD011", Severity.ERROR)]
    assert not only_warned(findings).has_errors


def test_a_file_system_without_links_will_do(file: Path, monkeypatch: pytest.MonkeyPatch):
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(deployment.os, "link", no_links)
    made, _ = make_id(file)
    assert ID.fullmatch(made)
    assert [entry.name for entry in file.parent.iterdir()] == ["topology.yaml.id"]
