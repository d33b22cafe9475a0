"""drbdadm's own parser, once for each generation.

It wants the host among the ``on`` sections and one of the addresses on it. It takes al-extents beyond any limit,
protocol A with two primaries, fencing without handlers, more than two hosts without connections, quorum with two nodes:
the rules stand there (HA047 to HA060).
"""

from __future__ import annotations

from hadeploy.daemons.artifact import HostCheck
from hadeploy.daemons.drbd.generation import GENERATIONS


def resource_check(generation: str) -> HostCheck:
    """The parser that belongs to a generation; hosts without connections are to it a remark, and exit code 0."""
    return HostCheck(
        argv=(GENERATIONS[generation].parser, "--config-file={staged}", "dump", "all"),
        reject_output=(r"Use explicit 'connection'",),
    )
