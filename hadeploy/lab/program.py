"""How the lab starts programs: no shell, a bound on time, the program's own words in the error."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from hadeploy.lab.errors import LabError

OWN = (
    "TMPDIR",
    "TMP",
    "TEMP",
    "XDG_",
    "CONTAINERS_",
    "CONTAINER_",
    "PODMAN_",
    "STORAGE_",
    "PYTHON",
    "PERL5",
    "APT_CONFIG",
)

_shielded: ContextVar[bool] = ContextVar("shielded", default=False)


@contextmanager
def shielded() -> Iterator[None]:
    """Programs that are started in here are out of reach of a Ctrl-C at the terminal.

    A node that is half started, or half off its networks, is worse than one more second of waiting.
    """
    token = _shielded.set(True)
    try:
        yield
    finally:
        _shielded.reset(token)


def plain_environment() -> dict[str, str]:
    """Without what a person set for other programs: image builds write to TMPDIR as several users, podman reads XDG's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return {**kept, "LC_ALL": "C.UTF-8"}


def run(argv: Sequence[str], *, stdin: str | None = None, seconds: float = 60, check: bool = True) -> str:
    """Run a program and return what it printed.

    Raises:
        LabError: it is missing, failed (with ``check``), or took longer than ``seconds``.
    """
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
            env=plain_environment(),
            umask=0o022,
            start_new_session=_shielded.get(),
        )
    except FileNotFoundError as error:
        raise LabError("LAB010", f"the program {argv[0]} is missing", "run: make deps") from error
    except subprocess.TimeoutExpired as error:
        raise LabError("LAB011", f"{' '.join(argv[:8])} took more than {seconds:g} s") from error
    if check and done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise LabError("LAB012", f"{' '.join(argv)} failed: {' / '.join(words[-3:])}")
    return done.stdout
