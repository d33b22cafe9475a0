"""What corosync-qdevice needs beside corosync.conf: the certificates of TLS, in a database of its own.

The database (NSS) is made anew from the two files each time the client starts: there is nothing to compare and nothing
to go stale. The drop-in repeats the device's settings, because the client reads corosync.conf only when it starts: where
they change, so does the drop-in, and the client is restarted.
"""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.daemons.artifact import Artifact
from hadeploy.daemons.corosync.config import QuorumDeviceConfig
from hadeploy.daemons.templates import print_view
from hadeploy.design.secrets import Secret

UNIT = "corosync-qdevice.service"
FOLDER = "/etc/corosync/qdevice/net"
DATABASE = f"{FOLDER}/nssdb"
AUTHORITY_PATH = f"{FOLDER}/hadeploy-authority.crt"
CERTIFICATE_PATH = f"{FOLDER}/hadeploy-certificate.p12"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/hadeploy.conf"


@dataclass(frozen=True, slots=True)
class DropIn:
    """The template's view; ``database`` is empty where no certificates are given."""

    notice: str
    settings: str
    database: str
    authority: str
    certificate: str


def render_device(notice: str, device: QuorumDeviceConfig, host: str) -> tuple[Artifact, ...]:
    """The same on every member."""
    given = device.authority is not None and device.certificate is not None
    settings = (
        f"{device.host} port {device.port}, {device.algorithm}, TLS {device.tls}, votes {device.votes}, "
        f"tie_breaker {device.tie_breaker or None}, timeouts {device.timeout_ms} {device.sync_timeout_ms}"
    )
    view = DropIn(
        notice=notice,
        settings=settings,
        database=DATABASE if given else "",
        authority=AUTHORITY_PATH,
        certificate=CERTIFICATE_PATH,
    )
    files = ((AUTHORITY_PATH, "0644", device.authority), (CERTIFICATE_PATH, "0400", device.certificate))
    return (
        *(
            _certificate(host, path, mode, secret)
            for path, mode, secret in files
            if given and secret is not None
        ),
        Artifact(
            host=host,
            path=DROP_IN,
            content=print_view("corosync/qdevice.conf.j2", view),
            unit=UNIT,
            on_change="restart",
        ),
    )


def _certificate(host: str, path: str, mode: str, secret: Secret) -> Artifact:
    return Artifact(
        host=host,
        path=path,
        content=secret.placeholder,
        mode=mode,
        unit=UNIT,
        on_change="restart",
        secrets=(secret,),
        encoding="base64",
    )
