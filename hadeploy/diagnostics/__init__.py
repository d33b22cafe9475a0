"""Findings as values: what is wrong, where, why it matters, what to write instead.

No stage prints or exits: each returns ``(value | None, Diagnostics)`` and the command line shows them.
"""

from hadeploy.diagnostics.diagnostic import Diagnostic, Diagnostics, Severity, Span

__all__ = ["Diagnostic", "Diagnostics", "Severity", "Span"]
