"""Whose a host is and which machine: the module's own code on real files, and what is refused of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.loader import action_loader, init_plugin_loader

ROLES = Path(__file__).resolve().parents[2] / "roles"
OURS = {"id": "d-00000000000000aa", "name": "shop"}
THEIRS = {"id": "d-00000000000000bb", "name": "web", "node": "a1", "since": "2026-01-01"}
NODES = {"n1": "n1", "n2": "n2"}
WHOLE = "Written by hadeploy from topology web; edit the topology, not this file."


def said(node: str, **more: Any) -> dict[str, Any]:
    """What a host says that is nobody's yet, and has its right name."""
    return {
        "uname": node,
        "hostname": node,
        "machine": f"machine of {node}",
        "boot": f"boot of {node}",
        "record": {},
        "unknown": "",
        "names": [],
        **more,
    }


def remembering(node: str, deployment: dict[str, str] = OURS, **more: Any) -> dict[str, Any]:
    return said(node, record={**deployment, "node": deployment.get("node", node), "since": ""}, **more)


def codes(words: list[str]) -> list[str]:
    return [line.split()[0] for line in words]


@pytest.fixture
def host(identity: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The memory of a host that is this folder."""
    monkeypatch.setattr(identity, "RECORD", str(tmp_path / "hadeploy" / "deployment.json"))
    monkeypatch.setattr(identity, "OWNED", str(tmp_path / "owned.json"))
    monkeypatch.setattr(identity, "ARBITER_OWNED", str(tmp_path / "arbiter.json"))
    monkeypatch.setattr(identity, "USUAL", (str(tmp_path / "corosync.conf"),))
    return identity


class TestMemory:
    def test_what_was_remembered_is_known(self, host: ModuleType):
        assert host.look()["record"] == {}
        host.remember(OURS, "n1")
        record = host.look()["record"]
        assert (record["id"], record["name"], record["node"]) == (OURS["id"], "shop", "n1")
        assert host.is_remembered(record, OURS, "n1")
        assert not host.is_remembered(record, OURS, "n2")
        assert not host.is_remembered(record, {**OURS, "name": "web"}, "n1")
        assert os.listdir(os.path.dirname(host.RECORD)) == ["deployment.json"]

    @pytest.mark.parametrize(
        "torn",
        [
            "",
            "{",
            "[]",
            "null",
            '{"id": 4, "name": "a", "node": "b"}',
            '{"id": "x", "name": "a", "node": "b"}',
            "{}",
        ],
    )
    def test_a_damaged_memory_is_not_taken_for_none(
        self, host: ModuleType, identity_check: ModuleType, torn: str
    ):
        host.remember(OURS, "n1")
        Path(host.RECORD).write_text(torn)
        seen = host.look()
        assert seen["record"] == {}
        assert "damaged" in seen["unknown"]
        words = identity_check.refusals(
            OURS, {"n1": "n1"}, {"n1": said("n1", unknown=seen["unknown"])}, (OURS["id"],)
        )
        assert codes(words) == ["APPLY074"]
        assert host.RECORD in words[0]

    def test_a_memory_of_a_later_version_is_refused(self, host: ModuleType):
        host.remember(OURS, "n1")
        written = json.loads(Path(host.RECORD).read_text())
        Path(host.RECORD).write_text(json.dumps({**written, "version": 2}))
        assert "later version" in host.look()["unknown"]

    def test_without_ids_a_host_is_known_by_its_files(self, host: ModuleType, tmp_path: Path):
        served = tmp_path / "haproxy.cfg"
        served.write_text(f"# {WHOLE}\nglobal\n")
        Path(host.OWNED).write_text(json.dumps({"files": {str(served): {}, str(tmp_path / "gone"): {}}}))
        assert host.look()["names"] == ["web"]

    def test_and_where_its_memory_was_removed_by_the_usual_ones(self, host: ModuleType, tmp_path: Path):
        (tmp_path / "corosync.conf").write_text(f"# {WHOLE}\n")
        assert host.look()["names"] == ["web"]
        Path(host.ARBITER_OWNED).write_text(json.dumps({"files": {str(tmp_path / "corosync.conf"): {}}}))
        assert host.look()["names"] == [], "what an arbiter was given says nothing of the node"

    def test_a_persons_own_files_say_nothing(self, host: ModuleType, tmp_path: Path):
        (tmp_path / "corosync.conf").write_text("totem {\n cluster_name: web\n}\n")
        assert host.look()["names"] == []


class ExitedError(Exception):
    """The module ended."""


def remembered(module: ModuleType, *, check: bool = False) -> dict[str, Any]:
    def fail(msg: str, invocation: dict) -> None:
        raise ExitedError(msg)

    params = {"deployment": OURS, "node": "n1"}
    arguments = type("Module", (), {"params": params, "check_mode": check, "fail_json": staticmethod(fail)})
    return module.remembered(arguments)


class TestRemembered:
    def test_once(self, host: ModuleType, identity_module: ModuleType):
        assert remembered(identity_module, check=True)["changed"]
        assert not Path(host.RECORD).exists()
        assert remembered(identity_module)["changed"]
        assert not remembered(identity_module)["changed"]

    def test_what_it_was_is_in_the_diff(self, host: ModuleType, identity_module: ModuleType):
        host.remember({"id": THEIRS["id"], "name": "web"}, "a1")
        (diff,) = remembered(identity_module)["diff"]
        assert (THEIRS["id"] in diff["before"], OURS["id"] in diff["after"]) == (True, True)

    def test_a_full_disk_is_said(self, host: ModuleType, identity_module: ModuleType):
        Path(host.RECORD).parent.write_text("in the way")
        with pytest.raises(ExitedError, match=r"deployment.json cannot be written.*apply again"):
            remembered(identity_module)


class TestDeployments:
    def test_a_new_host_and_one_of_ours_are_welcome(self, identity_check: ModuleType):
        assert identity_check.refusals(OURS, NODES, {"n1": said("n1"), "n2": remembering("n2")}) == []

    def test_all_foreign_hosts_are_named_at_once_with_what_to_say(self, identity_check: ModuleType):
        seen = {"n1": remembering("n1", THEIRS), "n2": remembering("n2", {**THEIRS, "node": "n2"})}
        (words,) = identity_check.refusals(OURS, NODES, seen)
        assert words.startswith(
            "APPLY073 n1 (its node a1), n2 belong to the deployment web (d-00000000000000bb)"
        )
        assert "--take-over d-00000000000000bb" in words
        assert "hadeploy_take_over=d-00000000000000bb" in words

    def test_one_foreign_host_among_ours_is_enough(self, identity_check: ModuleType):
        seen = {"n1": remembering("n1"), "n2": remembering("n2", THEIRS)}
        assert codes(identity_check.refusals(OURS, NODES, seen)) == ["APPLY073"]

    def test_just_that_deployment_is_taken_over(self, identity_check: ModuleType):
        another = {**THEIRS, "id": "d-00000000000000cc", "name": "mail"}
        seen = {"n1": remembering("n1", THEIRS), "n2": remembering("n2", another)}
        assert codes(identity_check.refusals(OURS, NODES, seen)) == ["APPLY073", "APPLY073"]
        (words,) = identity_check.refusals(OURS, NODES, seen, (THEIRS["id"],))
        assert "mail" in words
        assert identity_check.refusals(OURS, NODES, seen, (THEIRS["id"], another["id"])) == []

    def test_another_of_the_same_name_is_told_how_its_id_was_lost(self, identity_check: ModuleType):
        seen = {"n1": remembering("n1", {**THEIRS, "name": "shop", "node": "n1"})}
        (words,) = identity_check.refusals(OURS, NODES, seen)
        assert f"write {THEIRS['id']} into the .id file" in words

    def test_the_same_id_under_another_name_is_a_copy_or_a_rename(self, identity_check: ModuleType):
        """A folder was copied for a new cluster, and the addresses in it are still the old ones."""
        seen = {"n1": remembering("n1", {**OURS, "name": "web"})}
        (words,) = identity_check.refusals(OURS, NODES, seen)
        assert "remove the copied .id file" in words
        assert identity_check.refusals(OURS, NODES, seen, (OURS["id"],)) == []

    def test_before_ids_the_name_decides(self, identity_check: ModuleType):
        assert identity_check.refusals(OURS, NODES, {"n1": said("n1", names=["shop"])}) == []
        seen = {"n1": said("n1", names=["web"])}
        (words,) = identity_check.refusals(OURS, NODES, seen)
        former = identity_check.former_id("web")
        assert f"--take-over {former}" in words
        assert identity_check.refusals(OURS, NODES, seen, (former,)) == []
        assert codes(identity_check.refusals(OURS, NODES, {"n1": said("n1", names=["shop", "web"])})) == [
            "APPLY073"
        ]

    def test_without_an_id_of_its_own_only_its_name_can_be_known(self, identity_check: ModuleType):
        """In hadeploy apply --check before the first apply, and in a project that was compiled where no id could be kept."""
        none = {"id": "", "name": "shop"}
        assert identity_check.refusals(none, NODES, {"n1": said("n1", names=["shop"])}) == []
        assert identity_check.refusals(none, NODES, {"n1": remembering("n1", none)}) == []
        assert identity_check.refusals(OURS, NODES, {"n1": remembering("n1", none)}) == []
        assert codes(identity_check.refusals(none, NODES, {"n1": remembering("n1", OURS)})) == ["APPLY073"]
        theirs = {"id": "", "name": "web"}
        assert codes(identity_check.refusals(OURS, NODES, {"n1": remembering("n1", theirs)})) == ["APPLY073"]

    def test_an_arbiter_serves_several(self, identity_check: ModuleType):
        seen = {"n1": said("n1"), "q": remembering("q.example.com", THEIRS)}
        assert identity_check.refusals(OURS, {"n1": "n1", "q": "q"}, seen, arbiter="q") == []


class TestMachines:
    def test_swapped_addresses(self, identity_check: ModuleType):
        words = identity_check.refusals(OURS, NODES, {"n1": remembering("n2"), "n2": remembering("n1")})
        assert codes(words) == ["APPLY071", "APPLY071"]
        assert "APPLY071 n1: the host at this address is n2" in words[0]

    def test_swapped_addresses_of_hosts_with_domains(self, identity_check: ModuleType):
        words = identity_check.refusals(
            OURS, NODES, {"n1": said("n2.example.com"), "n2": said("n1.example.com")}
        )
        assert codes(words) == ["APPLY071", "APPLY071"]

    @pytest.mark.parametrize("uname", ["n1.example.com", "N1", "localhost", "ip-10-0-0-1"])
    def test_another_host_name_is_told_with_the_command(self, identity_check: ModuleType, uname: str):
        (words,) = identity_check.refusals(OURS, NODES, {"n1": said(uname), "n2": said("n2")})
        assert words.startswith("APPLY070 n1: ")
        assert words.endswith("hostnamectl set-hostname n1")

    def test_all_hosts_are_told_at_once(self, identity_check: ModuleType):
        words = identity_check.refusals(OURS, NODES, {n: said(f"{n}.example.com") for n in NODES})
        assert [line.split(":")[0] for line in words] == ["APPLY070 n1", "APPLY070 n2"]

    def test_a_name_that_the_next_boot_changes(self, identity_check: ModuleType):
        (words,) = identity_check.refusals(OURS, NODES, {"n1": said("n1", hostname="debian")})
        assert "debian after the next boot" in words
        assert identity_check.refusals(OURS, NODES, {"n1": said("n1", hostname="")}) == []

    def test_a_foreign_host_is_not_told_to_change_its_name(self, identity_check: ModuleType):
        (words,) = identity_check.refusals(OURS, NODES, {"n1": remembering("a1", THEIRS)})
        assert words.startswith("APPLY073")
        assert "hostnamectl" not in words

    def test_a_host_that_was_another_node_keeps_its_data(self, identity_check: ModuleType):
        """Names were changed on the hosts, so that --wipe data@n1 would meet the disk that was n2's."""
        seen = {"n1": remembering("n1", {**OURS, "node": "n2"})}
        (words,) = identity_check.refusals(OURS, NODES, seen)
        assert words.startswith("APPLY075 n1: this host was set up as n2")
        assert identity_check.refusals(OURS, NODES, seen, (OURS["id"],)) == []

    def test_two_nodes_at_one_machine(self, identity_check: ModuleType):
        one = said("debian")
        (words,) = identity_check.refusals(OURS, NODES, {"n1": one, "n2": one})
        assert words.startswith("APPLY072 n1 and n2 are the same machine (debian)")

    def test_clones_of_one_image(self, identity_check: ModuleType):
        """Refused while they are new; a cluster that serves on such hosts goes on."""
        new = {n: said(n, machine="one") for n in NODES}
        (words,) = identity_check.refusals(OURS, NODES, new)
        assert "systemd-machine-id-setup" in words
        known = {n: said(n, machine="one", names=["shop"]) for n in NODES}
        assert identity_check.refusals(OURS, NODES, known) == []

    def test_containers_of_one_kernel_are_several_machines(self, identity_check: ModuleType):
        assert identity_check.refusals(OURS, NODES, {n: said(n, boot="one") for n in NODES}) == []

    def test_the_arbiter_may_be_called_anything_but_a_node(self, identity_check: ModuleType):
        nodes = {"n1": "n1", "q": "q"}
        assert (
            identity_check.refusals(
                OURS, nodes, {"n1": said("n1"), "q": said("vm17.example.com")}, arbiter="q"
            )
            == []
        )
        words = identity_check.refusals(OURS, nodes, {"n1": said("q"), "q": said("n1")}, arbiter="q")
        assert codes(words) == ["APPLY071", "APPLY071"]
        words = identity_check.refusals(
            OURS, nodes, {"n1": said("q.example.com"), "q": said("n1.example.com")}, arbiter="q"
        )
        assert codes(words) == ["APPLY071", "APPLY071"]

    def test_the_inventorys_name_is_told_with_the_nodes(self, identity_check: ModuleType):
        (words,) = identity_check.refusals(OURS, {"n1.prod": "n1"}, {"n1.prod": said("debian")})
        assert words.startswith("APPLY070 n1 (in the inventory: n1.prod): ")


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    """The action plugin, as Ansible loads it."""
    init_plugin_loader()
    action_loader.add_directory(str(ROLES / "modules" / "action_plugins"))
    return sys.modules[action_loader.get("hadeploy_lock", class_only=True).__module__]


class TestTakenOver:
    @pytest.mark.parametrize(
        ("words", "run", "deployments"),
        [
            ("", "", ()),
            (None, "", ()),
            ([], "", ()),
            ("24a54bc09716", "24a54bc09716", ()),
            ("d-00000000000000bb", "", ("d-00000000000000bb",)),
            ("24a5, d-00000000000000bb", "24a5", ("d-00000000000000bb",)),
            (["d-00000000000000bb", "d-00000000000000cc"], "", ("d-00000000000000bb", "d-00000000000000cc")),
        ],
    )
    def test_a_run_and_a_deployment_are_told_apart(
        self, plugin: ModuleType, words: Any, run: str, deployments: tuple
    ):
        assert plugin.read_taken_over(words) == (run, deployments)

    @pytest.mark.parametrize("words", ["d-123", "web/1", "d-00000000000000BB", "a1,b2", ["a1", "b2"]])
    def test_anything_else_is_refused(self, plugin: ModuleType, words: Any):
        with pytest.raises(AnsibleActionFail, match="hadeploy_take_over"):
            plugin.read_taken_over(words)
