"""Secrets that hadeploy makes itself: made once, kept in an ansible-vault file, never overwritten."""

from __future__ import annotations

import base64
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from hadeploy.run.errors import RunError
from hadeploy.run.surroundings import ansible_home
from hadeploy.spec.given_file import SpecialFileError, read_given, refuse_special

PASSWORD = "HADEPLOY_VAULT_PASSWORD"  # noqa: S105 (a variable's name)
PASSWORD_FILES = ("HADEPLOY_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_PASSWORD_FILE")
SECRET_BYTES = 256
"""corosync takes 128 to 4096 random bytes as its key; 256 is what corosync-keygen writes."""

TAKEN_FROM = "_taken_from"
"""What the name of a variable ends with that says whose value another one got when an object was renamed."""

PRIVATE = 0o600


def vault_password(environment: Mapping[str, str] | None = None) -> bytes:
    """The password, from the environment or a file that it names (a program there is run, as Ansible does).

    Raises:
        RunError: none is given, or the file cannot be read.
    """
    known = os.environ if environment is None else environment
    if known.get(PASSWORD):
        return known[PASSWORD].encode()
    name = next((known[name] for name in PASSWORD_FILES if known.get(name)), None)
    if name is None:
        raise RunError(
            "RUN010",
            "no password for the vault of secrets",
            f"export {PASSWORD}=... or {PASSWORD_FILES[0]}=/path/to/a/file",
        )
    return _read_password(Path(name).expanduser())


def known_password() -> bytes | None:
    """The same where one is given: what is encrypted in an inventory may be nothing, and then none is needed.

    Raises:
        RunError: one is given, and cannot be read.
    """
    given = any(os.environ.get(name) for name in (PASSWORD, *PASSWORD_FILES))
    return vault_password() if given else None


def _read_password(file: Path) -> bytes:
    try:
        if os.access(file, os.X_OK):
            found = subprocess.run([str(file)], capture_output=True, timeout=60, check=True).stdout
        else:
            found = read_given(file)
    except (OSError, subprocess.SubprocessError) as error:
        raise RunError(
            "RUN011",
            f"the vault password file {file} cannot be read: {getattr(error, 'strerror', None) or error}",
        ) from error
    password = found.strip()
    if not password:
        raise RunError("RUN011", f"the vault password file {file} is empty")
    return password


def is_there(vault: Path) -> bool:
    """Whether there is a vault that Ansible can be given: it reads a device to its end, which there may be none of.

    Raises:
        RunError: it is a device, a pipe or a socket.
    """
    try:
        refuse_special(vault)
    except SpecialFileError as error:
        raise RunError("RUN012", f"{vault} cannot be read: {error.strerror}") from error
    except OSError:
        return False
    return True


def read_vault(file: Path, password: bytes) -> dict[str, Any]:
    """Variables of a vault file; none where there is no file.

    Raises:
        RunError: it is not encrypted, the password is another one, or it holds no variables.
    """
    plain = _plain(file, password)
    try:
        variables = yaml.safe_load(plain) or {}
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise RunError("RUN015", f"{file} holds no YAML once it is decrypted") from error
    if not isinstance(variables, dict):
        raise RunError("RUN015", f"{file} must hold variables, one a line: name: value")
    return variables


def _plain(file: Path, password: bytes) -> str:
    """What is in a vault, as it is written; empty where there is no file."""
    try:
        content = read_given(file)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise RunError("RUN012", f"{file} cannot be read: {error.strerror}") from error
    vault = _vault(password)
    if not vault.is_encrypted(content):
        raise RunError(
            "RUN013",
            f"{file} is not encrypted",
            f"ansible-vault encrypt {file} (and change what it held: it was readable)",
        )
    from ansible.errors import AnsibleError

    try:
        plain: bytes = vault.decrypt(content)
    except AnsibleError as error:
        raise RunError(
            "RUN014", f"{file} cannot be decrypted with this password", f"see {PASSWORD}"
        ) from error
    try:
        return plain.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RunError("RUN015", f"{file} holds no UTF-8 text once it is decrypted") from error


def ensure_generated(
    file: Path, names: Iterable[str], password: bytes, former: Mapping[str, str] | None = None
) -> bool:
    """Make what is missing; True where the file was written. What is there is never overwritten.

    Args:
        file: the vault.
        names: variables that must be there.
        password: of the vault.
        former: names of variables to the names that they had. The value of that name is taken once, where there is one:
            also in place of one that an apply made which the hosts refused, and that is known to nobody.

    Raises:
        RunError: see :func:`read_vault`, or the file cannot be written.
    """
    variables = read_vault(file, password)
    made: dict[str, str] = {}
    for name, old in (former or {}).items():
        if variables.get(old) and variables.get(f"{name}{TAKEN_FROM}") != old:
            made |= {name: variables[old], f"{name}{TAKEN_FROM}": old}
    made |= {name: _fresh() for name in names if not variables.get(name) and name not in made}
    if not made:
        return False
    try:
        _replace(file, _vault(password).encrypt(_with(_plain(file, password), made).encode()))
    except OSError as error:
        raise RunError("RUN016", f"{file} cannot be written: {error.strerror}") from error
    return True


def _with(plain: str, made: Mapping[str, str]) -> str:
    """The variables of a vault with more of them, or others of the same name.

    What a person wrote stays as it is written: read and written anew, 0123 would come back as 83, and comments not at all.
    """
    root: Any = yaml.compose(plain, Loader=yaml.SafeLoader)
    pairs = [] if root is None else list(root.value)
    if root is not None and (root.flow_style or any(key.value in made for key, _ in pairs)):
        tag = "tag:yaml.org,2002:str"
        kept = [(key, value) for key, value in pairs if key.value not in made]
        added = [(yaml.ScalarNode(tag, name), yaml.ScalarNode(tag, value)) for name, value in made.items()]
        return yaml.serialize(yaml.MappingNode(root.tag, [*kept, *added], flow_style=False), width=120)
    end = re.search(r"^\.\.\.[ \t]*$", plain, re.MULTILINE)
    before = plain[: end.start()] if end else plain
    if before and not before.endswith("\n"):
        before += "\n"
    return before + yaml.safe_dump(dict(made), sort_keys=True, width=120)


def _fresh() -> str:
    return base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _vault(password: bytes) -> Any:
    os.environ.setdefault("ANSIBLE_HOME", ansible_home())  # a folder is made there as soon as Ansible is read
    from ansible.constants import DEFAULT_VAULT_IDENTITY
    from ansible.parsing.vault import VaultLib, VaultSecret

    return VaultLib([(DEFAULT_VAULT_IDENTITY, VaultSecret(password))])


def _replace(file: Path, content: bytes) -> None:
    """In one step and on disk before this returns: a lost key is a cluster that cannot be joined."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), PRIVATE)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(fresh).replace(file)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise
