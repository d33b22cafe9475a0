"""keepalived's own parser.

As root, 2.2.7 kills itself when a vrrp_script is tested (143; fixed in 2.2.8), so it runs as nobody, with nobody's own
group: with root's it calls every script insecure. A missing file gives 0, hence the word. The interface must exist on
the host, and so must the scripts' users and programs.
"""

from __future__ import annotations

import re

from hadeploy.daemons.artifact import HostCheck

_BLOCK = re.compile(r"^(\w+)[^\n{]*\{\n.*?^\}\n", re.DOTALL | re.MULTILINE)
_TRACK = re.compile(r"^( +)track_script \{\n.*?^\1\}\n", re.DOTALL | re.MULTILINE)


def scripts_apart(text: str) -> tuple[str, str]:
    """All but the scripts, and the scripts alone; lines keep their numbers.

    In a user namespace of one user every program seems to belong to nobody, and keepalived calls every script insecure.
    Outside of it an ordinary user cannot make the member's interfaces, which only the instances need.
    """

    def blank(match: re.Match[str]) -> str:
        return "\n" * match[0].count("\n")

    without = _BLOCK.sub(lambda match: blank(match) if match[1] == "vrrp_script" else match[0], text)
    if without == text:
        return text, ""
    only = _BLOCK.sub(lambda m: m[0] if m[1] in ("vrrp_script", "global_defs") else blank(m), text)
    return _TRACK.sub(blank, without), only


CHECK = HostCheck(
    argv=("keepalived", "-t", "-f", "{staged}"),
    user="nobody",
    reject_output=(
        r"(?i)config(uration)? files? missing",
        r"(?i)unable to (open|find)",
        r"Permission denied",
    ),
    apart=scripts_apart,
)
