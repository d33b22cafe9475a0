"""How each host is reached: read by Ansible itself, from the same inventories and with the same settings as an apply."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hadeploy.design.design import Design
from hadeploy.project.dump import dump_variables, dump_yaml
from hadeploy.project.inventory import hosts_of, nodes_of
from hadeploy.project.paths import evaluated_part
from hadeploy.project.roles import result_names
from hadeploy.project.settings import ansible_settings
from hadeploy.run.ask import CONNECT_SECONDS, Reach
from hadeploy.run.conversation import Become
from hadeploy.run.errors import RunError
from hadeploy.run.private import in_memory, private_directory
from hadeploy.run.program import TIMED_OUT, Outcome, run_program
from hadeploy.run.surroundings import LOCALE, ansible_home
from hadeploy.run.vault import is_there
from hadeploy.spec.given_file import SpecialFileError, read_given, refuse_special

READER = Path(__file__).parent / "reader"
READER_SECONDS = 300
"""An inventory may be a program that asks a slow service."""

OWN_GROUPS = "hadeploy_"
ASKING = ("sudo", "ansible.builtin.sudo")
"""Become methods whose question for a password is understood without a terminal."""

SSH = "ssh"
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Access:
    """What a person says of how the hosts are reached, beside the topology.

    Attributes:
        inventories: files, folders and programs, as Ansible takes them; a later one wins.
        vault_file: variables that are secret; left out where it does not exist.
        vault_password: of that file, and of encrypted variables in inventories.
        become_password: that a person typed.
        project: a compiled one; variables that a person keeps beside its inventory are read as an apply reads them.
    """

    inventories: tuple[Path, ...] = ()
    vault_file: Path | None = None
    vault_password: bytes | None = field(default=None, repr=False)
    become_password: bytes | None = field(default=None, repr=False)
    project: Path | None = None

    @classmethod
    def of(cls, given: Access | Path | Sequence[Path] | None) -> Access:
        """From paths alone."""
        if isinstance(given, Access):
            return given
        paths = () if given is None else (given,) if isinstance(given, Path) else tuple(given)
        return cls(tuple(paths))

    @contextmanager
    def passwords(self) -> Iterator[list[str]]:
        """Arguments of ansible-playbook that say where the vault's password is: in memory, and in no argument."""
        with in_memory(self.vault_password or b"") as vault:
            yield ["--vault-password-file", vault] if self.vault_password else []


def known_inventories(given: Sequence[Path]) -> tuple[Path, ...]:
    """The inventories that a person named, as absolute paths: Ansible runs in another folder than the person.

    Raises:
        RunError: one is not there, or is an empty file.
    """
    return tuple(_known(Path(os.path.abspath(path))) for path in given)  # noqa: PTH100 (a link is kept: group_vars are beside it)


def refuse_evaluated(path: Path, what: str) -> None:
    """A path that Ansible is to read.

    Raises:
        RunError: Ansible would read another one.
    """
    part = evaluated_part(path)
    if part:
        raise RunError(
            "SPEC161",
            f"Ansible evaluates {part} in the path of the {what} {path}, and would read another file",
            "rename the folder or the file, or name it by another path",
        )


def _known(path: Path) -> Path:
    refuse_evaluated(path, "inventory")
    if not path.exists():
        raise RunError(
            "RUN002",
            f"the inventory {path} is not there",
            "name a file, folder or program that exists: a relative path is taken from the current folder",
        )
    for file in read_with(path):
        try:
            refuse_special(file)
        except SpecialFileError as error:
            raise RunError(
                "RUN006",
                f"the inventory {path} cannot be read: {error.strerror}"
                + (f" ({file})" if file != path else ""),
                "Ansible would read it without an end: name a file, or remove it from the folder",
            ) from error
        except OSError:
            continue  # a link to nothing, of which Ansible itself tells
    if not os.access(path, os.R_OK):
        raise RunError("RUN006", f"the inventory {path} cannot be read", "see to its rights")
    if path.is_file() and path.stat().st_size < 4096 and not read_given(path).strip():
        raise RunError("RUN006", f"the inventory {path} is empty", "name the hosts of the topology in it")
    return path


def read_with(inventory: Path) -> Iterator[Path]:
    """All files that Ansible may read for an inventory: it, those of a folder, and the variables beside a file."""
    beside = (inventory.parent / name for name in ("group_vars", "host_vars"))
    for place in [inventory] if inventory.is_dir() else [inventory, *beside]:
        if not place.is_dir():
            yield place
        for folder, _, names in os.walk(place, followlinks=False):
            yield from (Path(folder, name) for name in sorted(names))


