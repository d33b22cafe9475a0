"""haproxy.cfg's model to text.

What is retried, and why: ``conn-failure`` is safe for every request, because nothing was sent. ``empty-response`` (the
server died with the request in hand) may have done the work already, so it is retried for GET, HEAD and OPTIONS alone,
which RFC 9110 lets a client repeat; ``disable-l7-retry`` keeps all other methods from it. ``response-timeout`` is left
out: it would send a slow server's load to its neighbours.
"""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact
from hadeploy.daemons.haproxy.check import CHECK
from hadeploy.daemons.haproxy.config import HaproxyConfig
from hadeploy.daemons.templates import print_view

PATH = "/etc/haproxy/haproxy.cfg"


def render_haproxy(config: HaproxyConfig, host: str) -> tuple[Artifact, ...]:
    """A reload keeps the sockets: the unit runs master-worker (-Ws), and clients notice nothing."""
    return (
        Artifact(
            host=host,
            path=PATH,
            content=print_view("haproxy/haproxy.cfg.j2", config),
            unit="haproxy.service",
            on_change="reload",
            check=CHECK,
        ),
    )
