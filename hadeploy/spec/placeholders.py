"""Marks of hadeploy's own, which stand for secrets and for facts of a host until a file is written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.source import KeyPath, SourceMap

MARK = re.compile(r"@@(hadeploy|host):")


def check_placeholders(data: Any, source: SourceMap, path: KeyPath = ()) -> Iterator[Diagnostic]:
    """Each text of a topology that holds one: in its place a secret would come to stand in a file that everybody reads."""
    if isinstance(data, dict):
        for key, inner in data.items():
            if MARK.search(str(key)):
                yield _finding(source, (*path, key), key=True)
            yield from check_placeholders(inner, source, (*path, key))
    elif isinstance(data, list):
        for number, inner in enumerate(data):
            yield from check_placeholders(inner, source, (*path, number))
    elif isinstance(data, str) and MARK.search(data):
        yield _finding(source, path, key=False)


def _finding(source: SourceMap, path: KeyPath, *, key: bool) -> Diagnostic:
    return Diagnostic(
        "SPEC163",
        "this text holds a mark of hadeploy's own",
        source.key_span(*path) if key else source.span(*path),
        detail="@@hadeploy: and @@host: stand for secrets and for facts of a host, which would be written in their place",
        mend="write it without the mark; a secret is a reference: {env: NAME}, {file: path} or {vault: variable}",
    )
