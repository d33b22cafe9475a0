"""What the lab needs of the machine, each with the package that brings it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from hadeploy.lab.errors import LabError

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "apt-ftparchive": "apt-utils",
    "nsenter": "util-linux",
    "ip": "iproute2",
    "nft": "nftables",
    "ssh": "openssh-client",
    "socat": "socat",
}
"""What every lab needs; a backend adds its own."""


def check_programs(programs: Mapping[str, str]) -> None:
    """Refuse a machine that cannot hold a lab.

    Args:
        programs: of a backend, each with its Debian package.

    Raises:
        LabError: names what is missing, and its mend.
    """
    if os.geteuid() != 0:
        raise LabError("LAB003", "a lab needs root: it makes namespaces, bridges and nodes", "use sudo")
    missing = sorted(
        {package for program, package in {**PROGRAMS, **programs}.items() if shutil.which(program) is None}
    )
    if missing:
        raise LabError(
            "LAB004", f"missing on this machine: {', '.join(missing)}", f"apt-get install {' '.join(missing)}"
        )
    if not any(
        "cgroup2" in line for line in Path("/proc/filesystems").read_text(encoding="ascii").splitlines()
    ):
        raise LabError(
            "LAB005", "this kernel has no cgroup v2", "boot a kernel with CONFIG_CGROUPS, 4.15 or newer"
        )
