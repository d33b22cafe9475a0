"""Design to the client."""

from __future__ import annotations

from hadeploy.daemons.notice import notice
from hadeploy.daemons.qdevice.config import QdeviceConfig
from hadeploy.design.design import Design


def compile_qdevice(design: Design) -> QdeviceConfig | None:
    """None where there is no arbiter."""
    device = design.arbiter
    if device is None:
        return None
    given = device.authority is not None and device.certificate is not None
    return QdeviceConfig(
        notice=notice(design),
        packages=design.release.packages_of("corosync-qdevice"),
        settings=(
            f"{device.address} port {device.port}, {device.algorithm}, TLS {device.tls}, votes {device.votes}, "
            f"tie_breaker {device.tie_breaker or None}, timeouts {device.timeout_ms} {device.sync_timeout_ms}"
        ),
        authority=device.authority if given else None,
        certificate=device.certificate if given else None,
    )
