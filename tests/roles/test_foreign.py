"""Nothing of a person's own is replaced unasked: it is seen before anything is written, shown, kept, and then replaced."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from hadeploy.app.closing import allow_line, closing_of
from hadeploy.run.events import RunEvent

THEIRS = "global\n    log /dev/log local0\nuserlist ops\n    user eve insecure-password hunter2\n"
OURS = "global\n    daemon\n"


class EndedError(Exception):
    """fail_json."""


@pytest.fixture
def make_file(bundled, tmp_path: Path):
    (tmp_path / "etc").mkdir()
    return lambda name="haproxy.cfg", content=OURS, **more: bundled(tmp_path / "etc" / name, content, **more)


@pytest.fixture
def host(bundle, monkeypatch, foreign, memories: Path):
    """One host; its states of units, and the packages that dpkg knows, can be set."""
    monkeypatch.setattr(foreign, "STATE_DIRECTORY", str(memories))
    states: dict[str, dict[str, str]] = {}
    conffiles: dict[str, str] = {}
    monkeypatch.setattr(bundle, "show", lambda _, units: {unit: states.get(unit, {}) for unit in units})

    def run_command(argv: list[str], **_: object) -> tuple[int, str, str]:
        if "--showformat=${Conffiles}\n" in argv:
            return 0, "".join(f" {path} {found}\n" for path, found in conffiles.items()), ""
        return (1, "", "") if "--search" in argv else (0, "", "")

    def run(state: str, files: list[dict], units: list[dict] = [], **more: object) -> dict:  # noqa: B006
        module = SimpleNamespace(
            params={
                "files": files,
                "units": units,
                "secrets": {},
                "packages": {},
                "users": [],
                "addresses": [],
                "host": "n1",
                "accepted": [],
                "fresh": [],
                "timeout": 0,
                "which": "all",
                **more,
            },
            check_mode=more.get("check_mode", False),
            run_command=run_command,
            get_bin_path=lambda name, required=False: f"/bin/{name}",
            warn=lambda _: None,
            fail_json=lambda **words: (_ for _ in ()).throw(EndedError(words["msg"])),
        )
        return bundle.STATES[state](module)

    return SimpleNamespace(run=run, states=states, conffiles=conffiles, kept=memories / "kept")


def write(path: str, text: str = THEIRS, mode: int = 0o644) -> Path:
    Path(path).write_text(text)
    Path(path).chmod(mode)
    return Path(path)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def only_copy(host: SimpleNamespace, path: str) -> Path:
    (copy,) = host.kept.glob(f"*/{path.lstrip('/')}")
    return copy


def test_a_file_of_a_person_is_seen_and_not_replaced(host, make_file):
    file = make_file()
    there = write(file["path"])
    (found,) = host.run("observed", [file])["foreign"]
    assert found["path"] == file["path"]
    assert "-    log /dev/log local0" in found["lines"]
    assert "+    daemon" in found["lines"]
    with pytest.raises(EndedError, match="APPLY094"):
        host.run("present", [file])
    assert there.read_text() == THEIRS


def test_it_is_replaced_once_it_was_accepted_and_a_copy_is_kept(host, make_file):
    file = make_file(mode="0644")
    write(file["path"], mode=0o640)
    result = host.run("present", [file], accepted=[file["path"]])
    copy = only_copy(host, file["path"])
    assert copy.read_text() == THEIRS
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640
    assert stat.S_IMODE(host.kept.stat().st_mode) == 0o700
    assert any(str(copy) in words for words in result["notes"])
    assert Path(file["path"]).read_text() == OURS
    # It is hadeploy's from then on, and its removal names the copy and does not put it back.
    assert host.run("observed", [make_file_like(file, "next\n")])["foreign"] == []
    gone = host.run("files_removed", [make_file_like(file, "other\n", name="other")])
    assert any(str(copy) in words for words in gone["notes"])
    assert not Path(file["path"]).exists()
    assert copy.exists()


def make_file_like(file: dict, content: str, name: str = "") -> dict:
    path = str(Path(file["path"]).with_name(name)) if name else file["path"]
    return file | {"content": content, "path": path}


def test_acceptance_for_one_host_is_none_for_another(host, make_file):
    file = make_file()
    write(file["path"])
    with pytest.raises(EndedError):
        host.run("present", [file], accepted=[f"{file['path']}@n2"])
    host.run("present", [file], accepted=[f"{file['path']}@n1"])
    assert Path(file["path"]).read_text() == OURS


def test_what_says_the_same_or_came_with_a_package_is_no_question(host, make_file):
    same, packaged, absent = make_file(), make_file("nftables.conf"), make_file("new")
    write(same["path"], OURS, 0o600)
    write(packaged["path"])
    host.conffiles[packaged["path"]] = md5(THEIRS)
    files = [same, packaged, absent]
    seen = host.run("observed", files)
    assert (seen["foreign"], seen["blocked"]) == ([], [])
    host.run("present", files)
    assert not host.kept.exists()
    assert {Path(file["path"]).read_text() for file in files} == {OURS}


@pytest.mark.parametrize("suffix", ["", " obsolete", " remove-on-upgrade"])
def test_conffiles_of_packages_that_dpkg_still_knows(packaged, suffix, tmp_path: Path):
    path = tmp_path / "with blank.conf"
    path.write_text("x\n")
    known = md5("x\n")
    out = f" {path} {known}{suffix}\n /etc/new newconffile\n"
    module = SimpleNamespace(
        get_bin_path=lambda _: "/bin/dpkg-query", run_command=lambda *_a, **_k: (0, out, "")
    )
    assert packaged.as_packaged(module, [str(path)]) == {str(path)}
    path.write_text("y\n")
    assert packaged.as_packaged(module, [str(path)]) == set()


@pytest.mark.native
@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="no Debian")
def test_dpkg_itself_knows_a_conffile_and_a_listed_file(packaged, tmp_path: Path):
    def run(argv: list[str], environ_update: dict[str, str] | None = None) -> tuple[int, str, str]:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    module = SimpleNamespace(get_bin_path=shutil.which, run_command=run)
    mine = tmp_path / "mine"
    mine.write_text("x")
    asked = ["/etc/debconf.conf", "/usr/share/perl5/Debconf/Db.pm", str(mine)]
    assert packaged.as_packaged(module, asked) == set(asked[:2])


def test_clusters_of_former_versions_are_asked_nothing(host, owned, make_file):
    """Their memory has no sums; whether a file was edited is not known, so a copy is kept where it is replaced."""
    file = make_file()
    write(file["path"], "of the former version\n")
    owned.save_owned({"files": {file["path"]: {"unit": "x.service", "on_change": "reload"}}, "units": {}})
    assert host.run("observed", [file])["foreign"] == []
    host.run("present", [file])
    assert only_copy(host, file["path"]).read_text() == "of the former version\n"


def test_an_edited_file_of_ours_is_named_kept_and_replaced(host, make_file):
    file = make_file()
    host.run("present", [file])
    write(file["path"], "edited\n")
    checked = host.run("present", [file], check_mode=True)
    assert any("was edited since hadeploy wrote it" in words for words in checked["notes"])
    assert not host.kept.exists()
    result = host.run("present", [file])
    assert any("was edited since hadeploy wrote it" in words for words in result["notes"])
    assert only_copy(host, file["path"]).read_text() == "edited\n"
    assert Path(file["path"]).read_text() == OURS


def test_a_changed_design_is_no_edit(host, make_file):
    file = make_file()
    host.run("present", [file])
    result = host.run("present", [file | {"content": "two\n"}])
    assert result["notes"] == []
    assert not host.kept.exists()


def test_an_interrupted_write_is_no_edit(host, bundle, make_file, monkeypatch):
    first, second = make_file(), make_file("b.conf")
    host.run("present", [first, second])
    wanted = [first | {"content": "two\n"}, second | {"content": "two\n"}]
    whole = bundle.write

    def stop_after_the_first(file: dict, content: bytes) -> None:
        whole(file, content)
        raise KeyboardInterrupt

    monkeypatch.setattr(bundle, "write", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        host.run("present", wanted)
    monkeypatch.setattr(bundle, "write", whole)
    result = host.run("present", [each | {"content": "three\n"} for each in wanted])
    assert result["notes"] == []
    # Put back by hand, the former one is an edit like any other.
    write(first["path"], "two\n")
    assert any(
        "was edited" in words for words in host.run("present", [wanted[0] | {"content": "three\n"}])["notes"]
    )


def test_an_edited_file_that_left_the_design_is_kept_too(host, make_file):
    goes, stays = make_file("goes"), make_file("stays")
    host.run("present", [goes, stays])
    write(goes["path"], "edited\n")
    result = host.run("files_removed", [stays])
    assert only_copy(host, goes["path"]).read_text() == "edited\n"
    assert any(str(only_copy(host, goes["path"])) in words for words in result["notes"])


def test_a_link_is_kept_as_a_link_and_its_target_untouched(host, make_file, tmp_path: Path):
    file = make_file()
    target = write(str(tmp_path / "managed"), OURS)
    Path(file["path"]).symlink_to(target)
    (found,) = host.run("observed", [file])["foreign"]
    assert "symbolic link" in "".join(found["lines"])
    host.run("present", [file], accepted=[file["path"]])
    assert not Path(file["path"]).is_symlink()
    assert os.readlink(only_copy(host, file["path"])) == str(target)
    assert target.read_text() == OURS


def test_a_retry_keeps_no_second_copy(host, kept, make_file):
    file = make_file()
    write(file["path"])
    assert kept.keep(file["path"]) == kept.keep(file["path"])
    write(file["path"], "other\n")
    kept.keep(file["path"])
    assert len(kept.kept_of(file["path"])) == 2


def test_nothing_is_replaced_where_no_copy_can_be_kept(host, foreign, make_file, monkeypatch):
    file = make_file()
    write(file["path"])

    def full(_: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(foreign, "keep", full)
    with pytest.raises(EndedError, match="No space left"):
        host.run("present", [file], accepted=[file["path"]])
    assert Path(file["path"]).read_text() == THEIRS


def test_what_came_with_packages_of_this_run_is_theirs(host, make_file):
    file = make_file()
    write(file["path"])
    host.run("present", [file], fresh=[file["path"]])
    assert only_copy(host, file["path"]).read_text() == THEIRS


# What is in the way.


def test_a_directory_in_the_place_of_a_file_is_refused_before_anything_is_written(host, make_file):
    file = make_file()
    Path(file["path"]).mkdir()
    (words,) = host.run("observed", [file])["blocked"]
    assert file["path"] in words
    assert "it is a directory" in words


def test_a_file_in_the_place_of_a_folder(host, make_file):
    file = make_file("haproxy/haproxy.cfg")
    write(os.path.dirname(file["path"]))
    (words,) = host.run("observed", [file])["blocked"]
    assert "is no directory" in words


@pytest.mark.native
@pytest.mark.parametrize("letter", ["i", "a"])
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_chattr_keeps_from_being_replaced(host, make_file, letter: str, what: str):
    file = make_file()
    there = write(file["path"])
    target = there if what == "file" else there.parent
    if subprocess.run(["chattr", f"+{letter}", target], check=False, capture_output=True).returncode:
        pytest.skip("this file system, or this user, cannot")
    try:
        blocked = host.run("observed", [file])["blocked"]
        # An append-only folder takes a new file, and lets none be replaced.
        assert [f"chattr -{letter} {target}" in words for words in blocked] == [True]
        with pytest.raises(OSError, match="not permitted"):
            os.replace(write(str(there.with_name("new"))), there) if what == "file" else os.unlink(there)
    finally:
        subprocess.run(["chattr", f"-{letter}", target], check=True)


def test_a_full_disk_is_seen_before(obstacles, tmp_path: Path, monkeypatch):
    assert obstacles.lacking_space({str(tmp_path / "a"): 10}) == []
    real = os.statvfs(tmp_path)
    (words,) = obstacles.lacking_space({str(tmp_path / "no" / "a"): real.f_bfree * real.f_frsize})
    assert "bytes left" in words


# Units.


def a_unit(name: str = "x.service", enabled: bool = True, running: bool | None = True) -> dict:
    return {"daemon": "x", "name": name, "enabled": enabled, "running": running, "phase": 50}


def test_a_masked_unit_is_refused_before_anything_is_written(host, make_file):
    host.states["x.service"] = {"LoadState": "masked", "UnitFileState": "masked"}
    (words,) = host.run("observed", [make_file()], [a_unit()])["blocked"]
    assert "systemctl unmask x.service" in words


def test_a_unit_that_runs_and_would_be_stopped_is_asked_about(host, make_file):
    host.states["nginx.service"] = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "UnitFileState": "enabled",
    }
    wanted = [a_unit("nginx.service", enabled=False, running=False)]
    assert [each["unit"] for each in host.run("observed", [make_file()], wanted)["foreign"]] == [
        "nginx.service"
    ]
    host.states["nginx.service"]["ActiveState"] = "inactive"
    assert host.run("observed", [make_file()], wanted)["foreign"] == []


def test_what_a_person_did_to_units_is_named(host, make_file):
    file = make_file()
    host.run("present", [file], [a_unit()])
    host.states["x.service"] = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "UnitFileState": "disabled",
        "FragmentPath": "/etc/systemd/system/x.service",
        "DropInPaths": "/usr/lib/systemd/system/x.service.d/v.conf /etc/systemd/system/x.service.d/theirs.conf"
        " /run/systemd/system/x.service.d/50-pacemaker.conf",
    }
    words = "\n".join(host.run("observed", [file], [a_unit()])["notes"])
    assert "was disabled since hadeploy enabled it" in words
    assert "is defined by /etc/systemd/system/x.service" in words
    assert "x.service.d/theirs.conf" in words
    assert "v.conf" not in words
    assert "50-pacemaker" not in words


# What a person is shown.


def test_the_difference_shows_no_secret(shown):
    lines = shown.difference(
        THEIRS
        + "stats auth admin:opensesame\nurl https://bob:tellnobody@x/y\nauth_pass 4711\n"
        + "-----BEGIN RSA PRIVATE KEY-----\nMIIBinside\n-----END RSA PRIVATE KEY-----\nafter\n"
        + 'token=abc123\n"password": "quoted"\nx d41d8cd98f00b204e9800998ecf8427e\n',
        OURS,
        ("a", "b"),
    )
    text = "\n".join(lines)
    for secret in ("hunter2", "opensesame", "tellnobody", "4711", "MIIB", "abc123", "quoted", "d41d8"):
        assert secret not in text
    assert "-after" in text
    assert "log /dev/log local0" in text


def test_the_difference_is_bounded_and_obeys_no_control_character(shown):
    before = "\x1b[2J\u202eevil\r\n" + "".join(f"line {number}\n" for number in range(500)) + "y" * 5000
    lines = shown.difference(before, OURS, ("a", "b"))
    assert len(lines) <= shown.LONGEST + 1
    assert all(len(line) <= shown.WIDEST for line in lines)
    assert all(each.isprintable() for line in lines for each in line)
    assert "more lines" in lines[-1]


def test_a_file_that_others_cannot_read_is_not_shown(host, make_file):
    file = make_file()
    write(file["path"], mode=0o600)
    (found,) = host.run("observed", [file])["foreign"]
    assert "hunter2" not in str(found)
    assert "not shown" in "".join(found["lines"])


# One refusal.


def test_all_hosts_and_all_that_is_in_the_way_are_in_one_refusal(refusal):
    one = {"path": "/etc/a", "what": "root root 0644, 3 bytes", "lines": ["-x"]}
    seen = {
        "n1": {
            "foreign": [one, {"unit": "nginx.service", "lines": []}],
            "blocked": ["/etc/b: it is a directory"],
        },
        "n2": {"foreign": [one, {**one, "path": "/etc/c"}], "blocked": []},
    }
    known = {"n1": ["/etc/a", "/etc/b"], "n2": ["/etc/a", "/etc/c"]}
    words = refusal.refusal(seen, [], [], known)
    assert "/etc/a on n1, n2 (root root 0644, 3 bytes):" in words
    assert "--take-over-file /etc/a --take-over-file /etc/c" in words
    assert '-e \'{"hadeploy_take_over_files": ["/etc/a", "/etc/c"]}\'' in words
    assert "--take-over-unit nginx.service" in words
    assert "n1: /etc/b: it is a directory" in words
    assert [line.split()[0] for line in words.splitlines() if line.startswith("APPLY")] == [
        "APPLY091",
        "APPLY090",
        "APPLY095",
    ]
    seen["n1"]["blocked"] = []
    assert refusal.refusal(seen, ["/etc/a", "/etc/c@n2"], ["nginx.service"], known) == ""
    assert "APPLY092" in refusal.refusal(seen, ["/etc/a", "/etc/c@n1"], ["nginx.service"], known)
    assert "/etc/a on n2" in refusal.refusal(seen, ["/etc/a@n1", "/etc/c"], ["nginx.service"], known)


def test_what_would_be_closed_is_named_with_what_to_write(refusal):
    nothing = {"foreign": [], "blocked": []}
    exporter = {"protocol": "tcp", "port": 9100, "process": "node_exporter"}
    snmp = {"protocol": "udp", "port": 161, "process": "snmpd"}
    seen = {
        "n1": {
            **nothing,
            "firewall": {"closing": [exporter, snmp], "shut_out": False, "client": "192.0.2.9"},
        },
        "n2": {**nothing, "firewall": {"closing": [exporter], "shut_out": True, "client": "192.0.2.9"}},
        "n3": {**nothing, "firewall": {"closing": [], "shut_out": True, "client": ""}},
        "n4": nothing,
    }
    words = refusal.refusal(seen, [], [], {})
    assert words.splitlines()[1:3] == ["  n2 is reached from 192.0.2.9", "  n3 is not reached by SSH"]
    assert "  n1: udp/161 snmpd" in words
    assert "  n2: tcp/9100 node_exporter" in words
    line = words.partition("firewall: {allow: ")[2].partition("}\n")[0]
    assert line == "[{port: 9100, protocol: tcp}, {port: 161, protocol: udp}]"
    named = closing_of([RunEvent("n1", "Observe", "Refuse", "failed", message=words)])
    assert [(each.host, each.protocol, each.port, each.process) for each in named] == [
        ("n1", "tcp", 9100, "node_exporter"),
        ("n1", "udp", 161, "snmpd"),
        ("n2", "tcp", 9100, "node_exporter"),
    ]
    assert allow_line(named) == f"firewall: {{allow: {line}}}"
    for host in ("n2", "n3"):
        seen[host]["firewall"]["shut_out"] = False
    assert refusal.refusal(seen, [], [], {}, [each.variable for each in named]) == ""
    closed = [{"protocol": "tcp", "port": "9000-9100"}, {"protocol": "udp", "port": "161", "host": "n1"}]
    assert refusal.refusal(seen, [], [], {}, closed) == ""
    assert "n1: udp/161" in refusal.refusal(seen, [], [], {}, [closed[0], {**closed[1], "host": "n2"}])
    assert "n1: udp/161" in refusal.refusal(seen, [], [], {}, [{"protocol": "tcp", "port": "1-65535"}])
