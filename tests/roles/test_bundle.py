from __future__ import annotations

import base64
import os
import re
from pathlib import Path

import pytest

SECRET = "opensesame-4711"


@pytest.fixture
def make_file(bundled, tmp_path: Path):
    return lambda name="a.conf", content="one\n", **more: bundled(tmp_path / name, content, **more)


def test_what_was_written_does_not_differ(files, make_file):
    file = make_file()
    assert files.differs(file, {})
    files.write(file, b"one\n")
    assert not files.differs(file, {})


def test_content_mode_and_links_differ(files, make_file, tmp_path: Path):
    file = make_file()
    path = Path(file["path"])
    files.write(file, b"one\n")
    path.write_text("two\n")
    assert files.differs(file, {})
    files.write(file, b"one\n")
    path.chmod(0o600)
    assert files.differs(file, {})
    path.unlink()
    (tmp_path / "elsewhere").write_text("one\n")
    (tmp_path / "elsewhere").chmod(0o644)
    path.symlink_to(tmp_path / "elsewhere")
    assert files.differs(file, {})
    files.write(file, b"one\n")
    assert not path.is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "one\n"


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(files, make_file, tmp_path: Path, monkeypatch):
    file = make_file()
    files.write(file, b"one\n")

    def refuse(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(OSError, match="no space"):
        files.write(file, b"two\n")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"a.conf": b"one\n"}


def test_the_final_mode_is_there_before_the_file_is(files, make_file, monkeypatch):
    file = make_file(mode="0400")
    seen = []
    replace = os.replace

    def look(source: str, target: str) -> None:
        seen.append(files.mode_text(Path(source).stat().st_mode))
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", look)
    files.write(file, b"x")
    assert seen == ["0400"]


def test_secrets_are_resolved_and_keys_decoded(files, make_file):
    text = make_file(content="password @@hadeploy:p@@\n", secrets=["p"])
    assert files.wanted_bytes(text, {"p": SECRET}) == f"password {SECRET}\n".encode()
    key = make_file(content="@@hadeploy:k@@", secrets=["k"], encoding="base64")
    assert files.wanted_bytes(key, {"k": base64.b64encode(b"\0\1").decode()}) == b"\0\1"
    with pytest.raises(ValueError, match="not base64"):
        files.wanted_bytes(key, {"k": "not base64!"})


def test_a_diff_never_shows_secrets(files, make_file):
    file = make_file(content="password @@hadeploy:p@@\n", secrets=["p"])
    shown = files.file_diff(file, b"password former\n", files.wanted_bytes(file, {"p": SECRET}))
    assert SECRET not in str(shown)
    assert "former" not in str(shown)
    assert shown["before"] != shown["after"]


def test_a_diff_does_not_show_what_others_could_not_read(files, make_file):
    file = make_file()
    files.write({**file, "mode": "0600"}, b"password former\n")
    shown = files.file_diff(file, b"password former\n", b"one\n")
    assert "former" not in str(shown)


def test_a_diff_of_the_mode_alone_shows_no_content(files, make_file):
    file = make_file()
    files.write({**file, "mode": "0600"}, b"one\n")
    shown = files.file_diff(file, b"one\n", b"one\n")
    assert (shown["before"], shown["after"]) == ("", "")
    assert shown["before_header"].endswith("0600)")
    assert shown["after_header"].endswith("0644)")


def test_another_mode_alone_tells_nobody(bundle, files, make_file):
    file = make_file()
    files.write({**file, "mode": "0600"}, b"one\n")
    assert files.differs(file, {})
    assert bundle.tell_of([file], {}) == {}
    Path(file["path"]).write_text("two\n")
    assert bundle.tell_of([file], {}) == {"x.service": "reload"}


def test_paths_are_redirected_whole_and_the_longest_first(staging):
    staged = {"/etc/a": "/run/s/etc/a", "/etc/a/b.key": "/run/s/etc/a/b.key"}
    text = 'keyfile: /etc/a/b.key\n"/etc/a"; /etc/ab /x/etc/a /etc/a/other\n'
    assert staging.redirect(text, staged) == (
        'keyfile: /run/s/etc/a/b.key\n"/run/s/etc/a"; /etc/ab /x/etc/a /etc/a/other\n'
    )


def test_a_verdict_needs_the_code_and_the_words(staging):
    check = {"accept": [0, 78], "reject_output": [r"\berror:"]}
    assert staging.verdict(check, 78, "warning: x")
    assert not staging.verdict(check, 1, "")
    assert not staging.verdict(check, 0, "error: x")


