"""corosync's own parser.

``-c`` names the file: COROSYNC_MAIN_CONFIG_FILE is ignored by corosync 3, which then approves the file in /etc. The
host must be one of the nodelist, and the key must be readable, so the staged key stands in the staged file. It does not
notice unknown keys, two_node with three members, or a bogus provider: the typed model makes those impossible.
"""

from __future__ import annotations

from hadeploy.daemons.artifact import Fixed, HostCheck
from hadeploy.daemons.corosync.config import CorosyncConfig

CHECK = HostCheck(argv=("corosync", "-t", "-c", "{staged}"))


def fixed(config: CorosyncConfig, host: str) -> Fixed:
    """What a reload leaves as it is (corosync's main.c makes these keys read-only), with the host's own node id."""
    values = [("totem.cluster_name", config.cluster_name), ("totem.transport", config.transport)]
    own = next((node for node in config.nodes if node.name == host), None)
    if own is not None:
        values.append(("runtime.votequorum.this_node_id", str(own.node_id)))
    return Fixed(("corosync-cmapctl",), tuple(values))
