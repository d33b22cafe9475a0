"""What an earlier apply brought and left the design goes; what hadeploy did not bring stays."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest


class ModuleEndedError(Exception):
    """exit_json or fail_json."""


@pytest.fixture
def host(tmp_path: Path, bundle, removal, owned, pending_memory, monkeypatch):
    """A host whose memories stand in tmp_path and whose systemctl is written down."""
    memory = tmp_path / "memory" / "owned.json"
    pending = tmp_path / "memory" / "pending.json"
    calls: list[str] = []
    warnings: list[str] = []
    states: dict[str, dict[str, str]] = {}

    for module in (owned, pending_memory):
        monkeypatch.setattr(module, "memory_file", lambda name: str(tmp_path / "memory" / name))
    for module in (bundle, removal):
        monkeypatch.setattr(module, "show", lambda _, units: {unit: states.get(unit, {}) for unit in units})

    def run_command(argv: list[str], **_: object) -> tuple[int, str, str]:
        calls.append(" ".join(argv[1:]))
        return 0, "", ""

    def run(
        state: str,
        files: list[dict],
        units: list[dict],
        check_mode: bool = False,
        which: str = "all",
        timeout: int = 0,
        accepted: tuple[str, ...] = (),
    ) -> dict:
        module = SimpleNamespace(
            params={
                "state": state,
                "files": files,
                "units": units,
                "secrets": {},
                "packages": {},
                "users": [],
                "addresses": [],
                "ssh_from": [],
                "objects": [],
                "host": "n1",
                "timeout": timeout,
                "which": which,
                "accepted": accepted,
            },
            check_mode=check_mode,
            run_command=run_command,
            get_bin_path=lambda name, required=False: f"/bin/{name}",
            warn=warnings.append,
            fail_json=lambda **words: (_ for _ in ()).throw(ModuleEndedError(words["msg"])),
        )
        return bundle.STATES[state](module)

    return SimpleNamespace(
        run=run, calls=calls, states=states, memory=memory, pending=pending, warnings=warnings
    )


@pytest.fixture
def make_file(bundled, tmp_path: Path):
    return lambda name, unit: bundled(tmp_path / name, unit=unit)


def unit(name: str, phase: int = 50, running: bool | None = True) -> dict:
    return {"daemon": "x", "name": name, "enabled": running is True, "running": running, "phase": phase}


def test_a_file_goes_with_its_unit_after_the_unit_was_stopped(host, make_file, tmp_path: Path):
    stays, goes = make_file("a", "a.service"), make_file("b", "b.service")
    both = [unit("a.service"), unit("b.service"), unit("c.service", phase=90)]
    host.run("present", [stays, goes], both)
    host.pending.unlink()  # the units were told
    (tmp_path / "not-ours").write_text("x")
    host.states["b.service"] = {"ActiveState": "active", "UnitFileState": "enabled"}
    host.states["c.service"] = {"ActiveState": "active", "UnitFileState": "static"}

    left = [unit("a.service")]
    host.states["a.service"] = {"ActiveState": "active", "UnitFileState": "enabled"}
    seen = host.run("observed", [stays], left)
    assert seen["pending"]["leftovers"] == ["c.service", "b.service", goes["path"]]
    assert seen["daemons"] == ["leftovers"]
    assert not host.run("present", [stays], left)["changed"]
    assert Path(goes["path"]).exists()

    stopped = host.run("units_removed", [stays], left)
    assert stopped["removed"] == [
        "stop c.service",
        "disable c.service",
        "stop b.service",
        "disable b.service",
    ]
    assert host.calls == [
        "stop -- c.service",
        "disable -- c.service",
        "stop -- b.service",
        "disable -- b.service",
        "reset-failed -- c.service b.service",
    ]
    assert host.run("files_removed", [stays], left)["removed"] == [goes["path"]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "memory", "not-ours"]
    assert not host.run("observed", [stays], left)["anything"]


def test_a_file_whose_unit_stays_is_there_until_all_was_told_and_the_unit_is_told_of_it_once(host, make_file):
    """Whoever runs may still read it: a resource file of DRBD, an instance's configuration, a unit's drop-in."""
    host.states["a.service"] = {"ActiveState": "active", "UnitFileState": "enabled"}
    stays, goes = make_file("a", "a.service"), make_file("b", "a.service")
    host.run("present", [stays, goes], [unit("a.service")])
    host.pending.unlink(missing_ok=True)
    assert host.run("observed", [stays], [unit("a.service")])["pending"]["tell"] == {"a.service": "reload"}
    done = host.run("present", [stays], [unit("a.service")])
    assert done["tell"] == {"a.service": "reload"}
    assert json.loads(host.pending.read_text())["units"] == {"a.service": "reload"}
    assert Path(goes["path"]).exists()
    host.pending.unlink()  # told, and interrupted before the file went
    assert host.run("observed", [stays], [unit("a.service")])["pending"]["tell"] == {}
    assert host.run("present", [stays], [unit("a.service")])["tell"] == {}
    gone = host.run("files_removed", [stays], [unit("a.service")])
    assert gone["removed"] == [goes["path"]]
    assert gone["diff"][0]["before"] == "one\n"
    assert not host.run("observed", [stays], [unit("a.service")])["anything"]


def test_what_is_no_units_file_goes_as_late(host, make_file):
    """Files without a unit (PostgreSQL's) counted as those of a unit that stays, and went first."""
    stays, goes = make_file("a", ""), make_file("postgresql.conf", "")
    host.run("present", [stays, goes], [])
    done = host.run("present", [stays], [])
    assert not done["changed"]
    assert Path(goes["path"]).exists()
    assert host.run("files_removed", [stays], [])["removed"] == [goes["path"]]


def test_a_file_that_comes_back_is_told_of_again_when_it_leaves(host, make_file):
    stays, other = make_file("a", "a.service"), make_file("b", "a.service")
    for _ in range(2):
        host.run("present", [stays, other], [unit("a.service")])
        host.pending.unlink(missing_ok=True)
        assert host.run("present", [stays], [unit("a.service")])["tell"] == {"a.service": "reload"}
        host.pending.unlink()


def test_the_files_of_what_still_runs_stay_and_the_way_to_stop_it_is_said(host, make_file):
    """As in maintenance mode, where Pacemaker forgets a resource and leaves it running."""
    goes = make_file("b", "hadeploy-nginx@b.service")
    host.run("present", [goes], [])
    host.states["hadeploy-nginx@b.service"] = {"ActiveState": "active", "SubState": "running"}
    with pytest.raises(ModuleEndedError, match=r"still runs.*systemctl stop hadeploy-nginx@b\.service"):
        host.run("stopped", [], [])
    host.states["hadeploy-nginx@b.service"] = {"ActiveState": "active", "SubState": "exited"}
    host.run("stopped", [], [])
    host.states["hadeploy-nginx@b.service"] = {"ActiveState": "inactive"}
    host.run("stopped", [], [])
    assert host.run("files_removed", [], [])["removed"] == [goes["path"]]


def test_what_only_ends_with_the_cluster_keeps_its_settings_until_then(host, make_file, removal, monkeypatch):
    """SBD refuses to be stopped: it is taken out of the boot once the CIB knows no watchdog, and its file stays meanwhile."""
    goes = make_file("sbd", "")
    monkeypatch.setattr(removal, "unit_of", lambda *_: "sbd.service")
    host.run("present", [goes], [unit("sbd.service")])
    host.states["sbd.service"] = {
        "ActiveState": "active",
        "UnitFileState": "enabled",
        "RefuseManualStop": "yes",
    }
    assert host.run("units_removed", [], [])["removed"] == []
    assert host.run("observed", [], [])["daemons"] == ["leftovers"]
    assert host.run("files_removed", [], [])["removed"] == ["disable sbd.service"]
    assert "stop -- sbd.service" not in host.calls
    assert Path(goes["path"]).exists()
    assert len(host.warnings) == 1
    assert not host.run("observed", [], [])["anything"]
    host.states["sbd.service"] = {"ActiveState": "inactive", "RefuseManualStop": "yes"}
    assert host.run("observed", [], [])["pending"]["leftovers"] == [goes["path"]]
    assert host.run("files_removed", [], [])["removed"] == [goes["path"]]


def test_what_is_about_to_stop_is_waited_for(host, make_file, removal, monkeypatch):
    """A run that was killed after it had told the cluster: the next finds the CIB applied and the unit stopping."""
    host.run("present", [make_file("b", "b.service")], [])
    host.states["b.service"] = {"ActiveState": "deactivating", "SubState": "stop-sigterm"}
    looks = [{"ActiveState": "active"}, {"ActiveState": "active"}, {"ActiveState": "inactive"}]
    monkeypatch.setattr(removal, "show", lambda _, units: {"b.service": looks.pop(0)} if units else {})
    monkeypatch.setattr(removal.time, "sleep", lambda _: None)
    host.run("stopped", [], [], timeout=60)
    assert looks == []


def test_hosted_services_are_replaced_host_by_host(host):
    """Where a balancer sends clients to them: stopped everywhere at once, nobody would answer."""
    host.run("present", [], [unit("web.service", phase=25), unit("keepalived.service", phase=40)])
    for name in ("web.service", "keepalived.service"):
        host.states[name] = {"ActiveState": "active"}
    assert host.run("units_removed", [], [], which="others")["removed"] == ["stop keepalived.service"]
    assert host.run("units_removed", [], [], which="hosted")["removed"] == ["stop web.service"]


def test_hosted_services_are_known_by_their_phase(removal):
    from hadeploy.daemons.units.render import PHASE

    assert removal.HOSTED == PHASE


@pytest.mark.parametrize(
    ("path", "named", "expected"),
    [
        ("/etc/default/sbd", "", "sbd.service"),
        ("/etc/systemd/system/nfsdcld.service.d/hadeploy.conf", "", "nfsdcld.service"),
        ("/etc/drbd.d/orders.res", "drbd.service", "drbd.service"),
        ("/etc/postgresql/15/orders/postgresql.conf", "", ""),
    ],
)
def test_which_unit_reads_a_file(owned, path, named, expected):
    assert owned.unit_of(path, named) == expected


OLD_RULES = """table inet hadeploy {
    chain input {
        tcp dport 22 accept comment "SSH, always, from anywhere"
        ct state invalid drop
        tcp dport { 8081 } accept comment "clients of app-a"
        tcp dport { 8082 } accept comment "clients of app-b"
    }
}
"""


def test_openings_come_before_what_they_serve_and_go_after_it(host, make_file):
    rules = make_file("nftables.conf", "nftables.service") | {"openings": True, "content": OLD_RULES}
    units = [unit("nftables.service")]
    host.run("present", [rules], units)
    host.pending.unlink()
    new = OLD_RULES.replace("8082", "8083").replace("app-b", "app-c")
    changed = rules | {"content": new}
    host.run("present", [changed], units)
    text = Path(rules["path"]).read_text()
    for port in ("8081", "8082", "8083"):
        assert text.count(f"{{ {port} }}") == 1
    host.pending.unlink()  # loaded; then the CIB was refused, and the apply repeated
    assert host.run("observed", [changed], units)["pending"]["files"] == [rules["path"]]
    assert not host.run("present", [changed], units)["changed"]
    assert Path(rules["path"]).read_text() == text
    assert host.run("settled", [changed], units, check_mode=True)["written"] == [rules["path"]]
    assert Path(rules["path"]).read_text() == text
    settled = host.run("settled", [changed], units)
    assert settled["written"] == [rules["path"]]
    assert json.loads(host.pending.read_text())["units"] == {"nftables.service": "reload"}
    assert Path(rules["path"]).read_text() == new
    assert not host.run("settled", [changed], units)["changed"]


def test_rules_that_were_taken_over_are_replaced_whole(host, make_file):
    rules = make_file("nftables.conf", "nftables.service") | {"openings": True, "content": OLD_RULES}
    Path(rules["path"]).write_text('table x {\n        tcp dport { 99 } accept comment "theirs"\n}\n')
    host.run("present", [rules], [unit("nftables.service")], accepted=(rules["path"],))
    assert Path(rules["path"]).read_text() == OLD_RULES


def test_check_mode_says_it_and_touches_nothing(host, make_file):
    goes = make_file("b", "b.service")
    host.run("present", [goes], [unit("b.service")])
    host.states["b.service"] = {"ActiveState": "active", "UnitFileState": "enabled"}
    before = host.memory.read_text()
    assert host.run("units_removed", [], [], check_mode=True)["removed"] == [
        "stop b.service",
        "disable b.service",
    ]
    assert host.run("files_removed", [], [], check_mode=True)["removed"] == [goes["path"]]
    assert host.calls == []
    assert Path(goes["path"]).exists()
    assert host.memory.read_text() == before


def test_units_of_pacemaker_are_not_stopped_behind_its_back(host):
    host.run("present", [], [unit("db.service", running=None)])
    assert host.run("observed", [], [])["pending"]["leftovers"] == []


def test_an_interrupted_removal_is_completed(host, make_file):
    goes = make_file("b", "b.service")
    host.run("present", [goes], [unit("b.service")])
    host.run("units_removed", [], [])
    assert host.run("observed", [], [])["pending"]["leftovers"] == [goes["path"]]
    os.unlink(goes["path"])
    assert host.run("files_removed", [], [])["removed"] == []
    assert not host.run("observed", [], [])["anything"]


@pytest.mark.parametrize("torn", ["", "{", "[]", '{"files": 3}'])
def test_a_torn_memory_is_empty(host, torn):
    host.memory.parent.mkdir(exist_ok=True)
    host.memory.write_text(torn)
    assert host.run("observed", [], [])["pending"]["leftovers"] == []


def test_debian_s_unit_is_neither_stopped_nor_its_file_removed(host, rules, monkeypatch, tmp_path):
    """Earlier versions of hadeploy wrote /etc/nftables.conf. Its unit, when stopped, flushes every table of the host."""
    forgotten: list[bool] = []
    handed: list[bool] = []
    host.memory.parent.mkdir(exist_ok=True)
    former = {
        "files": {rules.FORMER: {"unit": rules.FORMER_UNIT, "on_change": "reload"}},
        "units": {rules.FORMER_UNIT: {"phase": 5}},
    }
    host.memory.write_text(json.dumps({"version": 1, **former}))
    with_firewall = [unit(rules.UNIT)]
    assert host.run("observed", [], with_firewall)["pending"]["leftovers"] == []
    assert host.run("units_removed", [], with_firewall)["removed"] == []
    assert host.run("files_removed", [], with_firewall)["removed"] == []
    removal = sys.modules["ansible.module_utils.hadeploy_removal"]
    monkeypatch.setattr(removal, "forget", lambda _: forgotten.append(True))
    monkeypatch.setattr(removal, "hand_back", lambda: handed.append(True))
    assert host.run("observed", [], [])["pending"]["leftovers"] == [rules.FORMER_UNIT, rules.FORMER]
    assert host.run("units_removed", [], [])["removed"] == ["table inet hadeploy"]
    assert (forgotten, handed) == ([True], [True])
    assert not [call for call in host.calls if "stop" in call or "disable" in call]


def test_what_an_earlier_version_wrote_over_is_given_back(rules, owned, monkeypatch, tmp_path):
    path = tmp_path / "nftables.conf"
    path.write_text("table inet hadeploy { }\n")
    memory = tmp_path / "owned.json"
    monkeypatch.setattr(rules, "FORMER", str(path))
    monkeypatch.setattr(owned, "memory_file", lambda _: str(memory))
    assert not rules.hand_back()
    owned.save_owned(
        {"files": {str(path): {}, "/etc/other": {}}, "units": {rules.FORMER_UNIT: {}, "b.service": {}}}
    )
    assert rules.hand_back()
    assert "table" not in path.read_text().replace("hadeploy keeps", "")
    assert owned.load_owned() == {"files": {"/etc/other": {}}, "units": {"b.service": {}}}
    assert not rules.hand_back()


def test_openings_of_an_earlier_version_s_file_stay_too(
    host, make_file, rules, bundle, monkeypatch, tmp_path
):
    former = tmp_path / "nftables.conf"
    former.write_text(OLD_RULES)
    monkeypatch.setattr(bundle, "FORMER", str(former))
    host.memory.parent.mkdir(exist_ok=True)
    host.memory.write_text(json.dumps({"files": {str(former): {}}, "units": {}}))
    wanted = make_file("firewall.nft", rules.UNIT) | {
        "openings": True,
        "content": OLD_RULES.replace("8082", "8083").replace("app-b", "app-c"),
    }
    host.run("present", [wanted], [unit(rules.UNIT)])
    text = Path(wanted["path"]).read_text()
    for port in ("8081", "8082", "8083"):
        assert text.count(f"{{ {port} }}") == 1
