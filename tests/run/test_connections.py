"""Ansible's own reading of an inventory is what status and drill go by: the same programs with the same arguments."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from hadeploy.design.design import Design
from hadeploy.project.dump import dump_yaml
from hadeploy.project.inventory import hosts_of
from hadeploy.project.settings import ansible_settings
from hadeploy.run import conversation
from hadeploy.run.ansible import apply_project
from hadeploy.run.ask import ANSWER_SECONDS, CONNECT_SECONDS, ask_hosts
from hadeploy.run.connections import Access, known_inventories, read_reaches
from hadeploy.run.errors import RunError
from hadeploy.run.events import RunEvent
from hadeploy.run.vault import ensure_generated, read_vault

from .strangers import Strangers

pytestmark = pytest.mark.programs

PASSWORD = "opensesame-4711"
VAULT = b"vault-4712"
OURS = ["-o", "ControlPath=none", "-o", f"ConnectTimeout={CONNECT_SECONDS}"]
"""What is asked in our own way: over a connection of its own, without a long wait."""


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Strangers:
    made = Strangers(tmp_path / "strangers")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    return made


@pytest.fixture
def design(design_of: Callable[..., Design]) -> Design:
    """Two nodes that the inventory calls by other names."""
    found = design_of("active-passive")
    members = tuple(
        replace(member, inventory_name=f"db{number}.example.com")
        for number, member in enumerate(found.members, start=1)
    )
    return replace(found, members=members)


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


def vaulted(text: str) -> str:
    from ansible.constants import DEFAULT_VAULT_IDENTITY
    from ansible.parsing.vault import VaultLib, VaultSecret

    lines = VaultLib([(DEFAULT_VAULT_IDENTITY, VaultSecret(VAULT))]).encrypt(text).decode().splitlines()
    return "!vault |\n" + "".join(f"  {line}\n" for line in lines)


def ini(folder: Path) -> list[Path]:
    """An INI file with group_vars beside it: user, port, sudo without a password."""
    file = folder / "hosts.ini"
    file.write_text(
        "[database]\ndb1.example.com ansible_host=192.0.2.1\ndb2.example.com ansible_host=192.0.2.2\n"
        "other.example.com\n"
    )
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "database.yml").write_text(
        "ansible_user: admin\nansible_port: 2222\nansible_become: true\n"
    )
    return [file]


def hosts_yaml(folder: Path) -> list[Path]:
    """YAML with templates, a bastion, a key and a longer patience."""
    file = folder / "hosts.yaml"
    common = {
        "bastion": "jump@203.0.113.1:2200",
        "ansible_ssh_common_args": "-o ProxyJump={{ bastion }}",
        "ansible_ssh_extra_args": "-o 'SetEnv=A=b c'",
        "ansible_ssh_private_key_file": "~/keys/{{ inventory_hostname }}",
        "ansible_ssh_timeout": 30,
        "ansible_user": "root",
        "ansible_become": True,
    }
    hosts = {f"db{n}.example.com": {"ansible_host": f"192.0.2.{n}"} for n in (1, 2)}
    file.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": common}}))
    return [file]


def directory(folder: Path) -> list[Path]:
    """A folder with hosts, their host_vars, and a constructed plugin."""
    (folder / "1-hosts").write_text("db1.example.com role=db\ndb2.example.com role=db\n")
    (folder / "2-constructed.yml").write_text(
        "plugin: ansible.builtin.constructed\nstrict: true\ngroups: {far: role == 'db'}\n"
    )
    (folder / "host_vars").mkdir()
    for number in (1, 2):
        (folder / "host_vars" / f"db{number}.example.com.yml").write_text(f"ansible_host: 192.0.2.{number}\n")
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "far.yml").write_text("ansible_ssh_common_args: -o ProxyCommand='nc %h %p'\n")
    return [folder]


def script(folder: Path) -> list[Path]:
    """A program, and a second source that wins over it."""
    file = folder / "hosts.py"
    file.write_text(
        f"#!{sys.executable}\nimport json\nhosts = {{f'db{{n}}.example.com': {{'ansible_host': f'192.0.2.{{n}}',"
        " 'ansible_user': 'lost'} for n in (1, 2)}\n"
        "print(json.dumps({'_meta': {'hostvars': hosts}, 'all': {'hosts': list(hosts)}}))\n"
    )
    file.chmod(0o755)
    more = folder / "more.ini"
    more.write_text("[all:vars]\nansible_user=found\n")
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "all").write_text("ansible_user: ignored\n")
    return [file, more]


def encrypted(folder: Path) -> list[Path]:
    """The password that sudo wants, encrypted among the variables of a group."""
    file = folder / "hosts"
    file.write_text("[db]\ndb1.example.com ansible_host=192.0.2.1\ndb2.example.com ansible_host=192.0.2.2\n")
    (folder / "group_vars").mkdir()
    (folder / "group_vars" / "db.yml").write_text(
        f"ansible_user: admin\nansible_become: true\nansible_become_password: {vaulted(PASSWORD)}"
    )
    return [file]


KINDS = [ini, hosts_yaml, directory, script, encrypted]


def project_for(design: Design, folder: Path) -> Path:
    """A project as compiled, but for its playbook: one task, which a host must answer."""
    folder.mkdir()
    (folder / "ansible.cfg").write_text(ansible_settings(design))
    (folder / "inventory.yml").write_text(dump_yaml(hosts_of(design)))
    ask = {"name": "Ask", "ansible.builtin.command": {"argv": ["echo", "here"]}, "changed_when": False}
    (folder / "site.yml").write_text(
        dump_yaml([{"name": "Ask", "hosts": "all:&hadeploy_cluster", "gather_facts": False, "tasks": [ask]}])
    )
    return folder


def options(call: list[str]) -> list[str]:
    """Without the command, and without what differs from run to run."""
    return [word for word in call[:-1] if not word.startswith("ControlPath=")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_programs_are_started_as_ansible_does(
    kind: Callable[[Path], list[Path]], design: Design, inventory: Path, strangers: Strangers, tmp_path: Path
):
    access = Access(known_inventories(kind(inventory)), vault_password=VAULT)
    if kind is encrypted:
        strangers.says("password", PASSWORD)
    project = project_for(design, tmp_path / "project")
    seen: list[RunEvent] = []
    names = {"db1.example.com": "n1", "db2.example.com": "n2"}
    result = apply_project(project, access=access, names=names, on_event=seen.append)
    assert result.succeeded, result.failures
    assert [count.host for count in result.hosts] == ["n1", "n2"]
    assert {event.host for event in seen if event.host} == {"n1", "n2"}
    theirs, theirs_sudo = strangers.calls("ssh"), strangers.calls("sudo")

    reaches = read_reaches(design, access)
    assert strangers.calls("ssh") == []
    answers = ask_hosts({reach.host: (reach, ("echo", "it's $HOME")) for reach in reaches}, "")
    assert {name: (a.output, a.error) for name, a in answers.items()} == dict.fromkeys(
        ("n1", "n2"), ("it's $HOME\n", "")
    )
    ours, ours_sudo = strangers.calls("ssh"), strangers.calls("sudo")

    expected = {tuple(options(call)) for call in theirs if call[0] != "-O"}
    patience = [
        "-o",
        "ControlPath=none",
        "-o",
        f"ConnectTimeout={30 if kind is hosts_yaml else CONNECT_SECONDS}",
    ]
    added = [word for word in [*patience, "-o", "BatchMode=yes"] if not word.startswith("ControlPath=")]
    found = set()
    for call in ours:
        mine = options(call)
        assert mine[: len(added)] == added
        found.add(tuple(mine[len(added) :]))
    assert found == expected
    assert len(ours) == 2

    def asked(calls: list[list[str]]) -> set[tuple[str, ...]]:
        return {
            tuple(word for word in call[: call.index("/bin/sh")] if "[sudo via ansible" not in word)
            for call in calls
        }

    assert asked(ours_sudo) == asked(theirs_sudo)
    assert bool(ours_sudo) is (kind in (ini, encrypted))
    spoken = [word for call in [*ours, *ours_sudo] for word in call]
    assert not any(PASSWORD in word for word in spoken)
    assert set(strangers.tries) <= {PASSWORD}


def test_the_password_goes_to_sudo_alone(design: Design, inventory: Path, strangers: Strangers):
    """Where sudo does not ask for it, it is not said: it would be the first line of what Python is given."""
    reaches = read_reaches(design, Access(known_inventories(encrypted(inventory)), vault_password=VAULT))
    question = ("python3", "-c", "import sys; print(sys.stdin.read(), end='')")
    answers = ask_hosts({reach.host: (reach, question) for reach in reaches}, "first\nsecond\n")
    assert {answer.output for answer in answers.values()} == {"first\nsecond\n"}
    assert strangers.tries == []
    strangers.says("password", PASSWORD)
    answers = ask_hosts({reach.host: (reach, question) for reach in reaches}, "first\nsecond\n")
    assert {answer.output for answer in answers.values()} == {"first\nsecond\n"}
    assert strangers.tries == [PASSWORD, PASSWORD]


def test_a_wrong_password_is_tried_once(design: Design, inventory: Path, strangers: Strangers):
    reaches = read_reaches(design, Access(known_inventories(encrypted(inventory)), vault_password=VAULT))
    strangers.says("password", "another")
    answers = ask_hosts({reach.host: (reach, ("true",)) for reach in reaches[:1]}, "")
    assert answers["n1"].error == "sudo did not accept the become password"
    assert strangers.tries == [PASSWORD]


def test_a_typed_password_is_handed_on_in_memory(
    design: Design, inventory: Path, strangers: Strangers, tmp_path: Path
):
    strangers.says("password", PASSWORD)
    access = Access(known_inventories(ini(inventory)), become_password=PASSWORD.encode())
    answers = ask_hosts({reach.host: (reach, ("echo", "yes")) for reach in read_reaches(design, access)}, "")
    assert {answer.output for answer in answers.values()} == {"yes\n"}
    result = apply_project(project_for(design, tmp_path / "project"), access=access)
    assert result.succeeded, result.failures


REFUSALS = {
    "admin@192.0.2.1: Permission denied (publickey).\n": "SSH: admin@192.0.2.1: Permission denied (publickey).",
    "ssh: connect to host 192.0.2.1 port 2222: Connection timed out\n": (
        "SSH: connect to host 192.0.2.1 port 2222: Connection timed out"
    ),
    "": "SSH: the connection was closed",
    "channel 0: open failed\nstdio forwarding failed\nConnection closed by UNKNOWN port 65535\n": (
        "SSH: channel 0: open failed; stdio forwarding failed; Connection closed by UNKNOWN port 65535"
    ),
}


def test_a_host_that_cannot_be_reached_says_why(design: Design, inventory: Path, strangers: Strangers):
    reach = read_reaches(design, Access(known_inventories(ini(inventory))))[0]
    for refused, reason in REFUSALS.items():
        strangers.says("refused", refused)
        assert ask_hosts({"n1": (reach, ("true",))}, "")["n1"].error == reason


def test_what_a_shell_prints_is_no_part_of_the_answer(design: Design, inventory: Path, strangers: Strangers):
    reach = read_reaches(design, Access(known_inventories(ini(inventory))))[0]
    strangers.says("bashrc", 'Welcome!\n{"units": "none"}\nno end of line')
    assert ask_hosts({"n1": (reach, ("echo", "x"))}, "")["n1"].output == "x\n"
    strangers.says("password", PASSWORD)
    assert ask_hosts({"n1": (reach, ("echo", "x"))}, "")["n1"].error == (
        "sudo wants a password: set ansible_become_password, or use --ask-become-pass"
    )


def test_a_host_without_python_says_so_in_one_line(design: Design, inventory: Path, strangers: Strangers):
    (inventory / "i").write_text(
        "[all:vars]\nansible_python_interpreter=/no/such/python\n[x]\ndb1.example.com\ndb2.example.com\n"
    )
    reach = read_reaches(design, Access((inventory / "i",)))[0]
    error = ask_hosts({"n1": (reach, ("true",))}, "")["n1"].error
    assert error.startswith("no answer of Python: ")
    assert "/no/such/python" in error
    assert "\n" not in error


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        (
            {"ansible_become": True, "ansible_become_method": "su", "ansible_become_password": "x"},
            "become method su with a password is not known to status: sudo is",
        ),
        ({"ansible_connection": "psrp"}, "connection plugin psrp is not known to status: ssh is"),
        ({"ansible_host": "{{ nobody }}"}, "the inventory does not say how to reach it: "),
        ({"ansible_connection": "no.such.plugin"}, "the inventory does not say how to reach it: "),
    ],
)
def test_a_way_that_status_does_not_go_is_named(
    variables: dict, reason: str, design: Design, inventory: Path, strangers: Strangers
):
    hosts = {"db1.example.com": variables, "db2.example.com": {}}
    (inventory / "i.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    first, second = read_reaches(design, Access((inventory / "i.yml",)))
    assert ask_hosts({"n1": (first, ("true",))}, "")["n1"].error.startswith(reason)
    assert ask_hosts({"n2": (second, ("echo", "x"))}, "")["n2"].output == "x\n"
    assert len(strangers.calls("ssh")) == 1


def test_who_does_not_ask_is_gone_through_whatever_its_name(
    design: Design, inventory: Path, strangers: Strangers, monkeypatch: pytest.MonkeyPatch
):
    hosts = {f"db{n}.example.com": {} for n in (1, 2)}
    become = {"ansible_become": True, "ansible_become_method": "su", "ansible_user": "admin"}
    (inventory / "i.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": become}}))
    reach = read_reaches(design, Access((inventory / "i.yml",)))[0]
    assert ask_hosts({"n1": (reach, ("echo", "x"))}, "")["n1"].output == "x\n"
    monkeypatch.setattr(conversation, "MOST_BYTES", 1000)
    strangers.says("bashrc", "y\n" * 1000)
    assert "that are no answer" in ask_hosts({"n1": (reach, ("echo", "x"))}, "")["n1"].error


def test_encrypted_variables_without_the_password_are_unknown_with_the_reason(
    design: Design, inventory: Path, strangers: Strangers
):
    reach = read_reaches(design, Access(known_inventories(encrypted(inventory))))[0]
    assert reach.error.startswith("the inventory does not say how to reach it: ")
    assert "vault" in reach.error.lower()
    assert PASSWORD not in repr(reach)


def test_a_secret_of_the_vault_may_be_referred_to_and_another_s_vault_is_no_obstacle(
    design: Design, inventory: Path, strangers: Strangers
):
    vault = inventory / "secrets.vault.yml"
    ensure_generated(vault, ["hadeploy_key"], VAULT)
    secret = read_vault(vault, VAULT)["hadeploy_key"]
    (inventory / "i").write_text(
        "[all:vars]\nansible_user=me\nansible_become=true\nansible_become_password='{{ hadeploy_key }}'\n"
        "[x]\ndb1.example.com\ndb2.example.com\n"
    )
    strangers.says("password", secret)
    access = Access((inventory / "i",), vault_file=vault, vault_password=VAULT)
    assert ask_hosts({"n1": (read_reaches(design, access)[0], ("echo", "x"))}, "")["n1"].output == "x\n"
    stranger = replace(access, inventories=tuple(ini(inventory)), vault_password=b"of something else")
    assert read_reaches(design, stranger)[0].error == ""


def test_a_password_of_the_login_is_told_by_a_program_of_ours(
    design: Design, inventory: Path, strangers: Strangers
):
    """As ssh(1) has it (SSH_ASKPASS): in no argument, in no file of a disk, and only where a password is asked for."""
    (inventory / "i").write_text(
        f"[all:vars]\nansible_password={PASSWORD}\n[x]\ndb1.example.com\ndb2.example.com\n"
    )
    reach = read_reaches(design, Access((inventory / "i",)))[0]
    assert PASSWORD not in repr(reach)
    ssh = strangers.programs / "ssh"
    ssh.write_text(
        '#!/bin/sh\n[ "$("$SSH_ASKPASS" "me@x\'s password: ")" = "$WANTED" ] || { echo no >&2; exit 255; }\n'
        '"$SSH_ASKPASS" "Are you sure you want to continue connecting (yes/no)?" && exit 254\n'
        + ssh.read_text().removeprefix("#!/bin/sh\n")
    )
    os.environ["WANTED"] = PASSWORD
    try:
        assert ask_hosts({"n1": (reach, ("echo", "x"))}, "")["n1"].output == "x\n"
    finally:
        del os.environ["WANTED"]
    (call,) = strangers.calls("ssh")
    assert PASSWORD not in shlex.join(call)
    assert "BatchMode=yes" not in call


def test_slow_hosts_get_as_much_more_time_for_their_answer(design: Design, inventory: Path):
    patient = read_reaches(design, Access(known_inventories(hosts_yaml(inventory))))[0]
    assert patient.answer_seconds == ANSWER_SECONDS * 30 // CONNECT_SECONDS
    usual = read_reaches(design, Access())[0]
    assert usual.answer_seconds == ANSWER_SECONDS


def test_a_relative_path_is_taken_from_the_current_folder(
    design: Design, inventory: Path, strangers: Strangers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Ansible runs in the project: before, it did not find the file, warned of it, and configured production."""
    ini(inventory)
    monkeypatch.chdir(inventory)
    project = project_for(design, tmp_path / "project")
    assert apply_project(project, access=Access((Path("hosts.ini"),))).succeeded
    assert {call[-2] for call in strangers.calls("ssh") if call[0] != "-O"} == {"192.0.2.1", "192.0.2.2"}


