"""Programs that stand in for ssh and sudo on PATH: they write down what they are given, and do it on this machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

SSH = """#!/bin/sh
# The last argument is what the host's login shell is given.
python3 -c 'import json, os, sys; os.write(1, (json.dumps(sys.argv[1:]) + chr(10)).encode())' "$@" >> "$STRANGERS/ssh.log"
pwd >> "$STRANGERS/cwd.log"
for command; do :; done
[ -f "$STRANGERS/bashrc" ] && cat "$STRANGERS/bashrc"
[ -f "$STRANGERS/refused" ] && { cat "$STRANGERS/refused" >&2; exit 255; }
[ "$(id -u)" = 0 ] || exec unshare --map-root-user /bin/sh -c "$command"
exec /bin/sh -c "$command"
"""

SUDO = """#!/bin/bash
# As sudo(8): -n never asks, -S reads a line of standard input, three tries.
python3 -c 'import json, os, sys; os.write(1, (json.dumps(sys.argv[1:]) + chr(10)).encode())' "$@" >> "$STRANGERS/sudo.log"
while [ $# -gt 0 ]; do
  case "$1" in
    -n) never=1; shift ;;
    -p) prompt="$2"; shift 2 ;;
    -u) shift 2 ;;
    -*) shift ;;
    *) break ;;
  esac
done
if [ -f "$STRANGERS/password" ]; then
  [ -n "$never" ] && { echo 'sudo: a password is required' >&2; exit 1; }
  echo 'We trust you have received the usual lecture.' >&2
  for try in 1 2 3; do
    printf %s "$prompt" >&2
    IFS= read -r word || { echo 'sudo: no password was provided' >&2; exit 1; }
    echo "$word" >> "$STRANGERS/tries.log"
    [ "$word" = "$(cat "$STRANGERS/password")" ] && exec "$@"
    echo 'Sorry, try again.' >&2
  done
  echo 'sudo: 3 incorrect password attempts' >&2; exit 1
fi
exec "$@"
"""


SU = """#!/bin/sh
# As root's su(1): nobody is asked.
for command; do :; done
exec /bin/sh -c "$command"
"""


class Strangers:
    """The folder of these programs, and what they have seen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"
        self.programs.mkdir(parents=True)
        for name, text in (("ssh", SSH), ("sudo", SUDO), ("su", SU)):
            program = self.programs / name
            program.write_text(text)
            program.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        """What makes them the first that are found."""
        path = os.pathsep.join([str(self.programs), os.environ["PATH"]])
        return {"PATH": path, "STRANGERS": str(self.folder)}

    def says(self, name: str, text: str) -> None:
        """What the host's shell prints (bashrc), why it refuses (refused), the password that sudo wants (password)."""
        (self.folder / name).write_text(text)

    def calls(self, program: str) -> list[list[str]]:
        """Arguments of each call so far, which are forgotten."""
        log = self.folder / f"{program}.log"
        found = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        log.unlink(missing_ok=True)
        return found

    @property
    def folders(self) -> set[str]:
        """Where ssh was started."""
        return set((self.folder / "cwd.log").read_text().splitlines())

    @property
    def tries(self) -> list[str]:
        """The passwords that sudo was given."""
        log = self.folder / "tries.log"
        return log.read_text().splitlines() if log.exists() else []
