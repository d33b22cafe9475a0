"""The one place where what keeps a command from its work is told: the code, the sentence, the mend, exit code 1."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hadeploy.cli.terminal import echo, secho
from hadeploy.run import endings

INTERRUPTED = 130
TOLD = (
    "RunError",
    "LabError",
    "NotAProjectError",
    "OccupiedError",
    "OtherDeploymentError",
    "EvaluatedPathError",
)
"""By name, so that the command line loads nothing for them before one of them was raised."""


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Show a refusal of the lab, of a run, or of the operating system; anything else is a bug and keeps its traceback."""
    try:
        yield
    except SystemExit as leaving:
        # A verb that was ended says 130; which signal it was, the shell is told here.
        raise SystemExit(endings.exit_code() if leaving.code == INTERRUPTED else leaving.code) from None
    except KeyboardInterrupt:
        sys.exit(endings.exit_code())
    except BrokenPipeError:
        # Who reads has had enough (| head); Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if _folder_is_gone():
            _tell("ENV001", "the current folder does not exist any more", "cd to a folder that exists")
        place = f"{error.filename}: " if error.filename is not None else ""
        _tell("SYS001", f"{place}{(error.strerror or str(error)).lower()}", "")
    except Exception as error:
        if type(error).__name__ not in TOLD:
            raise
        _tell(getattr(error, "code", ""), getattr(error, "message", str(error)), getattr(error, "mend", ""))


def _folder_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 (Path.cwd() is the same call)
    except OSError:
        return True
    return False


def _tell(code: str, message: str, mend: str) -> None:
    secho(f"{code} {message}", err=True, bold=True)
    if mend:
        echo(f"    hint: {mend}", err=True)
    sys.exit(1)
