# SPDX-License-Identifier: Apache-2.0
"""Values of secrets as data: read on the controller, sealed on their way to a host, put into texts there; never a template."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import stat

PLACEHOLDER = re.compile(r"@@hadeploy:([^@]+)@@")
SEAL = "hadeploy-sealed:"
"""Begins a value on its way to a module: Ansible hides values of secrets wherever they occur in a result, and a short one
would be found in the middle of a path or a package's name."""

IN_FILES = "lrm://"
"""Stands in the CIB for a value that only the cluster's daemons read, from files of root's own (cibsecret(8))."""

REVISION = "pcmk_hadeploy_revision"
"""A parameter that changes with the secrets beside it. Pacemaker keeps what begins with pcmk_ to itself, and reads the files
of a device only when one of its parameters has changed."""

LARGEST_BYTES = 1024 * 1024
"""Of a secret's file; a certificate in base64 has some thousand."""

LONGEST = 254
"""Bytes of such a file that Pacemaker reads (lib/common/cib_secrets.c)."""


class NoValueError(Exception):
    """A secret has no value that can be used; the words say what to do."""


def value_of(name: str, source: dict, variables: dict, directory: str) -> str:
    """What a secret is, from where the topology says that it is.

    Args:
        name: of the secret.
        source: one of C(env), C(file), C(vault) and C(generated), with its reference.
        variables: of the play, as they were written.
        directory: where files are looked for.

    Raises:
        NoValueError: there is none, or none that is text.
    """
    ((kind, reference),) = source.items()
    if kind == "env":
        value: object = os.environb.get(os.fsencode(reference))
        missing = f"export {reference}=..."
    elif kind == "file":
        value, missing = _first_line(os.path.join(directory, reference))
    else:
        value = variables.get(reference)
        missing = f"the variable {reference} is not there: give the vault of secrets (-e @secrets.vault.yml)"
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            raise NoValueError(
                f"SECRET002 the secret {name} is not UTF-8 text ({kind}: {reference})"
            ) from None
    if value is None or value == "":
        raise NoValueError(f"SECRET001 the secret {name} has no value: {missing}")
    if not isinstance(value, str):
        raise NoValueError(
            f"SECRET002 the secret {name} is no text, but {type(value).__name__}: write it in quotes ({kind}: {reference})"
        )
    return str(value)


def _first_line(path: str) -> tuple[bytes | None, str]:
    """Of a file alone: a device or a pipe may have no end, or never begin."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None, f"{path} is no file"
        with open(path, "rb", opener=_without_waiting) as stream:
            line = stream.readline(LARGEST_BYTES + 1).rstrip(b"\r\n")
    except OSError as error:
        return None, f"{path} cannot be read ({error.strerror})"
    if len(line) > LARGEST_BYTES:
        return None, f"the first line of {path} is longer than {LARGEST_BYTES} bytes"
    return line, f"the first line of {path} is empty"


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def sealed(values: dict[str, str]) -> dict[str, str]:
    """For the arguments of a module."""
    return {name: SEAL + base64.b64encode(value.encode()).decode() for name, value in values.items()}


def opened(values: dict[str, str]) -> dict[str, str]:
    """In the module."""
    return {
        name: base64.b64decode(value[len(SEAL) :]).decode() if value.startswith(SEAL) else value
        for name, value in values.items()
    }


def put(text: str, values: dict[str, str], quoted=str) -> str:
    """Values where placeholders stand; a value that looks like a placeholder is none."""
    return PLACEHOLDER.sub(lambda found: quoted(values[found[1]]) if found[1] in values else found[0], text)


def for_pacemaker(value: str) -> str:
    """The value, where Pacemaker can read it from a file as it is.

    Raises:
        ValueError: it would read another one.
    """
    why = (
        "has a line break"
        if "\n" in value or "\r" in value or "\0" in value
        else "ends with a blank"
        if value != value.rstrip()
        else f"is longer than {LONGEST} bytes"
        if len(value.encode()) > LONGEST
        else ""
    )
    if why:
        raise ValueError(
            f"SECRET003 a secret for the cluster {why}, and Pacemaker would read another one: choose another value"
        )
    return value


def sum_for_pacemaker(value: str) -> str:
    """What stands in the file beside it."""
    return hashlib.md5(for_pacemaker(value).encode(), usedforsecurity=False).hexdigest()


def kept_apart(cib, values: dict[str, str], key: str, printed: dict[str, dict]) -> None:
    """Let parameters that are secrets say where they are, with a revision that changes with them and tells nothing.

    Args:
        cib: the compiled one, with placeholders.
        values: of the placeholders.
        key: a secret that is long and random; without it the revision is worth nothing to who guesses passwords.
        printed: parameters (C(name), C(value)) that take the place of those that the agent reads from a command.
    """
    for primitive in cib.iter("primitive"):
        for attributes in primitive.findall("instance_attributes"):
            hidden = []
            for pair in attributes.findall("nvpair"):
                found = PLACEHOLDER.fullmatch(pair.get("value", ""))
                if found and found[1] in values:
                    hidden.append(f"{primitive.get('id')}\0{pair.get('name')}\0{values[found[1]]}")
                    pair.set("value", IN_FILES)
                    if found[1] in printed:
                        pair.attrib.update(
                            printed[found[1]], id=f"{attributes.get('id')}-{printed[found[1]]['name']}"
                        )
            if hidden:
                revision = hmac.new(key.encode(), "\0\0".join(hidden).encode(), hashlib.sha256).hexdigest()[
                    :16
                ]
                name = f"{attributes.get('id')}-{REVISION}"
                pair = attributes.makeelement("nvpair", {"id": name, "name": REVISION, "value": revision})
                attributes.append(pair)
