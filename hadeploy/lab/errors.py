"""What a lab says when it cannot: a code, a sentence, a mend."""

from __future__ import annotations


class LabError(Exception):
    """The machine, or the state of the lab, does not allow what was asked."""

    def __init__(self, code: str, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend
