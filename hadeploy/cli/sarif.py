"""Findings as SARIF 2.1.0, as GitHub code scanning takes it: rules with help, a place for every result.

A finding that has no place in a file (a folder without topologies) is no result but a notification of the run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hadeploy import __version__
from hadeploy.app.explain import Explanation, all_explanations
from hadeploy.cli.explain_view import as_markdown
from hadeploy.cli.line_hash import line_hashes
from hadeploy.diagnostics import Diagnostic, Diagnostics, Span
from hadeploy.spec.given_file import read_given

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LONGEST_MARKDOWN = 25_000
"""Characters that GitHub shows of a rule's help; no rule comes near."""


def as_sarif(findings: Diagnostics) -> str:
    """One document with one run."""
    known = _descriptors(findings)
    index = {descriptor["id"]: number for number, descriptor in enumerate(known)}
    placed = [(finding, finding.span) for finding in findings if finding.span is not None]
    run = {
        "tool": {"driver": {"name": "hadeploy", "semanticVersion": _semantic(__version__), "rules": known}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": all(finding.span is not None for finding in findings),
                "toolExecutionNotifications": [
                    _notification(finding) for finding in findings if finding.span is None
                ],
            }
        ],
        "results": [_result(finding, span, index[finding.code]) for finding, span in placed],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _semantic(version: str) -> str:
    """``0.1.0.dev0`` is no semantic version; ``0.1.0-dev0`` is."""
    numbers = version.split(".")
    return ".".join(numbers[:3]) + (f"-{'.'.join(numbers[3:])}" if len(numbers) > 3 else "")


def _descriptors(findings: Diagnostics) -> list[dict[str, Any]]:
    """Every design rule, and of the other codes those that were found."""
    found = {finding.code: finding for finding in findings if finding.span is not None}
    known = {one.code: one for one in all_explanations() if one.is_rule or one.code in found}
    known |= {code: _from_finding(found[code]) for code in sorted(found.keys() - known.keys())}
    return [_descriptor(one) for one in known.values()]


def _from_finding(finding: Diagnostic) -> Explanation:
    """What can be said of a code that is explained nowhere: what it said here."""
    return Explanation(
        code=finding.code,
        family="topology",
        severity=finding.severity.value,
        title=finding.summary,
        reason=finding.detail or finding.summary,
        mend=finding.mend or finding.summary,
    )


def _descriptor(known: Explanation) -> dict[str, Any]:
    return {
        "id": known.code,
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": f"{known.title}: {known.reason}."},
        "help": {
            "text": f"{known.reason}. {known.mend}." + (f" Source: {known.source}." if known.source else ""),
            "markdown": as_markdown(known)[:LONGEST_MARKDOWN],
        },
        "defaultConfiguration": {"level": known.severity},
        "properties": {
            "tags": ["high-availability", known.family],
            "precision": "very-high",
            "problem.severity": known.severity,
        },
    }


def _result(finding: Diagnostic, span: Span, index: int) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": _uri(span.file)},
        "region": {"startLine": span.line, "startColumn": span.column},
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": finding.severity.value,
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": place}],
        **_fingerprint(span),
    }


def _message(finding: Diagnostic) -> str:
    parts: Sequence[str] = (finding.summary, finding.detail, finding.mend)
    return "\n".join(part for part in parts if part)


def _notification(finding: Diagnostic) -> dict[str, Any]:
    return {
        "descriptor": {"id": finding.code},
        "level": finding.severity.value,
        "message": {"text": _message(finding)},
    }


def _uri(file: str) -> str:
    """Relative to where the command runs, which is to be the repository's root; else a file URI."""
    path = Path(os.path.realpath(file))
    try:
        return quote(os.fsencode(path.relative_to(Path.cwd())))
    except ValueError:
        return path.as_uri()


def _fingerprint(span: Span) -> dict[str, Any]:
    hashes = _hashes(span.file)
    if span.line > len(hashes):
        return {}
    return {"partialFingerprints": {"primaryLocationLineHash": hashes[span.line - 1]}}


@cache
def _hashes(file: str) -> tuple[str, ...]:
    """None for a file that cannot be read as text: that is what the finding says."""
    try:
        return line_hashes(read_given(Path(file)).decode("utf-8"))
    except (OSError, UnicodeDecodeError):
        return ()
