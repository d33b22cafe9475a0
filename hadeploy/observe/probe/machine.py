"""The host itself: its name, its system, its clock, its room on disk, its interfaces. Cheap: asked on every reading."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

from hadeploy.observe.probe.asked import records, text

PLACES = ("/", "/etc", "/usr", "/var", "/var/lib", "/var/log", "/tmp")  # noqa: S108 (asked about, never written)


class _Timex(ctypes.Structure):
    """The first fields of ``struct timex`` (adjtimex(2)), and room for the rest of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


STA_UNSYNC = 0x40


def synchronized() -> bool | None:
    """Whether the kernel calls its clock synchronized, as timedatectl(1) tells it; None where it does not say."""
    if os.path.exists("/run/systemd/container"):
        return None
    try:
        timex = _Timex()
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else not timex.status & STA_UNSYNC


def _space(path: str) -> dict[str, object]:
    try:
        seen = os.statvfs(path)
    except OSError as error:
        return {"path": path, "error": error.strerror}
    return {
        "path": path,
        "free": seen.f_bavail * seen.f_frsize,
        "size": seen.f_blocks * seen.f_frsize,
        "inodes": seen.f_favail if seen.f_files else None,
        "read_only": bool(seen.f_flag & os.ST_RDONLY),
    }


def report() -> dict[str, object]:
    """All of it."""
    system = os.uname()
    return {
        "host_name": system.nodename,
        "machine": system.machine,
        "kernel": system.release,
        "python": list(sys.version_info[:3]),
        "implementation": platform.python_implementation(),
        "os_release": text("/etc/os-release") or text("/usr/lib/os-release"),
        "synchronized": synchronized(),
        "space": [_space(path) for path in PLACES],
        "links": records(["ip", "-json", "address", "show"]),
        "root": os.geteuid() == 0,
        "deployment": text("/var/lib/hadeploy/deployment.json"),
    }
