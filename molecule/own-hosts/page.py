"""The page "Use your own hosts", run as it stands: its files are written, its commands are run, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "own-hosts.md"
BLOCK = re.compile(
    r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL
)
FILES = ("ini", "yaml")
REFUSED = "refused"
WHOLE_LIST = (
    r"nodes\.web2\.interfaces:",
    r"/etc/haproxy/haproxy\.cfg on web1\b(?!, web2)",
    r"-# by hand, long ago",
    r"web1: tcp/9100",
    r"web2: tcp/9100",
    r"nothing was changed on any host",
)


@dataclass(frozen=True)
class Block:
    """A fenced block: ``title`` is a file's path, or ``refused`` for commands that end with exit code 1."""

    kind: str
    title: str
    text: str

    @property
    def commands(self) -> list[str]:
        """Lines for a shell."""
        return [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]


def blocks(text: str) -> Iterator[Block]:
    """All fenced blocks of a page.

    Raises:
        ValueError: one is of a kind that nobody would run.
    """
    for found in BLOCK.finditer(text):
        if found["kind"] not in (*FILES, "diff", "console"):
            raise ValueError(f"a block of kind {found['kind']} is never run")
        yield Block(found["kind"], found["title"] or "", found["text"])


def patched(text: str, difference: str) -> str:
    """A text with one hunk, which must fit in just one place."""
    lines = difference.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line[0] in " -")
    after = "".join(line[1:] for line in lines if line[0] in " +")
    if text.count(before) != 1:
        raise ValueError(f"fits in {text.count(before)} places:\n{before}")
    return text.replace(before, after)


def write(block: Block, folder: Path) -> None:
    """Write or change the file of a block."""
    file = folder / block.title
    if block.kind == "diff":
        file.write_text(patched(file.read_text(encoding="utf-8"), block.text), encoding="utf-8")
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.text, encoding="utf-8")


def write_all(folder: Path) -> None:
    """The files as they are at the end of the page."""
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        if block.kind != "console":
            write(block, folder)


def follow(folder: Path) -> list[tuple[str, int, str]]:
    """Do all that the page says; each command with its exit code and what it printed."""
    done = []
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        if block.kind != "console":
            write(block, folder)
        for command in block.commands if block.kind == "console" else ():
            print(f"$ {command}", flush=True)
            ended = subprocess.run(
                ["sh", "-c", command],
                cwd=folder,
                env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            print(ended.stdout, flush=True)
            done.append((command, ended.returncode, ended.stdout))
            wanted = 1 if block.title == REFUSED else 0
            if ended.returncode != wanted:
                raise SystemExit(f"`{command}` ended with {ended.returncode}, not with {wanted}")
            if block.title == REFUSED:
                see_the_whole_list(ended.stdout)
            if command.startswith("ansible-playbook"):
                see_no_change(ended.stdout)
    return done


def see_the_whole_list(told: str) -> None:
    """The first apply names all that stands in its way, at once."""
    missing = [words for words in WHOLE_LIST if not re.search(words, told)]
    if missing:
        raise SystemExit(f"the refusal does not say {', '.join(missing)}")


def see_no_change(told: str) -> None:
    """Ansible's own recap counts no change and no failure on both hosts."""
    recap = re.findall(
        r"^(web[12]\S*)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", told, re.MULTILINE
    )
    if [row[2:] for row in recap] != [("0", "0", "0")] * 2:
        raise SystemExit(f"not twice without a change: {recap}")


if __name__ == "__main__":
    verb, place = sys.argv[1:]
    Path(place).mkdir(parents=True, exist_ok=True)
    {"write": write_all, "follow": follow}[verb](Path(place))
