"""One change to an example with data, one finding, at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hadeploy.app.removed import objects_of, removed_objects
from hadeploy.project.build import build
from hadeploy.run.vault import ensure_generated, read_vault

LOGICAL = "      n1: /dev/disk/by-id/virtio-data\n"
CASES = [
    ("active-passive-drbd", "    kind: drbd", "    kind: drbd\n    was: data", "SPEC110", "data\n    size"),
    (
        "postgresql-streaming",
        "    kind: postgresql",
        "    kind: postgresql\n    was: orders",
        "SPEC110",
        "orders\n    rep",
    ),
    ("active-passive-drbd", "    kind: drbd", "    kind: drbd\n    was: 7", "SPEC016", "7\n    size"),
    (
        "active-passive-drbd",
        "    kind: drbd",
        "    kind: drbd\n    was: orders",
        "",
        "",
    ),
]


@pytest.mark.parametrize(
    ("pattern", "old", "new", "code", "at"), CASES, ids=[f"{c[3]}-{i}" for i, c in enumerate(CASES)]
)
def test_one_mistake(mistaken, findings, pattern, old, new, code, at):
    if not code:
        broken, _, _ = mistaken(pattern, old, new, "orders")
        assert findings(broken) == []
        return
    broken, line, column = mistaken(pattern, old, new, at)
    assert (code, line, column) in findings(broken)
    assert {found[0] for found in findings(broken)} == {code}


def test_a_logical_volume_keeps_its_name(mistaken, findings):
    broken, line, column = mistaken(
        "active-passive-drbd",
        "      n1: /dev/disk/by-id/virtio-data\n      n2: /dev/disk/by-id/virtio-data\n",
        "      n1: {volume_group: vg}\n      n2: {volume_group: vg, logical_volume: orders}\n    was: orders\n",
        "{volume_group: vg}",
    )
    assert findings(broken) == [("SPEC112", line, column)]


def test_one_name_is_taken_over_once(mistaken, findings):
    """Whose data was meant is not guessed."""
    text, *_ = mistaken(
        "postgresql-streaming", "    kind: postgresql", "    kind: postgresql\n    was: old", "old"
    )
    database = "  shop: {kind: postgresql, port: 5433, was: old}\n\n"
    address = "virtual_addresses:\n  shop: {address: 10.86.1.101/24, network: lan}\n"
    service = "services:\n  shop: {databases: [shop], addresses: [shop]}\n"
    text = text.replace("\nvirtual_addresses:\n", database + address, 1).replace("services:\n", service, 1)
    assert {found[0] for found in findings(text)} == {"SPEC111"}


def test_what_leaves_is_named_with_the_place_of_its_data(streaming_of, tmp_path: Path):
    build(streaming_of(), tmp_path / "build")
    former = objects_of(tmp_path / "build")
    assert removed_objects(former, streaming_of()) == ()
    other = streaming_of(
        ("  orders:\n    kind", "  shop:\n    kind"), ("databases: [orders]", "databases: [shop]")
    )
    assert removed_objects(former, other) == (
        "database orders is taken out of service; its data stays in /var/lib/postgresql/15/orders on n1, n2",
    )
    renamed = streaming_of(
        ("  orders:\n    kind: postgresql", "  shop:\n    kind: postgresql\n    was: orders"),
        ("databases: [orders]", "databases: [shop]"),
    )
    assert removed_objects(former, renamed) == ("database orders becomes shop, with its data",)


@pytest.mark.parametrize(
    "text", ["", "[]", "hadeploy_objects: 3", "hadeploy_objects: [{kind: volume}]", "a: ["]
)
def test_a_build_of_an_older_version_names_nothing(tmp_path: Path, text: str):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(text)
    assert objects_of(tmp_path) == []
    assert objects_of(tmp_path / "nowhere") == []


def test_a_renamed_objects_secret_stays_the_same(tmp_path: Path):
    vault = tmp_path / "vault.yml"
    ensure_generated(vault, ["hadeploy_postgresql_orders"], b"x")
    before = read_vault(vault, b"x")["hadeploy_postgresql_orders"]
    former = {"hadeploy_postgresql_shop": "hadeploy_postgresql_orders", "hadeploy_drbd_x": "hadeploy_drbd_y"}
    ensure_generated(vault, ["hadeploy_postgresql_shop", "hadeploy_drbd_x"], b"x", former)
    found = read_vault(vault, b"x")
    assert found["hadeploy_postgresql_shop"] == before
    assert found["hadeploy_drbd_x"] not in ("", before)


def test_a_secret_that_a_refused_apply_made_gives_way_once(tmp_path: Path):
    """Without `was` an apply is refused by the hosts; by then it has made a secret for the new name, which nobody knows."""
    vault = tmp_path / "vault.yml"
    ensure_generated(vault, ["hadeploy_postgresql_orders"], b"x")
    ensure_generated(vault, ["hadeploy_postgresql_shop"], b"x")
    known = read_vault(vault, b"x")["hadeploy_postgresql_orders"]
    former = {"hadeploy_postgresql_shop": "hadeploy_postgresql_orders"}
    assert ensure_generated(vault, list(former), b"x", former)
    assert read_vault(vault, b"x")["hadeploy_postgresql_shop"] == known
    assert not ensure_generated(vault, list(former), b"x", former)
    ensure_generated(vault, ["hadeploy_postgresql_orders"], b"x")
    assert read_vault(vault, b"x")["hadeploy_postgresql_orders"] == known, (
        "a rename that is given up costs nothing"
    )
