"""The id of a deployment: made once, kept beside its topology, remembered by its hosts.

A clone of the repository holds the same file, so it is the same deployment; another topology of the same name is not.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import tempfile
from dataclasses import replace
from pathlib import Path

from hadeploy.diagnostics import Diagnostic, Diagnostics, Severity, Span
from hadeploy.spec.given_file import TooLargeError, read_given

SUFFIX = ".id"
ID = re.compile(r"d-[0-9a-f]{16}")
"""Never the id of a run, which has no hyphen: one option names either."""

LARGEST_BYTES = 4096
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
"""Of file systems without hard links (link(2))."""

COMMENT = "# The id of this deployment. Commit this file: hosts remember the id, and refuse a topology with another."
CONSEQUENCE = (
    "hosts remember the id of their deployment, and refuse another; a new one would be another deployment"
)
RESTORE = (
    "restore the file from version control, or write the id that the hosts remember into it, as its only line but for comments:"
    " /var/lib/hadeploy/deployment.json on a host says it"
)


def id_file(topology: Path) -> Path:
    """Where the id of a topology's deployment is kept: beside the file itself, whatever link it was named by."""
    whole = topology.resolve()
    return whole.with_name(whole.name + SUFFIX)


def read_id(file: Path) -> tuple[str, Diagnostics]:
    """The id in a file; empty where there is no such file, or with a finding where there is one that holds no id."""
    try:
        data = read_given(file, LARGEST_BYTES)
    except FileNotFoundError:
        if not file.is_symlink():
            return "", Diagnostics()
        return "", _unreadable(file, 1, "is a link to a file that is not there")
    except TooLargeError:
        return "", _unreadable(file, 1, "is larger than any that hadeploy writes")
    except OSError as error:
        return "", _unreadable(file, 1, f"cannot be read: {(error.strerror or str(error)).lower()}")
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        return "", _unreadable(file, data[: error.start].count(b"\n") + 1, "is not UTF-8 text")
    said = [(number, line.strip()) for number, line in enumerate(lines, 1)]
    said = [(number, line) for number, line in said if line and not line.startswith("#")]
    if not said:
        return "", _unreadable(file, 1, "holds no id")
    for number, line in said:
        if not ID.fullmatch(line):
            return "", _unreadable(
                file, number, "holds something else than an id (d- and 16 hexadecimal digits)"
            )
    if len(said) > 1:
        return "", _unreadable(file, said[1][0], "holds more than one id")
    return said[0][1], Diagnostics()


def make_id(file: Path, wish: str = "") -> tuple[str, Diagnostics]:
    """The id in a file; where there is no such file, it is made, with a new id or the one that is wished.

    Of two that make it at once, both get the id of the first.
    """
    found, findings = read_id(file)
    if found or findings.has_errors:
        return found, findings
    text = f"{COMMENT}\n{wish or 'd-' + secrets.token_hex(8)}\n"
    try:
        _create(file, text)
    except FileExistsError:
        pass
    except OSError as error:
        return "", _unwritable(file, error)
    return read_id(file)


def only_warned(findings: Diagnostics) -> Diagnostics:
    """The same findings, for a command that goes on without an id where none can be written."""
    return Diagnostics.of(
        replace(each, severity=Severity.WARNING) if each.code == "BUILD011" else each for each in findings
    )


def _create(file: Path, text: str) -> None:
    """All of it or nothing, on disk before this returns; never in the place of another.

    Raises:
        FileExistsError: there is one by now.
        OSError: it cannot be written.
    """
    descriptor, fresh = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
        _link(fresh, file)
    finally:
        Path(fresh).unlink(missing_ok=True)


def _link(fresh: str, file: Path) -> None:
    """Give it its name, where nothing has it yet."""
    try:
        os.link(fresh, file)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if file.exists():
            raise FileExistsError from None
        Path(fresh).rename(file)


def _unreadable(file: Path, line: int, why: str) -> Diagnostics:
    finding = Diagnostic(
        "BUILD010",
        f"the id of the deployment: {file.name} {why}",
        Span(str(file), line, 1),
        detail=CONSEQUENCE,
        mend=RESTORE,
    )
    return Diagnostics((finding,))


def _unwritable(file: Path, error: OSError) -> Diagnostics:
    finding = Diagnostic(
        "BUILD011",
        f"the id of the deployment cannot be kept: {file}: {(error.strerror or str(error)).lower()}",
        detail=(
            "without it, hosts tell this deployment by its name alone, and another topology of that name may take them"
        ),
        mend="make the folder of the topology writable, or make the id elsewhere (hadeploy compile) and commit it",
    )
    return Diagnostics((finding,))
