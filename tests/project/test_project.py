from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from hadeploy.daemons.registry import cluster_information_base, shares
from hadeploy.design.design import Design
from hadeploy.project import write
from hadeploy.project.build import build, project_files
from hadeploy.project.manifest import Manifest
from hadeploy.project.playbook import playbook
from hadeploy.project.write import NotAProjectError

PATTERNS = ("active-passive", "active-active", "n-plus-1", "active-passive-drbd", "postgresql-streaming")
ANSIBLE = str(Path(sys.executable).parent / "ansible-playbook")


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def beside(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir() if entry.name.startswith("."))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_design_gives_the_same_bytes(design_of: Callable[..., Design], tmp_path: Path, pattern: str):
    design = design_of(pattern)
    first, second = build(design, tmp_path / "a"), build(design, tmp_path / "b")
    assert first == second
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_manifest_hashes_everything(design_of: Callable[..., Design], tmp_path: Path, pattern: str):
    manifest = build(design_of(pattern), tmp_path / "a")
    files = tree(tmp_path / "a")
    text = files.pop("manifest.json").decode()
    assert Manifest.parse(text) == manifest
    assert dict(manifest.files) == {path: sha256(content).hexdigest() for path, content in files.items()}
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_a_rebuild_keeps_times_of_what_is_unchanged(design_of: Callable[..., Design], tmp_path: Path):
    build(design_of("active-passive"), tmp_path / "a")
    for file in (tmp_path / "a").rglob("*"):
        os.utime(file, ns=(1, 1_000_000_000))
    build(design_of("active-passive", ("token: 1s", "token: 2s")), tmp_path / "a")
    kept = {
        str(p.relative_to(tmp_path / "a"))
        for p in (tmp_path / "a").rglob("*")
        if p.stat().st_mtime_ns == 1_000_000_000
    }
    assert "site.yml" in kept
    assert "roles/observe/tasks/main.yml" in kept
    assert not any(name.endswith("corosync.conf") for name in kept)


def test_a_project_that_is_right_already_is_left_alone(design_of: Callable[..., Design], tmp_path: Path):
    design, project = design_of("active-passive"), tmp_path / "a"
    build(design, project)
    inode = project.stat().st_ino
    build(design, project)
    assert project.stat().st_ino == inode


@pytest.mark.parametrize(
    "spoil",
    [
        lambda project: (project / "site.yml").write_text("---\n[]\n"),
        lambda project: (project / "site.yml").write_bytes((project / "site.yml").read_bytes()[::-1]),
        lambda project: (project / "site.yml").unlink(),
        lambda project: (
            (project / "site.yml").rename(project.parent / "moved")
            and (project / "site.yml").symlink_to(project.parent / "moved")
        ),
    ],
    ids=["another", "as-long", "missing", "a-link"],
)
def test_a_project_that_somebody_changed_is_made_right(
    design_of: Callable[..., Design], tmp_path: Path, spoil: Callable[[Path], object]
):
    design, project = design_of("active-passive"), tmp_path / "a"
    build(design, project)
    right = tree(project)
    spoil(project)
    build(design, project)
    assert tree(project) == right
    assert not (project / "site.yml").is_symlink()


def test_what_is_not_a_project_is_not_replaced(design_of: Callable[..., Design], tmp_path: Path):
    design = design_of("active-passive")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    for text in (None, "{}", "[]", "no json", '{"hadeploy": "1"}'):
        if text is not None:
            (mine / "manifest.json").write_text(text)
        with pytest.raises(NotAProjectError):
            build(design, mine)
    assert (mine / "thesis.tex").read_text() == "years of work"
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(NotAProjectError):
        build(design, file)


def test_an_empty_directory_will_do(design_of: Callable[..., Design], tmp_path: Path):
    (tmp_path / "a").mkdir()
    build(design_of("active-passive"), tmp_path / "a")
    assert (tmp_path / "a" / "site.yml").exists()


