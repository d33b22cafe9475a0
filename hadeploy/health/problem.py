"""One thing that a host is not, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hadeploy.diagnostics import Severity
from hadeploy.diagnostics.catalogue import meaning_of


@dataclass(frozen=True, slots=True)
class HostProblem:
    """A fact that does not hold.

    Attributes:
        code: permanent; ``hadeploy explain`` says why it matters.
        host: on which it was found; several names where it is between them.
        expected: what the topology needs.
        found: what is there.
        fix: an imperative with the exact text to write.
        accepted: the reason for which a person accepted it; empty where nobody did.
    """

    code: str
    host: str
    expected: str
    found: str
    fix: str
    accepted: str = ""

    @property
    def severity(self) -> Severity:
        """A warning where the code is one, or the risk is accepted by name."""
        return Severity.WARNING if self.accepted else meaning_of(self.code).severity

    @property
    def is_error(self) -> bool:
        """Whether it keeps an apply from starting, and makes a cluster degraded."""
        return self.severity is Severity.ERROR

    @property
    def sentence(self) -> str:
        """It in one line."""
        return f"{self.host}: {self.found}; expected: {self.expected} ({self.code})"


def unless_accepted(problem: HostProblem, accepted: Mapping[str, str]) -> HostProblem:
    """The same, with the reason for which a person accepted its code, where that may be accepted."""
    reason = accepted.get(problem.code, "") if meaning_of(problem.code).acceptable else ""
    if not reason:
        return problem
    return HostProblem(problem.code, problem.host, problem.expected, problem.found, problem.fix, reason)
