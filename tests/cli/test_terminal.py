"""What a terminal gets: text. Names of files, answers of hosts and words of other programs may hold commands for it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys

import pytest
from rich.table import Table
from rich.text import Text

from hadeploy.cli.console import Console
from hadeploy.cli.findings import as_json, show_findings
from hadeploy.cli.sarif import as_sarif
from hadeploy.cli.terminal import echo, shown
from hadeploy.diagnostics import Diagnostic, Diagnostics, Span

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