@pytest.mark.parametrize("broken", ["_write_all", "swap", "keep_entries"])
def test_a_failed_build_leaves_the_former_one(
    design_of: Callable[..., Design], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
):
    destination = tmp_path / "a"
    build(design_of("active-passive"), destination)
    before = tree(destination)

    def refuse(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(write, broken, refuse)
    with pytest.raises(OSError, match="no space"):
        build(design_of("active-passive", ("token: 1s", "token: 2s")), destination)
    assert tree(destination) == before
    assert beside(destination) == []


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_play_ends_the_run_where_a_member_is_lost(design_of: Callable[..., Design], pattern: str):
    for play in playbook(shares(design_of(pattern))):
        assert play["any_errors_fatal"] is True
        assert play["max_fail_percentage"] == 0
        assert play["gather_facts"] is False


def test_order_of_an_apply(design_of: Callable[..., Design]):
    names = [play["name"] for play in playbook(shares(design_of("active-passive")))]
    order = [
        "Observe",
        "Install",
        "Check",
        "Check the CIB",
        "Check fence devices",
        "Write",
        "Corosync",
        "Pacemaker",
        "CIB",
        "Verify",
    ]
    assert [name for name in names if name in order] == order


def test_the_arbiter_answers_before_members_are_told_of_it(design_of: Callable[..., Design]):
    design = design_of("quorum-device")
    plays = playbook(shares(design), certificates=True)
    names = [play["name"] for play in plays]
    order = [
        "Observe",
        "Write",
        "Arbiter",
        "Certificates",
        "Corosync",
        "Quorum device",
        "Pacemaker",
        "Verify",
    ]
    assert [name for name in names if name in order] == order
    assert plays[0]["hosts"] == "hadeploy_cluster:hadeploy_arbiter", (
        "one that does not answer stops the apply"
    )
    observed = plays[0]["tasks"][0]["vars"]["observe_members"]
    assert observed == "{{ hadeploy_members + [hadeploy_arbiter] }}"


def test_an_arbiters_bundle_is_another_part_than_a_members(design_of: Callable[..., Design]):
    design = design_of("quorum-device")
    files = project_files(design, shares(design), None)
    parts = {
        host: yaml.safe_load(files[f"files/{host}/bundle.yml"]).get("part") for host in ("n1", "arbiter")
    }
    assert parts == {"n1": None, "arbiter": "arbiter"}


def test_an_arbiter_of_others_is_not_touched(design_of: Callable[..., Design]):
    design = design_of("quorum-device", ("{lan: 10.74.1.50}", "{lan: 10.74.1.50}\n    managed: false"))
    assert {share.host for share in shares(design)} == {"n1", "n2"}
    files = project_files(design, shares(design), None)
    assert "hadeploy_arbiter" not in yaml.safe_load(files["inventory.yml"])
    names = [play["name"] for play in yaml.safe_load(files["site.yml"])]
    assert names.index("Check the quorum device") < names.index("Write"), "nobody here can start it"
    variables = yaml.safe_load(files["vars/hadeploy.yml"])
    assert variables["hadeploy_quorum_device"] == {"address": "10.74.1.50", "port": 5403}
    managed = playbook(shares(design_of("quorum-device")))
    assert "Check the quorum device" not in [play["name"] for play in managed]


def test_disks_are_looked_at_before_anything_is_written_and_made_before_the_cluster_uses_them(
    design_of: Callable[..., Design],
):
    names = [play["name"] for play in playbook(shares(design_of("active-passive-drbd")))]
    order = ["Observe volumes", "Install", "Check disks", "Write", "Firewall", "Volumes", "Corosync", "CIB"]
    assert [name for name in names if name in order] == order
    assert names[-2:] == ["Synchronise volumes", "Release"]
    assert not [play for play in playbook(shares(design_of("active-passive"))) if "olume" in play["name"]]


def test_databases_are_made_before_the_cluster_runs_and_waited_for_afterwards(
    design_of: Callable[..., Design],
):
    names = [play["name"] for play in playbook(shares(design_of("postgresql-streaming")))]
    order = [
        "Observe databases",
        "Install",
        "Check databases",
        "Write",
        "Firewall",
        "Databases",
        "Corosync",
        "CIB",
    ]
    assert [name for name in names if name in order] == order
    assert names[-2:] == ["Follow the primary", "Release"]


def test_standby_members_come_before_active_ones(design_of: Callable[..., Design]):
    serial = [play for play in playbook(shares(design_of("active-active"))) if "serial" in play]
    loading, plays = [
        [play for play in serial if play["name"].startswith("Services") is services]
        for services in (False, True)
    ]
    assert [play["hosts"] for play in loading] == [
        "hadeploy_standby:hadeploy_active:&hadeploy_pending_firewall",
        "hadeploy_standby:hadeploy_active:&hadeploy_closing",
    ]
    assert [play["hosts"].rpartition(":&")[2] for play in plays] == ["hadeploy_standby", "hadeploy_active"]
    roles = [task["ansible.builtin.import_role"]["name"] for task in plays[0]["tasks"]]
    assert roles.index("haproxy") < roles.index("keepalived")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_project_carries_the_roles_that_it_runs_and_no_other(
    design_of: Callable[..., Design], pattern: str
):
    design = design_of(pattern)
    files = project_files(design, shares(design), cluster_information_base(design))
    carried = {path.split("/")[1] for path in files if path.startswith("roles/")}
    run = {
        task["ansible.builtin.import_role"]["name"]
        for play in yaml.safe_load(files["site.yml"])
        for task in play["tasks"]
    }
    needed = {
        dependency["role"]
        for role in run
        for dependency in yaml.safe_load(files[f"roles/{role}/meta/main.yml"])["dependencies"]
    }
    assert carried == run | needed


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_group_of_the_plays_exists_beforehand(design_of: Callable[..., Design], pattern: str):
    design = design_of(pattern)
    files = project_files(design, shares(design), cluster_information_base(design))
    groups = set(yaml.safe_load(files["inventory.yml"]))
    for play in yaml.safe_load(files["site.yml"]):
        assert set(re.findall(r"hadeploy_\w+", play["hosts"])) <= groups


def test_secrets_are_references_only(
    design_of: Callable[..., Design], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HADEPLOY_IPMI_PASSWORD", "opensesame-4711")
    build(design_of("active-passive"), tmp_path / "a")
    files = tree(tmp_path / "a")
    assert not any(b"opensesame-4711" in content for content in files.values())
    assert b"@@hadeploy:" in files["files/cib.xml"]
    variables = yaml.safe_load(files["vars/hadeploy.yml"])
    assert variables["hadeploy_secrets"]["ipmi-n1.password"] == {"env": "HADEPLOY_IPMI_PASSWORD"}
    assert variables["hadeploy_secrets"]["corosync-authkey"] == {"generated": "hadeploy_corosync_authkey"}


def test_bundles_name_files_that_are_there(design_of: Callable[..., Design], tmp_path: Path):
    build(design_of("n-plus-1"), tmp_path / "a")
    for bundle in (tmp_path / "a" / "files").glob("*/bundle.yml"):
        for entry in yaml.safe_load(bundle.read_text())["artifacts"]:
            content = (bundle.parent / entry["source"]).read_bytes()
            assert sha256(content).hexdigest() == entry["sha256"]
            assert set(re.findall(rb"@@hadeploy:([^@]+)@@", content)) == {
                name.encode() for name in entry["secrets"]
            }


@pytest.mark.programs
@pytest.mark.parametrize("pattern", PATTERNS)
def test_ansible_understands_the_project(design_of: Callable[..., Design], tmp_path: Path, pattern: str):
    build(design_of(pattern), tmp_path / "a")
    done = subprocess.run(
        [ANSIBLE, "--syntax-check", "site.yml"],
        cwd=tmp_path / "a",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr


@pytest.mark.bench
def test_compiling_grows_linearly_and_fast(design_of: Callable[..., Design], tmp_path: Path):
    import time

    design = design_of("n-plus-1")
    build(design, tmp_path / "warm")
    began = time.monotonic()
    for number in range(20):
        build(design, tmp_path / str(number))
    assert (time.monotonic() - began) / 20 < 0.1
    assert json.loads((tmp_path / "0" / "manifest.json").read_text())["design"] == design.name


def test_what_is_asked_first_is_asked_alone_too(design_of: Callable[..., Design]):
    """look.yml: all that site.yml does before it installs anything, and nothing of what comes after."""
    design = design_of("quorum-device")
    files = project_files(design, list(shares(design)), cluster_information_base(design))
    site, look = (yaml.safe_load(files[name]) for name in ("site.yml", "look.yml"))
    assert look == site[: [play["name"] for play in site].index("Install")]