class FakeModule:
    """AnsibleModule as far as staging and writing need it."""

    def __init__(self, *, check_mode: bool = False, **params: object) -> None:
        self.check_mode = check_mode
        self.params = {"secrets": {}, "units": [], **params}
        self.commands: list[list[str]] = []
        self.warnings: list[str] = []
        self.outcome: tuple[int, str, str] = (0, "", "")
        self.programs = {"parser": "/bin/parser", "systemctl": "/bin/systemctl"}

    def get_bin_path(self, name: str, required: bool = False) -> str | None:
        return self.programs.get(name)

    def run_command(self, argv: list[str], **_: object) -> tuple[int, str, str]:
        self.commands.append(argv)
        return self.outcome

    def fail_json(self, msg: str, **_: object) -> None:
        raise AssertionError(msg)

    def warn(self, words: str) -> None:
        self.warnings.append(words)


CHECK = {"argv": ["parser", "{staged}"], "accept": [0], "user": "root", "reject_output": []}


@pytest.fixture
def stages(staging, tmp_path: Path, monkeypatch) -> Path:
    folder = tmp_path / "run"
    monkeypatch.setattr(staging, "STAGES", str(folder))
    return folder


def test_staging_checks_changed_files_and_leaves_nothing(files, staging, make_file, stages: Path):
    module = FakeModule(files=[make_file(check=CHECK), make_file("b.conf", check=CHECK)])
    files.write(module.params["files"][1], b"one\n")
    assert staging.stage(module)["checked"] == [module.params["files"][0]["path"]]
    ((program, staged),) = module.commands
    assert program == "/bin/parser"
    assert staged.startswith(str(stages))
    assert list(stages.iterdir()) == []
    assert not Path(module.params["files"][0]["path"]).exists()


def test_a_refused_file_fails_with_the_parsers_words(staging, make_file, stages: Path):
    module = FakeModule(files=[make_file(check=CHECK)])
    module.outcome = (1, "", "line 1: nonsense")
    with pytest.raises(AssertionError, match=r"(?s)line 1: nonsense"):
        staging.stage(module)
    assert list(stages.iterdir()) == []


def test_a_parser_that_is_missing_fails_but_in_check_mode(staging, make_file, stages: Path):
    module = FakeModule(files=[make_file(check=CHECK)])
    module.programs = {}
    with pytest.raises(AssertionError, match="is not installed"):
        staging.stage(module)
    module.check_mode = True
    assert len(staging.stage(module)["unchecked"]) == 1


FIXED = {"argv": ["cmap"], "values": {"totem.cluster_name": "shop", "totem.transport": "knet"}}


@pytest.mark.parametrize(
    ("running", "words"),
    [
        ((0, "totem.cluster_name (str) = shop\ntotem.transport (str) = knet\n", ""), ""),
        (
            (0, "totem.cluster_name (str) = debian\ntotem.transport (str) = knet\n", ""),
            "cluster_name is debian",
        ),
        ((0, "totem.cluster_name (str) = shop\ntotem.transport (str) = udpu\n", ""), "transport is udpu"),
        ((1, "", "Failed to initialize the cmap API. Error CS_ERR_LIBRARY"), ""),
    ],
)
def test_what_a_daemon_takes_only_when_it_starts(staging, make_file, stages: Path, running, words):
    """Written and not taken would be a file that says one thing and a cluster that does another."""
    module = FakeModule(files=[make_file(check=CHECK, fixed=FIXED)])
    module.programs = {"parser": "/bin/parser", "cmap": "/bin/cmap"}
    module.run_command = lambda argv, **_: running if argv == ["/bin/cmap"] else (0, "", "")
    if words:
        with pytest.raises(AssertionError, match=f"(?s){words}.*only when it starts"):
            staging.stage(module)
    else:
        staging.stage(module)


@pytest.fixture
def memory(bundle, pending_memory, owned, tmp_path: Path, monkeypatch) -> Path:
    path, ours = tmp_path / "memory" / "pending.json", tmp_path / "memory" / "owned.json"
    monkeypatch.setattr(bundle, "load_owned", lambda: owned.load_owned(str(ours)))
    monkeypatch.setattr(bundle, "save_owned", lambda found: owned.save_owned(found, str(ours)))
    monkeypatch.setattr(bundle, "load", lambda: pending_memory.load(str(path)))
    monkeypatch.setattr(bundle, "save", lambda pending: pending_memory.save(pending, str(path)))
    return path


