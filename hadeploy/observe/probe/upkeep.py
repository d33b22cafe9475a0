"""What on this host would act on the cluster's daemons unasked: upgrades, restarts after them, the power key."""

from __future__ import annotations

import json
import os
from glob import glob

from hadeploy.observe.probe.asked import output, text

OWNED = ("/var/lib/hadeploy/owned.json", "/var/lib/hadeploy/*/owned.json")


def _owned_units() -> list[str]:
    """Units that an earlier apply brought here."""
    units = set()
    for pattern in OWNED:
        for path in glob(pattern):
            try:
                found = json.loads(text(path) or "{}")
                units |= set(found.get("units", {}))
                units |= {entry.get("unit", "") for entry in found.get("files", {}).values()}
            except (ValueError, AttributeError):
                continue
    return sorted(units - {""})


def _power_key() -> str:
    """What systemd-logind does with the power key, as it runs now; empty where it does not run."""
    words = output(
        [
            "busctl",
            "get-property",
            "org.freedesktop.login1",
            "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager",
            "HandlePowerKey",
        ]
    ).split()
    return words[1].strip('"') if len(words) == 2 else ""


def report(*, power_key: bool) -> dict[str, object]:
    """``power_key``: whether it matters what that does."""
    upgrades = os.access("/usr/bin/unattended-upgrade", os.X_OK)
    files = ["/etc/needrestart/needrestart.conf", *sorted(glob("/etc/needrestart/conf.d/*.conf"))]
    return {
        "owned_units": _owned_units(),
        "apt": output(["apt-config", "dump"]) if upgrades else "",
        "needrestart": "\n".join(map(text, files)) if os.access("/usr/sbin/needrestart", os.X_OK) else "",
        "power_key": _power_key() if power_key and not os.path.exists("/run/systemd/container") else "",
        "acpid": os.path.exists("/run/acpid.socket"),
    }
