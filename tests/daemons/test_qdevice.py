from __future__ import annotations

from dataclasses import replace

from hadeploy.daemons.qdevice import share as qdevice
from hadeploy.design.secrets import Secret


def with_certificates(design):
    membership = design.cluster.membership
    device = replace(
        membership.quorum.device,
        authority=Secret("qnetd-authority", "env", "QNETD_CA"),
        certificate=Secret("qdevice-certificate", "vault", "qdevice_p12"),
    )
    quorum = replace(membership.quorum, device=device)
    return replace(design, cluster=replace(design.cluster, membership=replace(membership, quorum=quorum)))


def test_the_arbiters_client_makes_its_database_from_the_certificates(arbitrated, find):
    design = with_certificates(arbitrated)
    share = qdevice.share(design, design.members[0])
    certificate = find(share, "/etc/corosync/qdevice/net/hadeploy-certificate.p12")
    assert (certificate.mode, certificate.encoding, certificate.on_change) == ("0400", "base64", "restart")
    assert certificate.content == certificate.secrets[0].placeholder
    drop_in = find(share, "/etc/systemd/system/corosync-qdevice.service.d/hadeploy.conf")
    folder = "/etc/corosync/qdevice/net"
    tool = "/usr/sbin/corosync-qdevice-net-certutil"
    assert [line for line in drop_in.content.splitlines() if not line.startswith("#")] == [
        "[Service]",
        f"ExecStartPre=/usr/bin/rm -rf {folder}/nssdb",
        f"ExecStartPre={tool} -i -c {folder}/hadeploy-authority.crt",
        f"ExecStartPre={tool} -m -c {folder}/hadeploy-certificate.p12",
    ]
    assert {artifact.unit for artifact in (certificate, drop_in)} == {"corosync-qdevice.service"}


def test_without_certificates_the_database_is_left_alone(arbitrated, find):
    share = qdevice.share(arbitrated, arbitrated.members[0])
    assert (
        "ExecStartPre"
        not in find(share, "/etc/systemd/system/corosync-qdevice.service.d/hadeploy.conf").content
    )
    assert "hadeploy-certificate" not in " ".join(artifact.path for artifact in share.artifacts)


def test_the_arbiters_client_is_restarted_when_its_settings_change(arbitrated, find):
    """It reads corosync.conf only when it starts, and nobody else would tell it."""
    path = "/etc/systemd/system/corosync-qdevice.service.d/hadeploy.conf"
    membership = arbitrated.cluster.membership
    texts = set()
    for changes in (
        {},
        {"address": "203.0.113.10"},
        {"port": 5404},
        {"tls": "on"},
        {"sync_timeout_ms": 20_000},
    ):
        device = replace(membership.quorum.device, **changes)
        quorum = replace(membership.quorum, device=device)
        cluster = replace(arbitrated.cluster, membership=replace(membership, quorum=quorum))
        design = replace(arbitrated, cluster=cluster)
        drop_in = find(qdevice.share(design, design.members[0]), path)
        assert drop_in.on_change == "restart"
        texts.add(drop_in.content)
    assert len(texts) == 5
