"""What is on a host, as far as its files tell: no program is started, and nothing needs to be installed."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import stat
import struct
import time
from itertools import pairwise

from ansible.module_utils.hadeploy_postgresql_record import elsewhere, held_by, load

OWNER = "postgres"
ADDED = "# added by pgsql RA"
LOCK = "PGSQL.lock"
"""The agent's mark: a primary ran here last, and did not end as the last of all."""

HALF = "rewinding"
"""The mark of a pg_rewind that was begun: what it leaves when it is interrupted is nobody's data."""

TEMPORARY = "hadeploy_temporary"
"""cluster_name of an instance that is started to be copied from: by it a later run knows the instance for its own."""


def data_of(database: dict) -> str:
    """Where the data really is: a link is followed, so that it stays; before a rename, under the former name."""
    data = database["data"]
    former = os.path.join(os.path.dirname(data), database.get("was") or os.path.basename(data))
    return os.path.realpath(data if os.path.lexists(data) or not os.path.lexists(former) else former)


def config_of(database: dict) -> str:
    """The configuration file that the agent is given, and adds its includes to where they are missing."""
    return os.path.join(database["state"], "postgresql.conf")


def include(database: dict, name: str) -> str:
    """The agent looks for exactly this line."""
    return f"include '{os.path.join(database['state'], name)}' {ADDED}"


def lines_of(database: dict) -> list[str]:
    """The configuration file. The agent's files come last: what it decides outweighs the settings."""
    return [
        f"include '{database['settings']}'",
        include(database, "rep_mode.conf"),
        include(database, "recovery.conf"),
    ]


def read(path: str) -> str:
    """A file's text; empty where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def config_is_right(database: dict, text: str) -> bool:
    """In asynchronous mode the agent takes its C(rep_mode.conf) out of the file: with it or without, it is right."""
    settings, mode, recovery = lines_of(database)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[:1] == [settings] and recovery in lines and set(lines) <= {settings, mode, recovery}


def included(database: dict) -> list[str]:
    """Files that the server would miss: those of the configuration file that are not there."""
    text = read(config_of(database))
    paths = [os.path.join(database["state"], name) for name in ("rep_mode.conf", "recovery.conf")]
    return [path for path in paths if f"'{path}'" in text and not os.path.exists(path)]


def is_ours(path: str, mode: int) -> bool:
    """Whether it belongs to the server's user, with this mode."""
    try:
        found = os.stat(path)
        return found.st_uid == pwd.getpwnam(OWNER).pw_uid and stat.S_IMODE(found.st_mode) == mode
    except (OSError, KeyError):
        return False


def is_prepared(database: dict) -> bool:
    """Whether the agent finds its directory, and a configuration file that it need not change."""
    config = config_of(database)
    if not is_ours(database["state"], 0o700) or not is_ours(config, 0o600):
        return False
    return config_is_right(database, read(config)) and not included(database)


def kind_of(data: str, version: str) -> tuple[str, str]:
    """C(absent), C(present) or C(foreign), and what a foreign one holds."""
    try:
        entries = os.listdir(data)
    except FileNotFoundError:
        return "absent", ""
    except NotADirectoryError:
        return "foreign", "a file"
    if not entries:
        return "absent", ""
    found = read(os.path.join(data, "PG_VERSION")).strip()
    if not found:
        return "foreign", f"what is no PostgreSQL data ({', '.join(sorted(entries)[:3])})"
    if found != version:
        return "foreign", f"data of PostgreSQL {found}, not {version}"
    return ("present", "") if identifier_of(data) else ("foreign", "PostgreSQL data without pg_control")


def identifier_of(data: str) -> str:
    """The system identifier, which C(pg_control) begins with in every version; empty where it cannot be read."""
    try:
        with open(os.path.join(data, "global", "pg_control"), "rb") as stream:
            return str(struct.unpack("=Q", stream.read(8))[0])
    except (OSError, struct.error):
        return ""


def postmaster(data: str) -> int:
    """Process that serves the data; 0 where none does.

    After a crash and a boot another process may have the number that the file tells. A server names its data directory
    in its arguments; where it works would be surer, but not every root may read that of another user's process.
    """
    first = read(os.path.join(data, "postmaster.pid")).partition("\n")[0].strip()
    arguments = read(f"/proc/{first}/cmdline").split("\0") if first.isdigit() else []
    named = {os.path.realpath(after) for before, after in pairwise(arguments) if before == "-D"}
    return int(first) if data in named else 0


def started_by(database: dict) -> str:
    """Who started the server that runs: C(cluster), C(temporary) for one of ours, C(other)."""
    options = read(os.path.join(data_of(database), "postmaster.opts"))
    if f'"cluster_name={TEMPORARY}"' in options:
        return "temporary"
    return "cluster" if f'"config_file={config_of(database)}"' in options else "other"


def written_at(database: dict) -> float:
    """When the later of the files that a reload reads was written."""
    return max((each for _, each in _files_of_a_reload(database)), default=0.0)


def not_in_the_future(database: dict) -> None:
    """Files that were written before the clock was set back would look unread until that time comes."""
    now = time.time()
    for path, written in _files_of_a_reload(database):
        if written > now:
            os.utime(path)


def _files_of_a_reload(database: dict) -> list[tuple[str, float]]:
    found = []
    for path in (database["settings"], database["access"]):
        with contextlib.suppress(OSError):
            found.append((path, os.stat(path).st_mtime))
    return found


def files_of(database: dict) -> dict:
    """All that is known without asking the server."""
    data = data_of(database)
    kind, holds = kind_of(data, database["version"])
    if kind == "present" and os.path.exists(os.path.join(database["state"], HALF)):
        kind, holds = "foreign", "data that pg_rewind began to change and did not finish"
    pid = postmaster(data) if kind != "absent" else 0
    record = load(database)
    found = {
        "installed": os.access(os.path.join(database["programs"], "postgres"), os.X_OK),
        "data": kind,
        "holds": holds,
        "mounted": os.path.ismount(data),
        "identifier": identifier_of(data) if kind == "present" else "",
        "version": database["version"] if kind == "present" else "",
        "locked": os.path.exists(os.path.join(database["state"], LOCK)),
        "prepared": is_prepared(database),
        "running": bool(pid),
        "started_by": started_by(database) if pid else "",
        "record": record,
        "elsewhere": elsewhere(data, glob.glob(database["places"]), record),
    }
    known = {"held": held_by(found, data) if kind == "present" else {}, "begun": {}}
    return found | {"recorded": record == known if kind == "present" else not record.get("begun")}
