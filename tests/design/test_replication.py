"""What is derived of volumes."""

from __future__ import annotations

import pytest

NAMES = ("volumes:\n  data:", "volumes: [data]")
SECOND = (
    "  log:\n    kind: drbd\n    size: 64MiB\n    network: repl\n    mount: /srv/log\n"
    "    disks: {n1: /dev/vdc, n2: {volume_group: vg0}}\n"
)
BOTH = (
    ("volumes: [data]", "volumes: [log, data]"),
    ("volumes:\n  data:", f"volumes:\n{SECOND}  data:"),
)


def volume(design, name="data"):
    return next(each for each in design.volumes if each.name == name)


def test_a_second_volume_renumbers_nothing(design_of):
    alone = volume(design_of("active-passive-drbd"))
    design = design_of("active-passive-drbd", *BOTH)
    assert (volume(design).minor, volume(design).port) == (alone.minor, alone.port)
    assert len({each.minor for each in design.volumes}) == 2
    assert len({each.port for each in design.volumes}) == 2
    assert alone.port == 7788 + alone.minor
    assert alone.device == f"/dev/drbd{alone.minor}"


def test_a_number_that_is_taken_is_counted_up_from(design_of):
    alone = volume(design_of("active-passive-drbd"))
    log = SECOND.replace("size: 64MiB", f"size: 64MiB\n    minor: {alone.minor}\n    port: {alone.port}")
    design = design_of("active-passive-drbd", BOTH[0], ("volumes:\n  data:", f"volumes:\n{log}  data:"))
    assert (volume(design, "log").minor, volume(design, "log").port) == (alone.minor, alone.port)
    assert (volume(design).minor, volume(design).port) == (alone.minor + 1, alone.port + 1)


def test_mounts_come_first_in_the_order_of_the_service(design_of):
    design = design_of("active-passive-drbd", *BOTH)
    names = [resource.name for resource in design.cluster.resources.groups[0].resources]
    assert names == ["log-filesystem", "data-filesystem", "web-server", "web-address"]
    mount = design.cluster.resources.groups[0].resources[1]
    assert dict(mount.parameters) == {
        "device": volume(design).device,
        "directory": "/srv/data",
        "fstype": "ext4",
        "options": "errors=remount-ro",
    }


def test_a_logical_volume_has_the_volumes_name(design_of):
    replica = volume(design_of("active-passive-drbd", *BOTH), "log").replica("n2")
    assert (replica.disk, replica.volume_group, replica.logical_volume) == ("/dev/vg0/log", "vg0", "log")


def test_ids_and_addresses(design_of):
    found = volume(design_of("active-passive-drbd"))
    assert [(r.member, r.node_id, r.address) for r in found.replicas] == [
        ("n1", 0, "10.81.3.11"),
        ("n2", 1, "10.81.3.12"),
    ]
    assert (found.secret.reference, found.secret.length) == ("hadeploy_drbd_data", 63)


def test_the_handler_waits_as_long_as_fencing_may_take(design_of):
    """token 1 s + consensus 1.2 s + the slowest device (60 s + 2 s delay) x 1.2."""
    design = design_of("active-passive-drbd")
    fencing = volume(design).fencing
    assert fencing.timeout_s == 77
    assert fencing.controller_timeout_s > fencing.timeout_s
    promote = next(each for each in volume(design).operations if each.name == "promote")
    assert promote.timeout_ms > fencing.controller_timeout_s * 1000
    quick = volume(design_of("active-passive-drbd", ("targets: [n1]", "timeout: 10s\n      targets: [n1]")))
    assert quick.fencing.timeout_s == 75


@pytest.mark.parametrize(("protocol", "lost"), [("A", 7000), ("B", 0), ("C", 0)])
def test_what_one_loss_takes_with_it(design_of, protocol, lost):
    """1 MiB of send buffer at 256 KiB/s takes 4 s; a dead link is noticed after 2 s and 1 s."""
    wishes = (
        ("protocol: C", f"protocol: {protocol}"),
        ("interface: repl0", "interface: repl0\n    bandwidth: 256KiB/s"),
    )
    design = design_of("active-passive-drbd", *wishes)
    assert (volume(design).crash_loss_ms, volume(design).loss_window_ms) == (lost, lost)


@pytest.mark.parametrize(
    ("protocol", "fencing", "dying", "lost"),
    [
        ("A", "resource-only", 7000, 81_000),
        ("C", "resource-only", 0, 77_000),
        ("A", "dont-care", 7000, None),
        ("C", "dont-care", 0, None),
    ],
)
def test_a_primary_that_is_cut_off_and_does_not_wait_loses_what_it_takes_until_it_is_shot(
    design_of, protocol, fencing, dying, lost
):
    """4 s of send buffer, and the 77 s of test_the_handler_waits_as_long_as_fencing_may_take."""
    wishes = (
        ("protocol: C", f"protocol: {protocol}\n    fencing: {fencing}"),
        ("interface: repl0", "interface: repl0\n    bandwidth: 256KiB/s"),
    )
    found = volume(design_of("active-passive-drbd", *wishes))
    assert (found.crash_loss_ms, found.loss_window_ms) == (dying, lost)


def test_a_link_of_unknown_bandwidth_bounds_nothing(design_of):
    design = design_of("active-passive-drbd", ("protocol: C", "protocol: A"))
    assert volume(design).send_buffer == 1024**2
    assert volume(design).loss_window_ms is None


def test_the_kernel_sizes_the_send_buffer_where_it_holds_nothing_that_is_acknowledged(design_of):
    assert volume(design_of("active-passive-drbd")).send_buffer == 0
    own = ("protocol: C", "protocol: C\n    send_buffer: 512KiB")
    assert volume(design_of("active-passive-drbd", own)).send_buffer == 512 * 1024


def test_a_full_resync_is_bound_by_the_rate(design_of):
    assert volume(design_of("active-passive-drbd")).full_resync_ms == 2_560
    fixed = ("protocol: C", "resync: {plan_ahead: 0s, fixed_rate: 1MiB/s}\n    protocol: C")
    assert volume(design_of("active-passive-drbd", fixed)).full_resync_ms == 256_000


def test_a_link_of_both_families_uses_ipv4(design_of):
    design = design_of(
        "active-passive-drbd",
        ("subnets: [10.81.3.0/24]", "subnets: [10.81.3.0/24, '2001:db8:3::/64']"),
        ("repl: 10.81.3.11", "repl: ['2001:db8:3::11', 10.81.3.11]"),
    )
    assert [replica.address for replica in volume(design).replicas] == ["10.81.3.11", "10.81.3.12"]


def test_the_first_node_with_the_disks_is_preferred(design_of):
    design = design_of(
        "active-passive-drbd",
        (
            "nodes:\n",
            "nodes:\n  n0:\n    addresses: {lan: 10.81.1.10, ring: 10.81.2.10, bmc: 10.81.9.10}\n",
        ),
        ("targets: [n2]", "targets: [n2, n0]"),
    )
    assert [location.member for location in design.cluster.resources.locations] == ["n1"]
