"""corosync's own parser.

``-c`` names the file: COROSYNC_MAIN_CONFIG_FILE is ignored by corosync 3, which then approves the file in /etc. The
host must be one of the nodelist, and the key must be readable, so the staged key stands in the staged file. It does not
notice unknown keys, two_node with three members, or a bogus provider: the typed model makes those impossible.
"""

from __future__ import annotations

from hadeploy.daemons.artifact import HostCheck

CHECK = HostCheck(argv=("corosync", "-t", "-c", "{staged}"))
