"""Design to the arbiter's options."""

from __future__ import annotations

from hadeploy.daemons.qnetd.config import QnetdConfig
from hadeploy.design.design import Design

NOTICE = "Written by hadeploy; edit the topologies of the clusters that this host arbitrates, not this file."
DEFAULT_PORT = 5403


def compile_qnetd(design: Design) -> QnetdConfig | None:
    """None where there is no arbiter, or others set it up.

    With ``-s req`` a client must start TLS; that it shows a certificate of its cluster is the default (``-c on``). With
    ``on``, the default, anyone could take part in clear under a cluster's name. The manual calls it ``required``, which
    the program refuses (seen with 3.0.3).
    """
    device = design.arbiter
    if device is None or not device.managed:
        return None
    tls = ("-s", "req") if device.tls == "required" else ()
    port = ("-p", str(device.port)) if device.port != DEFAULT_PORT else ()
    return QnetdConfig(NOTICE, device.host, (*tls, *port))
