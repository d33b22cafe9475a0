# SPDX-License-Identifier: Apache-2.0
"""Whether a file is as a Debian package brought it: nobody's own, so nobody is asked before it is replaced.

dpkg knows its configuration files by their md5 (deb-conffiles(5)), also those of a removed package and those that a newer
version no longer has; ucf has its own register (ucf(1)); other files are in the lists of their package (deb-md5sums(5)).
"""

from __future__ import annotations

import hashlib

UCF = "/var/lib/ucf/hashfile"


def as_packaged(module, paths: list[str]) -> set[str]:
    """Those of the paths whose content is the one that a package brought."""
    if not paths:
        return set()
    known = _conffiles(module)
    for path, sums in _ucf().items():
        known.setdefault(path, set()).update(sums)
    found = set()
    for path in paths:
        found_sum = _md5(path)
        if found_sum in known.get(path, ()) or (path not in known and found_sum in _listed(module, path)):
            found.add(path)
    return found


def _conffiles(module) -> dict[str, set[str]]:
    program = module.get_bin_path("dpkg-query")
    if program is None:
        return {}
    _, out, _ = module.run_command(
        [program, "--show", "--showformat=${Conffiles}\n"], environ_update={"LC_ALL": "C"}
    )
    found: dict[str, set[str]] = {}
    for line in out.splitlines():
        # A path may have blanks; after its sum may stand "obsolete" or "remove-on-upgrade".
        parts = line.strip().rsplit(" ", 1)
        while len(parts) == 2 and parts[1] in ("obsolete", "remove-on-upgrade"):
            parts = parts[0].rsplit(" ", 1)
        if len(parts) == 2:
            found.setdefault(parts[0], set()).add(parts[1])
    return found


def _ucf(register: str = "") -> dict[str, set[str]]:
    try:
        with open(register or UCF, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
    except OSError:
        return {}
    found: dict[str, set[str]] = {}
    for line in lines:
        found_sum, _, path = line.strip().partition(" ")
        found.setdefault(path.strip(), set()).add(found_sum)
    return found


def _listed(module, path: str) -> set[str]:
    """Sums of a file that is no configuration file, in the lists of the packages that brought it."""
    program = module.get_bin_path("dpkg-query")
    if program is None:
        return set()
    code, out, _ = module.run_command([program, "--search", path], environ_update={"LC_ALL": "C"})
    packages = [line.rpartition(": ")[0] for line in out.splitlines() if line.endswith(f": {path}")]
    if code != 0 or not packages or packages[0].startswith("diversion"):
        return set()
    sums = set()
    for package in packages[0].split(", "):
        _, text, _ = module.run_command([program, "--control-show", package, "md5sums"])
        sums |= {
            line.split("  ", 1)[0]
            for line in text.splitlines()
            if line.split("  ", 1)[-1] == path.lstrip("/")
        }
    return sums


def _md5(path: str) -> str:
    found = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            found.update(block)
    return found.hexdigest()
