"""What can keep an apply from starting."""

from __future__ import annotations


class RunError(Exception):
    """An apply cannot start; nothing was changed.

    Attributes:
        code: permanent.
        message: one sentence.
        mend: what to do about it.
    """

    def __init__(self, code: str, message: str, mend: str = "") -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.mend = mend

    def __reduce__(self) -> tuple[type[RunError], tuple[str, str, str]]:
        """As it is handed over from a process to another."""
        return type(self), (self.code, self.message, self.mend)
