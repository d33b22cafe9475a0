# SPDX-License-Identifier: Apache-2.0
"""One file of a bundle: what it must be, what it is, how the two differ to a person's eye, and how it is replaced."""

from __future__ import annotations

import base64
import binascii
import grp
import os
import pwd
import stat

from ansible.module_utils.hadeploy_killed import mark
from ansible.module_utils.hadeploy_pending import sync_directory
from ansible.module_utils.hadeploy_secret import for_pacemaker, put, sum_for_pacemaker

UNIT_DIRECTORIES = ("/etc/systemd/system/", "/usr/local/lib/systemd/system/")
HIDDEN = "(holds secrets; not shown)\n"
NOT_TEXT = "(not text; not shown)\n"


def resolve(text: str, secrets: dict[str, str]) -> str:
    """Put values where placeholders stand."""
    return put(text, secrets)


def wanted_bytes(file: dict, secrets: dict[str, str]) -> bytes:
    """What the file must hold."""
    text = resolve(file["content"], {name: secrets[name] for name in file["secrets"]})
    if file["encoding"] == "cib-secret":
        return for_pacemaker(text).encode("utf-8")
    if file["encoding"] == "cib-secret-sum":
        return sum_for_pacemaker(text).encode("ascii")
    if file["encoding"] == "base64":
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except binascii.Error as error:
            raise ValueError(f"{file['path']}: the secret that it is made of is not base64") from error
    return text.encode("utf-8")


def present_bytes(path: str) -> bytes | None:
    """What the file holds; None where there is no regular file (a symlink is replaced, not followed)."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return None
        with open(path, "rb") as stream:
            return stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def attributes_of(path: str) -> tuple[str, str, str] | None:
    """Owner, group and mode as the bundle names them."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _name(pwd.getpwuid, found.st_uid), _name(grp.getgrgid, found.st_gid), mode_text(found.st_mode)


def _name(database, number: int) -> str:
    try:
        return database(number)[0]
    except KeyError:
        return str(number)


def mode_text(mode: int) -> str:
    """Octal, four digits."""
    return format(stat.S_IMODE(mode), "04o")


def differs(file: dict, secrets: dict[str, str]) -> bool:
    """Whether content, owner or mode is another one."""
    if attributes_of(file["path"]) != (file["owner"], file["group"], file["mode"].zfill(4)):
        return True
    found = present_bytes(file["path"])
    return found is None or found != wanted_bytes(file, secrets)


def file_diff(file: dict, before: bytes | None, after: bytes) -> dict[str, str]:
    """Both sides as a person may see them. What others could not read on the host is not shown to others here."""
    attributes = attributes_of(file["path"])
    hidden = bool(file["secrets"]) or closed_to_others(attributes)
    wanted = (file["owner"], file["group"], file["mode"].zfill(4))
    if before == after:
        before = after = b""
        hidden = False
    return {
        "before_header": f"{file['path']} ({' '.join(attributes) if attributes else 'absent'})",
        "after_header": f"{file['path']} ({' '.join(wanted)})",
        "before": _side(before, hidden=hidden, mark="before"),
        "after": _side(after, hidden=hidden, mark="after"),
    }


def removal_diff(path: str) -> dict[str, str]:
    """What goes, as a person may see it."""
    attributes = attributes_of(path)
    return {
        "before_header": f"{path} ({' '.join(attributes) if attributes else 'absent'})",
        "after_header": f"{path} (absent)",
        "before": _side(present_bytes(path), hidden=closed_to_others(attributes), mark="before"),
        "after": "",
    }


def closed_to_others(attributes: tuple[str, str, str] | None) -> bool:
    """Whether the file is there and only its owner or group may read it."""
    return attributes is not None and not int(attributes[2], 8) & 0o004


def _side(content: bytes | None, *, hidden: bool, mark: str) -> str:
    if content is None:
        return ""
    if hidden:
        return f"{mark} {HIDDEN}"
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_TEXT


def ids(file: dict) -> tuple[int, int]:
    """Owner and group as numbers.

    Raises:
        KeyError: the host does not know one of them.
    """
    return pwd.getpwnam(file["owner"]).pw_uid, grp.getgrnam(file["group"]).gr_gid


def write_new(path: str, content: bytes, owner: int, group: int, mode: int) -> None:
    """A new file, closed to others until it is whole, on disk before this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        os.fchown(stream.fileno(), owner, group)
        os.fchmod(stream.fileno(), mode)
        stream.flush()
        os.fsync(stream.fileno())


def write(file: dict, content: bytes) -> None:
    """Replace the file in one step: a reader sees the old one or the new one, whole, with its final owner and mode."""
    directory, name = os.path.split(file["path"])
    os.makedirs(directory, mode=0o755, exist_ok=True)
    fresh = os.path.join(directory, f".{name}.hadeploy-{mark()}")
    owner, group = ids(file)
    try:
        write_new(fresh, content, owner, group, int(file["mode"], 8))
        os.replace(fresh, file["path"])
    except BaseException:
        if os.path.lexists(fresh):
            os.unlink(fresh)
        raise
    sync_directory(directory)


def is_unit_file(path: str) -> bool:
    """Whether systemd itself must read it anew."""
    return path.startswith(UNIT_DIRECTORIES)