def test_check_mode_writes_nothing(bundle, make_file, memory: Path):
    module = FakeModule(files=[make_file()], check_mode=True)
    result = bundle.establish(module)
    assert result["changed"]
    assert result["tell"] == {"x.service": "reload"}
    assert not Path(module.params["files"][0]["path"]).exists()
    assert not memory.exists()


def test_an_interrupted_write_is_remembered(bundle, pending_memory, make_file, memory: Path, monkeypatch):
    """Ends after the first file: what must be told was on disk before it."""
    module = FakeModule(files=[make_file(), make_file("b.conf", unit="y.service", on_change="restart")])
    write = bundle.write

    def stop_after_the_first(file: dict, content: bytes) -> None:
        write(file, content)
        raise KeyboardInterrupt

    monkeypatch.setattr(bundle, "write", stop_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        bundle.establish(module)
    assert pending_memory.load(str(memory))["units"] == {"x.service": "reload", "y.service": "restart"}
    monkeypatch.setattr(bundle, "write", write)
    result = bundle.establish(module)
    assert result["written"] == [module.params["files"][1]["path"]]
    assert result["tell"] == {"x.service": "reload", "y.service": "restart"}


def test_a_unit_that_left_the_design_is_forgotten(
    bundle, files, pending_memory, make_file, memory: Path, monkeypatch
):
    """Else it would be pending for ever: no role would ever tell it."""
    monkeypatch.setattr(bundle, "show", lambda *_: {})
    file = make_file()
    bundle.establish(FakeModule(files=[file]))
    pending_memory.save(
        {"units": {"gone.service": "reload", "x.service": "reload"}, "daemon_reload": False}, str(memory)
    )
    module = FakeModule(files=[file], units=[], packages={}, users=[], addresses=[], host="n1")
    seen = bundle.observe(module)
    assert seen["pending"]["tell"] == {"x.service": "reload"}
    assert seen["daemons"] == ["x"]
    Path(file["path"]).write_text("two\n")
    bundle.establish(module)
    assert pending_memory.load(str(memory))["units"] == {"x.service": "reload"}


def test_a_unit_that_reads_none_of_the_files_is_remembered_too(
    bundle, pending_memory, make_file, memory: Path
):
    """corosync-qdevice is to be restarted for its certificates, which are no files of the bundle."""
    unit = {"name": "client.service", "daemon": "x", "enabled": True, "running": True, "phase": 50}
    pending_memory.save({"units": {"client.service": "restart"}, "daemon_reload": False}, str(memory))
    bundle.establish(FakeModule(files=[make_file()], units=[unit]))
    assert pending_memory.load(str(memory))["units"]["client.service"] == "restart"


def test_a_second_write_changes_nothing(bundle, make_file, memory: Path):
    module = FakeModule(files=[make_file()])
    assert bundle.establish(module)["changed"]
    assert not bundle.establish(module)["changed"]


def test_unit_files_are_read_anew(bundle, files, make_file, memory: Path, monkeypatch):
    monkeypatch.setattr(files, "UNIT_DIRECTORIES", (os.path.dirname(make_file()["path"]) + "/",))
    module = FakeModule(files=[make_file("x.service", unit="")])
    bundle.establish(module)
    assert module.commands == [["/bin/systemctl", "daemon-reload"]]
    assert not memory.exists()


def test_every_option_is_documented(bundle, units, cib, cluster, certificate):
    import yaml

    for module in (bundle, units, cib, cluster, certificate):
        documented = yaml.safe_load(module.DOCUMENTATION)
        assert documented["options"]
        assert yaml.safe_load(module.EXAMPLES)
        assert yaml.safe_load(module.RETURN)
        named = set(re.findall(r'"(\w+)": \{"type"', Path(module.__file__).read_text()))
        assert named | {"run"} == set(documented["options"])


@pytest.mark.parametrize(
    "state", ["observed", "present", "units_removed", "settled", "stopped", "files_removed"]
)
def test_an_empty_bundle_is_no_reason_to_stop_everything(bundle, monkeypatch, state):
    monkeypatch.setattr(bundle, "under_lock", lambda _: None)
    monkeypatch.setitem(bundle.STATES, state, lambda _: pytest.fail("it was held against an empty bundle"))
    module = FakeModule(state=state, files=[], lock=False, part="")
    monkeypatch.setattr(bundle, "AnsibleModule", lambda **_: module)
    with pytest.raises(AssertionError, match="no bundle was given"):
        bundle.main()
