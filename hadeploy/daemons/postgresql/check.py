"""The server's own reader of postgresql.conf: it prints one setting and ends, before it looks at any data.

pg_hba.conf has no reader but a running server (pg_hba_file_rules), so nothing is written into it that is not typed.
"""

from __future__ import annotations

from hadeploy.daemons.artifact import HostCheck


def settings_check(programs: str) -> HostCheck:
    """The server refuses to be root even for this."""
    return HostCheck(
        argv=(f"{programs}/postgres", "-C", "port", "-c", "config_file={staged}"),
        user="postgres",
    )
