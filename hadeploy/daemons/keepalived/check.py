"""keepalived's own parser.

As root, 2.2.7 kills itself when a vrrp_script is tested (143; fixed in 2.2.8), so it runs as nobody, with nobody's own
group: with root's it calls every script insecure. A missing file gives 0, hence the word. The interface must exist on
the host, and so must the scripts' users and programs.
"""

from __future__ import annotations

from hadeploy.daemons.artifact import HostCheck

CHECK = HostCheck(
    argv=("keepalived", "-t", "-f", "{staged}"),
    user="nobody",
    reject_output=(
        r"(?i)config(uration)? files? missing",
        r"(?i)unable to (open|find)",
        r"Permission denied",
    ),
)
