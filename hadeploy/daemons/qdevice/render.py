"""What corosync-qdevice needs beside corosync.conf: its unit's state, and where others made them, the certificates of TLS.

From given certificates the database (NSS) is made anew each time the client starts: there is nothing to compare and
nothing to go stale. The drop-in repeats the device's settings, because the client reads corosync.conf only when it
starts: where they change, so does the drop-in, and the client is restarted.
"""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.daemons.artifact import Artifact, Unit
from hadeploy.daemons.qdevice.check import CHECK
from hadeploy.daemons.qdevice.config import QdeviceConfig
from hadeploy.daemons.templates import print_view
from hadeploy.design.secrets import Secret

UNIT = "corosync-qdevice.service"
PHASE = 15
"""After corosync (10), whose configuration it reads, before Pacemaker (20), which wants quorum."""

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


def render_units() -> tuple[Unit, ...]:
    """Starts at boot, runs always."""
    return (Unit(UNIT, enabled=True, running=True, phase=PHASE),)


def render_qdevice(config: QdeviceConfig, host: str) -> tuple[Artifact, ...]:
    """The same on every member."""
    view = DropIn(
        notice=config.notice,
        settings=config.settings,
        database=DATABASE if config.certificate is not None else "",
        authority=AUTHORITY_PATH,
        certificate=CERTIFICATE_PATH,
    )
    files = ((AUTHORITY_PATH, "0644", config.authority), (CERTIFICATE_PATH, "0400", config.certificate))
    return (
        *(_certificate(host, path, mode, secret) for path, mode, secret in files if secret is not None),
        Artifact(
            host=host,
            path=DROP_IN,
            content=print_view("qdevice/service.conf.j2", view),
            unit=UNIT,
            on_change="restart",
            check=CHECK,
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
