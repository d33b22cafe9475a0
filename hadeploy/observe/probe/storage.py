"""What volumes need of a host: the kernel's module, and the disks."""

from __future__ import annotations

import os
import stat

from hadeploy.observe.probe.asked import output, text


def _module(name: str) -> str:
    """Its version: of the loaded one, else of the one that would be loaded; ``?`` where nobody says, empty for none."""
    loaded = text(f"/sys/module/{name}/version").strip()
    version = loaded or output(["modinfo", "--field", "version", name]).strip()
    if version or os.path.isdir(f"/sys/module/{name}"):
        return version or "?"
    # A minimal host has no modinfo (package kmod) before the first apply.
    folder = f"/lib/modules/{os.uname().release}"
    known = text(f"{folder}/modules.dep") + text(f"{folder}/modules.builtin")
    return "?" if f"/{name}.ko" in known else ""


def _disk(path: str) -> dict[str, object]:
    try:
        seen = os.stat(path)
    except OSError as error:
        return {"path": path, "error": os.strerror(error.errno or 0)}
    if not stat.S_ISBLK(seen.st_mode):
        return {"path": path, "error": "no block device"}
    number = f"/sys/dev/block/{os.major(seen.st_rdev)}:{os.minor(seen.st_rdev)}"
    sectors = text(f"{number}/size").strip()
    return {
        "path": path,
        "size": int(sectors) * 512 if sectors.isdigit() else 0,
        "read_only": text(f"{number}/ro").strip() == "1",
    }


def report(modules: list[str], disks: list[str]) -> dict[str, object]:
    """Versions of modules and what disks are."""
    return {"modules": {name: _module(name) for name in modules}, "disks": [_disk(path) for path in disks]}
