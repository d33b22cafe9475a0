"""The configuration of unattended-upgrades (``apt-config dump``) and needrestart (Perl) to what they would do."""

from __future__ import annotations

import re

_SETTING = re.compile(r'^(?P<key>[A-Za-z0-9:_-]+?)(?P<item>::)? "(?P<value>.*)";$', re.MULTILINE)
_OFF = ("", "0", "false", "no", "off")

_MODE = re.compile(r"""^\s*\$nrconf\{['"]?restart['"]?\}\s*=\s*['"](.)""", re.MULTILINE)
_OVERRIDE = re.compile(
    r"^(?!\s*#).*?qr\s*(?:\((?P<a>.+?)\)|\{(?P<b>.+?)\}|/(?P<c>.+?)/)i?\s*(?:=>|\}\s*=)\s*0", re.MULTILINE
)


def parse_apt_config(text: str) -> tuple[bool, bool, tuple[str, ...]]:
    """Whether upgrades are installed unattended, whether the host reboots after them, and which packages are left alone."""
    values: dict[str, str] = {}
    kept_back = []
    for found in _SETTING.finditer(text):
        if found["key"] == "Unattended-Upgrade::Package-Blacklist" and found["item"]:
            kept_back.append(found["value"])
        elif not found["item"]:
            values[found["key"]] = found["value"]
    upgrades = (
        values.get("APT::Periodic::Unattended-Upgrade", "0") not in _OFF
        and values.get("APT::Periodic::Enable", "1") not in _OFF
    )
    reboots = values.get("Unattended-Upgrade::Automatic-Reboot", "false").lower() not in _OFF
    return upgrades, upgrades and reboots, tuple(kept_back)


def parse_needrestart(text: str) -> tuple[bool, tuple[str, ...]]:
    """Whether it restarts services without asking (the last ``restart`` is ``a``), and which it never restarts.

    In its other modes it only lists, when nobody is there to be asked.
    """
    modes = _MODE.findall(text)
    left_alone = tuple(next(filter(None, found.groups())) for found in _OVERRIDE.finditer(text))
    return bool(modes) and modes[-1] == "a", left_alone