def test_other_relative_paths_are_taken_from_there_too(
    design: Design, inventory: Path, strangers: Strangers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A key in the inventory, a vault's password file in the environment: as where a person runs Ansible."""
    encrypted(inventory)
    (inventory / "password").write_bytes(VAULT)
    monkeypatch.chdir(inventory)
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", "password")
    with (inventory / "hosts").open("a") as stream:
        stream.write("[db:vars]\nansible_ssh_private_key_file=keys/id\n")
    access = Access((Path("hosts"),))
    reach = read_reaches(design, access)[0]
    assert 'IdentityFile="keys/id"' in reach.argv
    assert ask_hosts({"n1": (reach, ("echo", "x"))}, "")["n1"].output == "x\n"
    result = apply_project(project_for(design, tmp_path / "project"), access=access)
    assert result.succeeded, result.failures
    assert strangers.folders == {str(inventory)}


def test_what_a_person_keeps_in_the_project_counts_as_for_an_apply(
    design: Design, strangers: Strangers, tmp_path: Path
):
    project = project_for(design, tmp_path / "project")
    for folder, name, port in (("group_vars", "all", 1), ("host_vars", "db2.example.com", 2)):
        (project / folder).mkdir()
        (project / folder / f"{name}.yml").write_text(f"ansible_port: {port}\n")
    assert apply_project(project, access=Access()).succeeded
    theirs = {
        (call[-2], word) for call in strangers.calls("ssh") for word in call if word.startswith("Port=")
    }
    reaches = read_reaches(design, Access(project=project))
    ours = {(reach.address, word) for reach in reaches for word in reach.argv if word.startswith("Port=")}
    assert ours == theirs
    assert {word for _, word in ours} == {"Port=1", "Port=2"}


@pytest.mark.timeout(120)
def test_nothing_waits_for_a_password_that_nobody_is_asked_for(
    design: Design, inventory: Path, strangers: Strangers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """ansible-playbook asks at its terminal, and that of an apply is nobody's."""
    for name in ("ANSIBLE_BECOME_ASK_PASS", "ANSIBLE_ASK_PASS", "ANSIBLE_ASK_VAULT_PASS"):
        monkeypatch.setenv(name, "True")
    access = Access(known_inventories(ini(inventory)))
    assert ask_hosts({"n1": (read_reaches(design, access)[0], ("echo", "x"))}, "")["n1"].output == "x\n"
    assert apply_project(project_for(design, tmp_path / "project"), access=access).succeeded


UNPARSED = {
    "broken.yml": "all:\n  hosts: [db1.example.com, \n",
    "no-inventory.yml": "- a list\n",
    "broken.ini": "[db\ndb1.example.com\n",
    "empty": "\n",
    "script": "#!/bin/sh\nexit 3\n",
    "words": "#!/bin/sh\necho not JSON\n",
    "folder/broken.ini": "[db\n",
}


@pytest.mark.parametrize("name", UNPARSED)
def test_an_inventory_that_ansible_cannot_parse_is_refused(
    name: str, design: Design, inventory: Path, strangers: Strangers, tmp_path: Path
):
    file = inventory / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(UNPARSED[name])
    if UNPARSED[name].startswith("#!"):
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    source = inventory / name.partition("/")[0]
    with pytest.raises(RunError) as caught:
        read_reaches(design, Access((source,)))
    assert caught.value.code == "RUN006"
    assert str(file) in caught.value.message
    if name != "empty":
        result = apply_project(project_for(design, tmp_path / "project"), access=Access((source,)))
        assert not result.succeeded
    assert strangers.calls("ssh") == []


def test_one_bad_inventory_of_several_is_enough(design: Design, inventory: Path):
    broken = inventory / "broken.yml"
    broken.write_text("all: [")
    with pytest.raises(RunError) as caught:
        read_reaches(design, Access((*ini(inventory), broken)))
    assert (caught.value.code, str(broken) in caught.value.message) == ("RUN006", True)


def test_an_inventory_that_is_not_there_is_named(design: Design, tmp_path: Path):
    with pytest.raises(RunError) as caught:
        read_reaches(design, Access((tmp_path / "nowhere",)))
    assert (caught.value.code, str(tmp_path / "nowhere") in caught.value.message) == ("RUN002", True)


def test_all_hosts_that_an_inventory_lacks_are_named(design: Design, inventory: Path):
    (inventory / "i").write_text("n1\nn2\ndb2.example.com\n")
    with pytest.raises(RunError) as caught:
        read_reaches(design, Access((inventory / "i",)))
    assert caught.value.code == "RUN021"
    assert "db1.example.com (n1)" in caught.value.message
    assert "its hosts: db2.example.com, n1, n2" in caught.value.message


def test_two_nodes_are_never_one_host(design: Design, inventory: Path):
    (inventory / "i").write_text(
        "db1.example.com ansible_host=192.0.2.1\ndb2.example.com ansible_host=192.0.2.1\n"
    )
    with pytest.raises(RunError) as caught:
        read_reaches(design, Access((inventory / "i",)))
    assert caught.value.code == "RUN023"
    assert "n1 and n2" in caught.value.message
    (inventory / "i").write_text(
        "db1.example.com ansible_host=192.0.2.1 ansible_port=1\ndb2.example.com ansible_host=192.0.2.1 ansible_port=2\n"
    )
    assert len(read_reaches(design, Access((inventory / "i",)))) == 2


def test_groups_of_ours_are_not_filled_by_an_inventory(design: Design, inventory: Path):
    """Somebody who copied the compiled inventory has them, with the same hosts: that is no harm."""
    text = (
        "[hadeploy_cluster]\ndb1.example.com ansible_host=192.0.2.1\ndb2.example.com ansible_host=192.0.2.2\n"
    )
    (inventory / "i").write_text(text)
    assert len(read_reaches(design, Access((inventory / "i",)))) == 2
    (inventory / "i").write_text(text + "db3.example.com\n")
    with pytest.raises(RunError) as caught:
        read_reaches(design, Access((inventory / "i",)))
    assert caught.value.code == "RUN025"
    assert "db3.example.com" in caught.value.message


def test_a_variable_that_roles_keep_results_in_is_refused_by_name(design: Design, inventory: Path):
    (inventory / "i").write_text(
        "db1.example.com bundle_written=x\ndb2.example.com\n[all:vars]\nobserve_result=1\n"
    )
    with pytest.raises(RunError) as caught:
        read_reaches(design, Access((inventory / "i",)))
    assert caught.value.code == "RUN026"
    assert "bundle_written, observe_result" in caught.value.message


def test_where_no_inventory_is_given_the_topology_says_where_the_hosts_are(design: Design):
    reaches = read_reaches(design, Access())
    assert [(reach.host, reach.address, reach.argv[-2]) for reach in reaches] == [
        (member.name, member.management_address, member.management_address) for member in design.members
    ]


def test_an_arbiter_that_is_set_up_is_a_host_like_the_others(
    design_of: Callable[..., Design], inventory: Path
):
    change = ("    host: arbiter ", "    inventory_name: Witness-1.example.com\n    host: arbiter ")
    design = design_of("quorum-device", change)
    assert design.arbiter is not None
    names = [member.name for member in design.members]
    (inventory / "i").write_text("\n".join(names))
    with pytest.raises(RunError) as caught:
        read_reaches(design, Access((inventory / "i",)))
    assert f"Witness-1.example.com ({design.arbiter.host})" in caught.value.message
    (inventory / "i").write_text("\n".join([*names, "Witness-1.example.com ansible_port=2222"]))
    last = read_reaches(design, Access((inventory / "i",)))[-1]
    assert last.host == design.arbiter.host
    assert "Port=2222" in last.argv
