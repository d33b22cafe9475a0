"""What a terminal gets: text. Names of files, answers of hosts and words of other programs may hold commands for it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest
from rich.table import Table
from rich.text import Text

from hadeploy.app.drill import DrillReport
from hadeploy.app.validate import validate_topologies
from hadeploy.cli.console import Console
from hadeploy.cli.drill_junit import as_junit
from hadeploy.cli.findings import as_json, show_findings
from hadeploy.cli.sarif import as_sarif
from hadeploy.cli.terminal import echo, shown
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.diagnostics import Diagnostic, Diagnostics, Span
from hadeploy.drill.campaign import Outcome
from hadeploy.drill.judgement import Finding

HOSTILE = [
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x1b[1A\x1b[2K",
    "\x9b2J",
    "\x07",
    "\b\b",
    "a\rb",
    "\x1bP+q\x1b\\",
    "\u202eabc",
    "\udc9b",
]
COLORS = re.compile(r"\x1b\[[0-9;]*m")
"""Which rich itself writes."""


def harmless(text: str) -> bool:
    return all(each in "\n\t" or each.isprintable() for each in COLORS.sub("", text))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_table_and_a_text_show_it_and_do_not_obey(hostile):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=60, color_system="standard")
    table = Table(title=hostile)
    table.add_column(hostile)
    table.add_row(hostile)
    table.add_row(Text(f"x{hostile}", style="bold red"))
    console.print(table)
    console.print(hostile, style="bold red")
    console.print(Text(hostile))
    printed = stream.getvalue()
    assert "\x1b[1;31m" in printed, "colors of its own are kept"
    assert harmless(printed), ascii(printed)


def test_a_text_is_no_markup_and_no_picture():
    stream = io.StringIO()
    Console(file=stream, width=80).print("see [/srv] [bold]a:key:b[/bold] [link=http://x]y[/link]")
    assert stream.getvalue() == "see [/srv] [bold]a:key:b[/bold] [link=http://x]y[/link]\n"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_finding_is_one_line_and_its_words_are_text(hostile, capsys):
    finding = Diagnostic(
        "SPEC016", f"a{hostile}\nb", Span(f"{hostile}\n.yaml", 1, 1), detail=f"c{hostile}", mend=hostile
    )
    show_findings(Diagnostics.of([finding]))
    echo(hostile)
    out = capsys.readouterr()
    assert harmless(out.err + out.out)
    assert out.err.count("\n") == 3
    for document in (as_json(Diagnostics.of([finding])), as_sarif(Diagnostics.of([finding]))):
        assert harmless(document)
        json.loads(document)


@pytest.mark.parametrize("name", [b"\xff", b"a\x9b", "ü".encode(), b"\xed\xa0\x80"])
def test_a_name_that_is_no_text_is_reported_all_the_same(tmp_path, monkeypatch, name, capsys):
    monkeypatch.chdir(tmp_path)
    folder = os.path.join(os.fsencode(tmp_path), name)
    os.mkdir(folder)
    with open(os.path.join(folder, b"topology.yaml"), "w") as file:
        file.write("name: x\n")
    _, found = validate_topologies([tmp_path])
    assert [each.code for each in found] == ["SPEC010"]
    show_findings(found)
    assert harmless(capsys.readouterr().err)
    (result,) = json.loads(as_sarif(found))["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote_to_bytes(uri) == name + b"/topology.yaml"
    assert json.loads(as_json(found))["findings"][0]["code"] == "SPEC010"


def test_a_report_for_ci_is_xml_whatever_hosts_answer():
    finding = Finding(Mishap(Breakage.POWER_CUT, "n1"), skipped="said \x1b]0;x\x07\x00\ufffe")
    text = as_junit(DrillReport("x", "y", "debian-12", "lab", "", 1.0, Outcome((finding,), stopped="\x1b")))
    assert "\\x1b]0;x" in ElementTree.fromstring(text).find("testcase/skipped").get("message")


def test_text_that_is_right_is_printed_as_it_is():
    assert shown("O'Brien ü 日本 👩\u200d🚒\n\tx") == "O'Brien ü 日本 👩\u200d🚒\n\tx"


@pytest.mark.programs
@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "FOLDER"],
        ["NAME"],
        ["validate", "NAME"],
        ["validate", "--format", "json", "FOLDER"],
        ["status", "NAME"],
    ],
)
def test_no_name_reaches_the_terminal_as_a_command(tmp_path, arguments):
    """As on a terminal, for which typer and rich write colors; with a name that a pull request can bring."""
    name = "a\x1b]0;x\x07\x1b[2Jb"
    (tmp_path / "all" / name).mkdir(parents=True)
    (tmp_path / "all" / name / "topology.yaml").write_text("name: x\n")
    outcome = subprocess.run(
        [sys.executable, "-m", "hadeploy", *({"FOLDER": "all", "NAME": name}.get(each, each) for each in arguments)],
        cwd=tmp_path, capture_output=True, timeout=60, check=False, env={**os.environ, "FORCE_COLOR": "1"},
    )  # fmt: skip
    assert outcome.returncode in (1, 2)
    printed = outcome.stdout + outcome.stderr
    assert b"Traceback" not in printed
    assert b"\x1b]" not in printed
    assert b"\x07" not in printed
    assert b"x07" in printed or b"u0007" in printed
