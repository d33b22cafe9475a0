from __future__ import annotations

import base64
from pathlib import Path
from types import SimpleNamespace

import pytest

PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
OURS = PEM.format(base64.b64encode(b"ours").decode())
THEIRS = PEM.format(base64.b64encode(b"theirs").decode())

GOOD = {"database": True, "authority": OURS, "subject": "demo", "key": True, "valid": True, "open": False}

KEYS = """certutil: Checking token "NSS Certificate DB" in slot "NSS User Private Key and Certificate Services"
< 0> rsa      fd05db79aff3832fb036f51059c06300d651bc6b   NSS Certificate DB:{}
"""


def test_a_good_certificate_is_left_alone(certificate):
    assert certificate.lacking(GOOD, OURS, "demo") == ""
    assert certificate.lacking(GOOD, "words before it\n" + OURS.replace("\n", "\r\n"), "demo") == ""


@pytest.mark.parametrize(
    ("difference", "authority"),
    [
        ({"database": False}, OURS),
        ({}, THEIRS),
        ({}, ""),
        ({"authority": ""}, OURS),
        ({"subject": "other"}, OURS),
        ({"key": False}, OURS),
        ({"valid": False}, OURS),
        ({"open": True}, OURS),
    ],
)
def test_anything_less_is_made_anew(certificate, difference, authority):
    assert certificate.lacking({**GOOD, **difference}, authority, "demo") != ""


def test_subject_is_the_common_name(certificate):
    text = '        Issuer: "CN=QNet CA"\n        Subject: "CN=quorum-device"\n        Subject Public Key Info:\n'
    assert certificate.subject_of(text) == "quorum-device"
    assert certificate.subject_of("") == ""


def test_the_key_belongs_to_the_certificate(certificate):
    assert certificate.has_key(KEYS.format("Cluster Cert"))
    assert not certificate.has_key(KEYS.format("(orphan)"))
    assert not certificate.has_key("certutil: no keys found\n")


QUORUMTOOL = """Nodes:            2
Quorate:          Yes

Flags:            Quorate Qdevice

Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    {} n1 (local)
         2          1    A,V,NMW n2
         0          1            Qdevice
"""


@pytest.mark.parametrize(
    ("row", "whole"), [("A,V,NMW", True), ("A,V,MW", True), ("A,NV,NMW", False), ("NR", False)]
)
def test_every_member_must_have_the_devices_vote(cluster, row, whole):
    said = cluster.lacking_in_device(QUORUMTOOL.format(row), ["n1", "n2"])
    assert (said == "") is whole, said
    assert whole or "n1" in said


def test_without_a_device_nobody_votes(cluster):
    text = QUORUMTOOL.replace("    A,V,NMW n2", " n2").format("") + ""
    assert "does not vote" in cluster.lacking_in_device(text, ["n1", "n2"])


def test_a_database_that_will_not_do_is_kept_before_it_is_made_anew(
    certificate, memories: Path, tmp_path: Path, monkeypatch
):
    """Its keys exist nowhere else, and it may be of another quorum device."""
    database = tmp_path / "nssdb"
    database.mkdir(mode=0o750)
    (database / "key4.db").write_text("theirs")
    monkeypatch.setattr(certificate, "MEMBER_DATABASE", str(database))
    monkeypatch.setattr(certificate, "member_facts", lambda _: {**GOOD, "authority": THEIRS})
    monkeypatch.setattr(certificate, "tool", lambda *_: "")
    monkeypatch.setattr(certificate, "remember_restart", lambda _: None)
    monkeypatch.setattr(certificate, "read_and_remove", lambda *_: b"request")
    module = SimpleNamespace(params={"authority": OURS, "cluster": "demo"}, check_mode=False)
    result = certificate.make_request(module)
    (copy,) = memories.glob(f"kept/*{database}")
    assert (copy / "key4.db").read_text() == "theirs"
    assert str(copy) in result["notes"][0]
    assert not database.exists()
