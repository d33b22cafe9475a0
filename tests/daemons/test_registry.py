from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import hadeploy.daemons
from hadeploy.daemons.registry import DAEMONS, shares
from hadeploy.daemons.templates import templates_directory

ALL = ("two_nodes", "three_nodes", "arbitrated", "active_active", "replicated", "tied")
BINARY = {"/etc/corosync/authkey"}


@pytest.fixture(params=ALL)
def design(request):
    return request.getfixturevalue(request.param)


def test_the_arbiter_is_no_member(arbitrated):
    assert {share.host for share in shares(arbitrated)} == {member.name for member in arbitrated.members}


def test_members_then_daemons(active_active):
    order = [(share.host, share.daemon) for share in shares(active_active)]
    daemons = ["sysctl", "firewall", "nginx", "units", "haproxy", "keepalived"]
    assert order == [(host, daemon) for host in ("n1", "n2") for daemon in daemons]


def test_same_input_same_bytes(design):
    assert shares(design) == shares(replace(design))


def test_every_file_says_who_wrote_it(design):
    for share in shares(design):
        for artifact in share.artifacts:
            if artifact.path not in BINARY and artifact.encoding == "text":
                first = artifact.content.splitlines()[0]
                assert first == "# Written by hadeploy from topology demo; edit the topology, not this file."
                assert artifact.content.endswith("\n")


def test_each_path_has_one_writer(design):
    paths = [(artifact.host, artifact.path) for share in shares(design) for artifact in share.artifacts]
    assert len(paths) == len(set(paths))


def test_each_unit_has_one_owner(design):
    units = [(share.host, unit.name) for share in shares(design) for unit in share.units]
    assert len(units) == len(set(units))


def test_each_placeholder_has_its_secret(design):
    for share in shares(design):
        for artifact in share.artifacts:
            held = set(re.findall(r"@@hadeploy:[^@]+@@", artifact.content))
            assert held == {secret.placeholder for secret in artifact.secrets}


def test_each_daemon_has_the_same_doors():
    root = Path(hadeploy.daemons.__file__).parent
    for daemon in DAEMONS:
        for door in ("config", "compile", "render", "check"):
            assert (root / daemon.name / f"{door}.py").is_file(), f"{daemon.name} has no {door}"


def test_templates_loop_and_print_only():
    for template in templates_directory().rglob("*.j2"):
        text = template.read_text()
        assert len(text.splitlines()) <= 90, template
        assert len(re.findall(r"{%-? *if", text)) <= 8, template
        assert not re.search(r"{%-? *(set|macro)|default\(", text), template
