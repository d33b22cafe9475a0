"""One change to the example with a volume, one finding, at its place."""

from __future__ import annotations

import pytest

from hadeploy.spec.values import parse_rate, parse_size

N2 = "      n2: /dev/disk/by-id/virtio-data\n"
CASES = [
    # (what is written, what stands there instead, code, text whose place is expected)
    ("    network: repl\n    protocol", "    network: rep\n    protocol", "SPEC030", "rep\n"),
    (N2, N2.replace("n2", "n3"), "SPEC030", "n3: /dev"),
    ("volumes: [data]", "volumes: [dat]", "SPEC030", "dat]"),
    ("repl: 10.81.3.12, ", "", "SPEC033", "{lan: 10.81.1.12"),
    (N2, "", "SPEC081", "n1: /dev/disk"),
    ("    volumes: [data]\n", "", "SPEC083", "data:\n    kind"),
    ("mount: /srv/data", "mount: /var", "SPEC084", "/var"),
    ("filesystem: ext4", "filesystem: xfs", "SPEC085", "256MiB"),
    ("    protocol: C", "    quorum: majority\n    protocol: C", "SPEC087", "quorum"),
    ("    protocol: C", "    tls: true\n    protocol: C", "SPEC087", "tls"),
    ("size: 256MiB", "size: 256", "SPEC016", "256 "),
    ("/dev/disk/by-id/virtio-data\n      n2", "virtio-data\n      n2", "SPEC016", "virtio-data\n"),
    ("mount: /srv/data", "mount: /srv/data\n    protocal: C", "SPEC012", "protocal"),
    ("name: web-server", "name: data-filesystem", "SPEC043", "data-filesystem"),
]


@pytest.mark.parametrize(
    ("old", "new", "code", "at"), CASES, ids=[f"{c[2]}-{i}" for i, c in enumerate(CASES)]
)
def test_one_mistake(mistaken, findings, old, new, code, at):
    broken, line, column = mistaken("active-passive-drbd", old, new, at)
    assert (code, line, column) in findings(broken)
    assert {found[0] for found in findings(broken)} == {code}


THREE = [
    (
        "  n2:\n    addresses: {lan: 10.81.1.12",
        (
            "  n3:\n    addresses: {lan: 10.81.1.13, ring: 10.81.2.13, repl: 10.81.3.13, bmc: 10.81.9.13}\n"
            "  n2:\n    addresses: {lan: 10.81.1.12"
        ),
    ),
    ("targets: [n2]", "targets: [n2, n3]"),
]


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (("    protocol: C", "    tiebreaker: n3\n    protocol: C"), ["SPEC087"]),
        ((N2, N2 + N2.replace("n2", "n3")), ["SPEC087"]),
        (("    protocol: C", "    tiebreaker: n1\n    protocol: C"), ["SPEC080", "SPEC087"]),
    ],
)
def test_a_third_node_is_beyond_8_4(example, findings, change, codes):
    text = changed(example("active-passive-drbd"), *THREE, change)
    assert sorted(found[0] for found in findings(text)) == codes
    nine = changed(text, ("release: debian-12", 'release: debian-12\ndrbd_version: "9"'))
    assert sorted(found[0] for found in findings(nine)) == [code for code in codes if code != "SPEC087"]


def test_a_service_that_cannot_fail_over_is_refused(example, findings):
    log = (
        "  log:\n    kind: drbd\n    size: 64MiB\n    network: repl\n    mount: /srv/log\n"
        "    disks: {n2: /dev/vdb, n3: /dev/vdb}\n"
    )
    text = changed(
        example("active-passive-drbd"),
        *THREE,
        ("volumes: [data]", "volumes: [data, log]"),
        ("virtual_addresses:\n", f"{log}\nvirtual_addresses:\n"),
    )
    assert [found[0] for found in findings(text)] == ["SPEC086"]


def test_a_service_that_prefers_a_node_without_the_disk_is_refused(example, findings):
    text = changed(
        example("active-passive-drbd"), *THREE, ("volumes: [data]", "prefers: n3\n    volumes: [data]")
    )
    assert [found[0] for found in findings(text)] == ["SPEC086"]


def test_two_services_do_not_share_a_volume(example, findings):
    text = changed(
        example("active-passive-drbd"),
        (
            "services:\n",
            "services:\n  other:\n    volumes: [data]\n    members: [{kind: systemd, name: another, unit: other}]\n",
        ),
    )
    assert [found[0] for found in findings(text)] == ["SPEC082"]


def test_volumes_are_not_mounted_over_one_another(example, findings):
    log = (
        "  log:\n    kind: drbd\n    size: 64MiB\n    network: repl\n    mount: /srv/data/log\n"
        "    disks: {n1: /dev/vdc, n2: /dev/vdc}\n"
    )
    text = changed(
        example("active-passive-drbd"),
        ("volumes: [data]", "volumes: [data, log]"),
        ("virtual_addresses:\n", f"{log}\nvirtual_addresses:\n"),
    )
    assert [found[0] for found in findings(text)] == ["SPEC084"]


def test_sizes_and_rates():
    assert parse_size("256MiB") == 256 * 1024**2
    assert parse_size("1.5 TB") == 1_500_000_000_000
    assert parse_rate("100MiB/s") == 100 * 1024**2
    for wrong in (256, "256", "256M", "-1MiB", "MiB"):
        with pytest.raises(ValueError, match="unit"):
            parse_size(wrong)
    with pytest.raises(ValueError, match="a second"):
        parse_rate("100MiB")
