"""systemd's own reading of unit files and drop-ins.

A unit's state is asked of systemd; its text is judged away from members only. There, a key that systemd does not know
is a remark in its log that nobody reads, and an exit code of 0: so any remark about the file means no.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from hadeploy.daemons.artifact import Artifact, HostCheck

CHECK = None

FOLDER = "/etc/systemd/system"
VENDOR = "/usr/lib/systemd/system"
_VERIFY = ("systemd-analyze", "verify", "--man=no")
_PROGRAM = re.compile(r"^Exec\w+=[-@:+!|]*(/\S+)", re.MULTILINE)


def unit_check(artifact: Artifact) -> HostCheck | None:
    """How systemd judges this file; None where it is no unit file."""
    path = PurePosixPath(artifact.path)
    programs = tuple(dict.fromkeys(_PROGRAM.findall(artifact.content)))
    remark = rf"{re.escape(artifact.path)}:\d+: "
    if str(path.parent) == FOLDER:
        return HostCheck((*_VERIFY, "{staged}"), reject_output=(remark,), needs=programs)
    if str(path.parent.parent) == FOLDER and path.suffix == ".conf":
        unit = path.parent.name.removesuffix(".d")
        argv = ("env", f"SYSTEMD_UNIT_PATH={{stage}}{FOLDER}:", *_VERIFY, unit)
        return HostCheck(argv, reject_output=(remark,), needs=(*programs, f"{VENDOR}/{unit}"))
    return None
