"""What an outside program is asked, and what it answered; ``run/`` stands between the two."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """One run of a program.

    Attributes:
        argv: program and arguments.
        stdin: its input.
        seconds: after which it is given up.
    """

    argv: tuple[str, ...]
    stdin: str = ""
    seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What came of it.

    Attributes:
        code: exit code; 127 where the program is missing, 124 where its time was over.
        seconds: how long it took.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
