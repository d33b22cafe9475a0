"""The role that standbys log in with: its password as the password file has it, and as the server keeps it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import stringprep
import unicodedata

ITERATIONS = 4096
"""As the server itself takes; a generated password gains nothing by more."""

FIELDS = 5

REWINDING = (
    "pg_ls_dir(text, boolean, boolean)",
    "pg_stat_file(text, boolean)",
    "pg_read_binary_file(text)",
    "pg_read_binary_file(text, bigint, bigint, boolean)",
)
"""What pg_rewind calls in the database it is given (its manual). A role that copies all data reads no more by them."""


def password_in(text: str) -> str:
    """The password of a password file's first line (libpq's format); empty where there is none."""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        fields = re.findall(r"((?:\\.|[^:\\])*)(?::|$)", line)
        return re.sub(r"\\(.)", r"\1", fields[FIELDS - 1]) if len(fields) >= FIELDS else ""
    return ""


def read_password(path: str) -> str:
    """Of a password file; empty where it is not there yet."""
    try:
        with open(path, encoding="utf-8") as stream:
            return password_in(stream.read())
    except FileNotFoundError:
        return ""


def prepared(password: str) -> bytes:
    """As client and server hash it (RFC 4013): ASCII is taken as it is, anything else in its compatibility form."""
    if password.isascii():
        return password.encode()
    kept = [
        " " if stringprep.in_table_c12(char) else char
        for char in password
        if not stringprep.in_table_b1(char)
    ]
    return unicodedata.normalize("NFKC", "".join(kept)).encode()


def verifier(password: str, salt: bytes = b"", iterations: int = ITERATIONS) -> str:
    """What the server keeps: whoever reads it, in a log or a backup, cannot log in with it."""
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", prepared(password), salt, iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    words = [base64.b64encode(each).decode() for each in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{words[0]}${words[1]}:{words[2]}"


def matches(password: str, kept: str) -> bool:
    """Whether what the server keeps is of this password."""
    found = re.fullmatch(r"SCRAM-SHA-256\$(\d+):([^$]+)\$[^:]+:.+", kept)
    if found is None:
        return False
    return hmac.compare_digest(verifier(password, base64.b64decode(found[2]), int(found[1])), kept)


def literal(text: str) -> str:
    """As a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def statement(verb: str, user: str, password: str) -> str:
    """CREATE or ALTER of the role, with what it may do, in one line."""
    name = '"' + user.replace('"', '""') + '"'
    functions = ", ".join(f"pg_catalog.{each}" for each in REWINDING)
    return (
        f"{verb} ROLE {name} LOGIN REPLICATION PASSWORD {literal(verifier(password))};"
        f" GRANT EXECUTE ON FUNCTION {functions} TO {name}; GRANT pg_checkpoint TO {name}"
    )


def allowed() -> str:
    """Whether a role of pg_authid may do that, in SQL."""
    granted = [
        f"has_function_privilege(oid, {literal(f'pg_catalog.{each}')}, 'EXECUTE')" for each in REWINDING
    ]
    granted.append("pg_has_role(oid, 'pg_checkpoint', 'MEMBER')")
    return " AND ".join(["rolcanlogin", "rolreplication", *granted])