def ansible_environment(configuration: Path, private: Path, access: Access) -> dict[str, str]:
    """What differs from the person's own environment wherever Ansible runs: an apply and a reader see the same.

    The project's ansible.cfg is the only one that counts, as in a plain ansible-playbook in the project's folder. A password
    that was typed is in the environment of this process's children, which only this user and root can read.
    """
    typed = {"ANSIBLE_BECOME_PASS": access.become_password.decode()} if access.become_password else {}
    return {
        **typed,
        "LC_ALL": LOCALE,
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_HOME": ansible_home(),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        # ansible-runner switches the check off where nobody says otherwise, and the environment wins over the file.
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_LOCAL_TEMP": str(private / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        # It would ask at a terminal that nobody sees: hadeploy asks itself (--ask-become-pass).
        "ANSIBLE_ASK_PASS": "False",
        "ANSIBLE_ASK_VAULT_PASS": "False",
        "ANSIBLE_BECOME_ASK_PASS": "False",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


def read_reaches(design: Design, access: Access) -> tuple[Reach, ...]:
    """How all hosts of a design are reached, nodes first. What is wrong with one host is said in its ``error``.

    Raises:
        RunError: an inventory cannot be read, lacks a host, or leads to one host for two.
    """
    known_inventories(access.inventories)
    if shutil.which("ssh") is None:
        raise RunError(
            "ENV002", "the program ssh is not on the PATH", "apt-get install openssh-client, or correct PATH"
        )
    nodes = nodes_of(design)
    with private_directory() as private:
        base = private / "inventory.yml"
        base.write_text(dump_variables(hosts_of(design)), encoding="utf-8")
        records = _run_reader(design, access, private)
    _refuse_foreign(records, nodes, access, str(base))
    found = {record["host"]: record for record in records if "host" in record}
    _refuse_results(records, access)
    reaches = tuple(_reach(node, found.get(name, {})) for name, node in nodes.items())
    _refuse_twins({node: found.get(name, {}) for name, node in nodes.items()}, access)
    return reaches


def _run_reader(design: Design, access: Access, private: Path) -> list[dict[str, Any]]:
    """What the reader appended, line by line."""
    configuration, playbook = private / "ansible.cfg", private / "site.yml"
    configuration.write_text(ansible_settings(design), encoding="utf-8")
    task = {"hadeploy_reach": {"results": list(result_names())}, "tags": ["always"]}
    play = {"hosts": list(nodes_of(design)), "gather_facts": False, "tasks": [task]}
    playbook.write_text(dump_yaml([play]), encoding="utf-8")
    for name in ("group_vars", "host_vars"):
        if access.project is not None and (access.project / name).is_dir():
            (private / name).symlink_to((access.project / name).resolve())
    sources = [private / "inventory.yml", *access.inventories]
    arguments = [str(playbook), *(word for source in sources for word in ("--inventory", str(source)))]
    environment = {
        **ansible_environment(configuration, private, access),
        "ANSIBLE_ACTION_PLUGINS": str(READER / "action_plugins"),
        "ANSIBLE_CALLBACK_PLUGINS": str(READER / "callback_plugins"),
        "ANSIBLE_STDOUT_CALLBACK": "hadeploy_reader",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(private / "cp"),
    }
    vault = access.vault_file if access.vault_password else None
    secrets = ["--extra-vars", f"@{vault.resolve()}"] if vault is not None and is_there(vault) else []
    # An inventory may refer to a secret of the vault; most do not, and then its password need not be known.
    for more in (secrets, []) if secrets else ([],):
        with access.passwords() as passwords:
            outcome, records = _heard([*arguments, *passwords, *more], environment)
        if any("host" in record for record in records):
            return records
    raise _failed(outcome, access)


def _heard(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Outcome, list[dict[str, Any]]]:
    """Run the reader, which appends what it finds to memory of this process: passwords are in it."""
    with os.fdopen(os.memfd_create("hadeploy-reader", os.MFD_CLOEXEC), "rb") as memory:
        outcome = run_program(
            [sys.executable, str(READER / "program.py"), *arguments],
            seconds=READER_SECONDS,
            environment={**environment, "HADEPLOY_READER": f"/proc/{os.getpid()}/fd/{memory.fileno()}"},
        )
        memory.seek(0)
        return outcome, [json.loads(line) for line in memory.read().splitlines()]


def _failed(outcome: Outcome, access: Access) -> RunError:
    """Ansible's own reason, where it says which inventory it does not understand."""
    if outcome.code == TIMED_OUT:
        return RunError(
            "RUN024",
            f"Ansible has not read the inventory within {READER_SECONDS} s",
            "look with: ansible-inventory --list " + " ".join(f"-i {path}" for path in access.inventories),
        )
    source = re.search(r"Completely failed to parse inventory source (.+)", outcome.stderr)
    if source is None:
        errors = re.findall(r"^\[?ERROR[]!]:? *(.+)", outcome.stderr, re.MULTILINE)
        words = errors[0] if errors else next(iter(outcome.words.splitlines()[-1:]), "it said nothing")
        return RunError("RUN024", f"Ansible does not start: {words}")
    path = source[1].strip()
    return RunError(
        "RUN006",
        f"Ansible cannot parse the inventory {path}: {_reason(Path(path), outcome.stderr)}",
        "correct it, for example: all: {hosts: {n1: {ansible_host: 192.0.2.1}}} in a file that ends with .yml",
    )


def _reason(path: Path, words: str) -> str:
    """Of all plugins that tried the file, what the one says that it was written for."""
    said: dict[str, str] = {}
    for plugin, reason in re.findall(r"Failed to parse inventory with '([^']+)' plugin: (.+)", words):
        said.setdefault(plugin.rpartition(".")[2], reason.removeprefix("Failed to parse inventory: "))
    if path.suffix in (".yml", ".yaml", ".json"):
        first = ["auto", "yaml"] if "no root 'plugin' key" not in said.get("auto", "") else ["yaml"]
    else:
        first = ["script", "ini"] if path.is_file() and os.access(path, os.X_OK) else ["ini"]
    reason = next(
        (said[plugin] for plugin in (*first, *said) if plugin in said), "nothing in it names a host"
    )
    place = re.search(rf"Origin: {re.escape(str(path))}:(\d+(?::\d+)?)", words)
    return f"{reason.rstrip('.')} (line {place[1]})" if place else reason.rstrip(".")


def _refuse_foreign(
    records: Sequence[Mapping[str, Any]], nodes: Mapping[str, str], access: Access, base: str
) -> None:
    """Hosts of the topology that a given inventory does not name, and groups of ours that it fills."""
    read = next((record for record in records if "named" in record), None)
    if read is None or not access.inventories:
        return
    named = {host for source, hosts in read["named"].items() if source != base for host in hosts}
    where = ", ".join(str(path) for path in access.inventories)
    missing = [name for name in nodes if name not in named]
    if missing:
        known = ", ".join(sorted(named)) or "none"
        example = missing[0]
        raise RunError(
            "RUN021",
            f"the inventory {where} does not name {', '.join(_called(name, nodes) for name in missing)}; "
            f"its hosts: {known}",
            f"add {example} to the inventory, or say in the topology what the inventory calls it: "
            f"nodes: {{{nodes[example]}: {{inventory_name: ...}}}}",
        )
    for group, hosts in read["groups"].items():
        foreign = [host for host in hosts if host not in nodes]
        if group.startswith(OWN_GROUPS) and foreign:
            raise RunError(
                "RUN025",
                f"the inventory {where} puts {', '.join(foreign)} into the group {group}, which is hadeploy's own",
                f"take {', '.join(foreign)} out of {group}, or give the group another name",
            )


def _called(name: str, nodes: Mapping[str, str]) -> str:
    return name if nodes[name] == name else f"{name} ({nodes[name]})"


def _refuse_results(records: Sequence[Mapping[str, Any]], access: Access) -> None:
    """Variables of an inventory that a role would take for what one of its own tasks has found."""
    names = sorted({name for record in records for name in record.get("results", ())})
    if names:
        where = ", ".join(str(path) for path in access.inventories) or "the environment"
        raise RunError(
            "RUN026",
            f"the inventory {where} sets {', '.join(names)}, where hadeploy's roles keep what they find on the hosts",
            f"give {', '.join(names)} another name in the inventory",
        )


def _refuse_twins(found: Mapping[str, Mapping[str, Any]], access: Access) -> None:
    """Two nodes that are one host: each would be configured as the other."""
    seen: dict[str, str] = {}
    for node, record in found.items():
        if not record.get("address"):
            continue
        way = [record["connection"], record["address"], record.get("port"), record.get("way")]
        other = seen.setdefault(json.dumps(way), node)
        if other != node:
            where = ", ".join(str(path) for path in access.inventories) or "the topology"
            raise RunError(
                "RUN023",
                f"{other} and {node} are the same host in {where}: {record['address']}"
                + (f" port {record['port']}" if record.get("port") else ""),
                f"give {node} an ansible_host of its own",
            )


def _reach(node: str, record: Mapping[str, Any]) -> Reach:
    address = str(record.get("address", ""))
    why_not = _why_not(record)
    if why_not:
        return Reach(node, address, error=why_not)
    patience = max(CONNECT_SECONDS, int(record["patience"]))
    wish = record["become"]
    become = Become(wish["method"], wish["prompt"], wish["success"], wish["password"]) if wish else None
    argv = list(record["argv"])
    if record["connection"] == SSH:
        # A connection of its own, not one that an apply left open: what is asked is whether the host can be reached now.
        options = ["-o", "ControlPath=none", "-o", f"ConnectTimeout={patience}"]
        argv[1:1] = [*options, *(() if record["password"] else ("-o", "BatchMode=yes"))]
    return Reach(node, address, tuple(argv), become, record.get("password", ""), patience)


def _why_not(record: Mapping[str, Any]) -> str:
    """Why a host cannot be asked, as far as the inventory tells."""
    if not record:
        return "Ansible did not say how to reach it"
    if record.get("error"):
        first = str(record["error"]).strip().splitlines()[0]
        hint = " Export HADEPLOY_VAULT_PASSWORD" if "no vault secrets" in first else ""
        return f"the inventory does not say how to reach it: {first.removeprefix('Task failed: ')}{hint}"
    if record["connection"] not in (SSH, LOCAL):
        return f"connection plugin {record['connection']} is not known to status: ssh is"
    if record.get("unserved"):
        return f"ansible_{record['unserved'][0]} is not known to status: ansible_ssh_private_key_file is"
    become = record["become"]
    if become and become["password"] and become["method"] not in ASKING:
        return f"become method {become['method']} with a password is not known to status: sudo is"
    return ""
