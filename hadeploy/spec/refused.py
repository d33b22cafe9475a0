"""A value that is refused with a code of its own, wherever in a topology its type stands."""


class RefusedError(ValueError):
    """Raised by a value's own type; the place, and the name of the key, are added where the topology is loaded.

    Attributes:
        code: of the finding.
        detail: the consequence.
        mend: what to write instead.
    """

    def __init__(self, code: str, words: str, detail: str = "", mend: str = "") -> None:
        super().__init__(words)
        self.code, self.detail, self.mend = code, detail, mend
