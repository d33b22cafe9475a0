"""What a person's environment must not decide: settled once, before anything else, for this process and its children."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, MutableMapping
from pathlib import Path

from hadeploy.run.errors import RunError

LOCALE = "C.UTF-8"
"""Part of glibc itself since 2.35 (Debian 12), so that it need not be generated. Ansible takes none that is not UTF-8."""

OPEN_TO_OTHERS = 0o022
"""Nothing is written that others may change: Ansible, too, ignores an ansible.cfg in a folder that anybody may write to."""

ALLOWED = re.compile(
    r"ANSIBLE_(HOME|COLLECTIONS_\w+|REMOTE_USER|REMOTE_PORT|PRIVATE_KEY_FILE|TIMEOUT|FORKS|BECOME|BECOME_(?!ASK)\w+"
    r"|VAULT_\w+|INVENTORY_(ENABLED|PLUGINS|IGNORE|IGNORE_REGEX|CACHE\w*)|INVENTORY_PLUGIN_\w+|CACHE_\w+|LOOKUP_PLUGINS"
    r"|FILTER_PLUGINS|VARS_PLUGINS|CONNECTION_PLUGINS|BECOME_PLUGINS|PYTHON_INTERPRETER|REMOTE_TMP|REMOTE_TEMP|LOG_PATH)"
)
"""Of the settings of ansible-core's own, those that say how hosts are reached, and where plugins for that are."""

REFUSED = re.compile(
    r"ANSIBLE_(SSH_)?(PIPELINING|HOST_KEY_CHECKING|CONTROL_PATH|CONTROL_PATH_DIR|VERBOSITY|USETTY)"
)
"""Settings of SSH that the project has for a reason: secrets in no file on hosts, host keys checked, sockets of its own."""

LONGEST_CONTROL_FOLDER = 79
"""Of a path to a UNIX socket 107 characters are left (unix(7)): a slash, 10 of Ansible's name, and 17 that ssh adds while it
makes the socket."""


def settle(environment: MutableMapping[str, str] | None = None) -> tuple[str, ...]:
    """Make locale, temporary files, home and umask as programs need them; names of Ansible's settings that do not count."""
    known = os.environ if environment is None else environment
    known.update(LC_ALL=LOCALE, LANG=LOCALE)
    if not _is_usable(known.get("TMPDIR", "/tmp")):  # noqa: S108 (whose own it is, is seen by whoever uses it)
        known.pop("TMPDIR", None)
        tempfile.tempdir = None
    if not _is_folder(known.get("HOME", "")):
        known.pop("HOME", None)  # programs then ask the user database
    os.umask(os.umask(OPEN_TO_OTHERS) | OPEN_TO_OTHERS)
    dropped = tuple(sorted(name for name in known if name.startswith("ANSIBLE_") and not _counts(name)))
    for name in dropped:
        del known[name]
    return dropped


def _is_folder(path: str) -> bool:
    return path.startswith("/") and Path(path).is_dir()


def _is_usable(folder: str) -> bool:
    return _is_folder(folder) and os.access(folder, os.W_OK | os.X_OK)


def _counts(name: str) -> bool:
    """Whether a setting reaches Ansible. What ansible-core itself does not know is a collection's."""
    if REFUSED.fullmatch(name) or name == "ANSIBLE_CONFIG":
        return False
    return bool(ALLOWED.fullmatch(name)) or name not in _of_ansible_core()


def _of_ansible_core() -> frozenset[str]:
    from importlib.util import find_spec

    found = find_spec("ansible")
    places = found.submodule_search_locations if found is not None else None
    if not places:
        return frozenset()
    text = Path(places[0], "config", "base.yml").read_text(encoding="utf-8")
    return frozenset(re.findall(r"name: (ANSIBLE_\w+)", text))


def cache_folder(*names: str) -> Path:
    """A folder of this user's that outlives the session; made where it is missing.

    Below ``XDG_CACHE_HOME``, else below the home's ``.cache``; where the home is missing or nothing can be made there, below
    ``/var/tmp``.

    Raises:
        RunError: it can be made nowhere.
    """
    reasons = []
    for place in _caches():
        try:
            return _made(place.joinpath("hadeploy", *names))
        except OSError as error:
            reasons.append(f"{place}: {(error.strerror or str(error)).lower()}")
    try:
        return _made(_fallback().joinpath(*names))
    except OSError as error:
        reasons.append(f"{error.filename}: {(error.strerror or str(error)).lower()}")
    raise RunError(
        "ENV003",
        f"no folder for this user's locks: {'; '.join(reasons)}",
        "export XDG_CACHE_HOME=/a/folder/that/can/be/written",
    )


def ansible_home() -> str:
    """Where Ansible keeps what is the user's: ``~/.ansible``, or where that cannot be, a folder of hadeploy's."""
    named = os.environ.get("ANSIBLE_HOME", "")
    home = _home()
    if named or home is None:
        return named or str(cache_folder("ansible"))
    try:
        return str(_made(home / ".ansible"))
    except OSError:
        return str(cache_folder("ansible"))


def control_folder(name: str) -> Path:
    """Where SSH keeps the sockets of open connections: short enough for a socket's path, and made by whoever needs it."""
    home = _home()
    folder = home / ".ansible" / "cp" / name if home is not None else None
    if folder is not None and len(os.fsencode(folder)) <= LONGEST_CONTROL_FOLDER:
        try:
            return _made(folder)
        except OSError:
            pass
    try:
        return _made(_fallback() / name)
    except OSError as error:
        raise RunError(
            "ENV003",
            f"no folder for SSH's sockets: {error.filename}: {(error.strerror or str(error)).lower()}",
            "see to the rights of /var/tmp, or export HOME=/a/short/folder",
        ) from error


def _caches() -> Iterable[Path]:
    """Relative paths there are to be ignored (XDG Base Directory Specification)."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if named.startswith("/"):
        yield Path(named)
    home = _home()
    if home is not None:
        yield home / ".cache"


def _home() -> Path | None:
    """The home, where there is one. It is not made: it may be on a disk that is not mounted."""
    try:
        home = Path.home()
    except (RuntimeError, KeyError):
        return None
    return home if home.is_absolute() and home.is_dir() else None


def _made(folder: Path) -> Path:
    """The folder, once something can be written there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied", str(folder))
    return folder


def _fallback() -> Path:
    """In a folder that everybody may write to, ours only if nobody else made it."""
    folder = Path("/var/tmp", f"hadeploy-{os.geteuid()}")  # noqa: S108 (its owner and its rights are looked at)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not folder.is_dir() or folder.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise PermissionError(13, "somebody else's", str(folder))
    return folder
