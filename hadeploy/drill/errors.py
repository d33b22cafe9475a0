"""What a drill says when it cannot strike or mend."""

from __future__ import annotations


class DrillError(Exception):
    """A mishap could not be brought about, or not be undone."""

    def __init__(self, code: str, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.mend = mend
