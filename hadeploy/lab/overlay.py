"""SSH into the lab: keys made for it, host keys known from their making, and the inventory overlay that says so to Ansible."""

from __future__ import annotations

import shlex
from pathlib import Path

import yaml

from hadeploy.lab.plan import LabNode
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState

CONNECT_SECONDS = {False: 10, True: 30}
"""By whether the lab is emulated."""

EMULATED = {
    "ansible_ssh_timeout": CONNECT_SECONDS[True],
    "ansible_ssh_args": "-o ControlMaster=auto -o ControlPersist=600s -o ServerAliveInterval=15 -o ServerAliveCountMax=8",
}
"""A machine in software may be silent for half a minute and be well: compressing and new connections cost it seconds."""


def make_keys(state: LabState) -> None:
    """A key pair for the lab, a host key for each node, and the known_hosts that follows from them."""
    if not state.key.exists():
        run(
            [
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-C",
                f"lab {state.plan.name}",
                "-f",
                str(state.key),
            ]
        )
    known = []
    for node in state.plan.nodes:
        folder = state.ssh_folder(node.name)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = folder / "ssh_host_ed25519_key"
        if not key.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", node.name, "-f", str(key)])
        (folder / "authorized_keys").write_text(
            state.key.with_suffix(".pub").read_text(encoding="ascii"), encoding="ascii"
        )
        (folder / "authorized_keys").chmod(0o644)
        kind, public, *_ = key.with_suffix(".pub").read_text(encoding="ascii").split()
        known.append(f"{node.management_address} {kind} {public}")
    _write(state.known_hosts, "\n".join(known) + "\n")


def ssh_arguments(state: LabState) -> list[str]:
    """Options for ssh: the lab's key and known hosts, and a way in that needs no route from the host."""
    way_in = f"nsenter --net=/proc/{state.holder.pid}/ns/net socat - TCP:%h:%p,nodelay"
    return [
        "-o",
        f"UserKnownHostsFile={state.known_hosts}",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "GlobalKnownHostsFile=/dev/null",
        "-o",
        "IdentitiesOnly=yes",
        "-o",
        f"ProxyCommand={way_in}",
    ]


def ssh_argv(state: LabState, node: LabNode, *argv: str) -> list[str]:
    """The command line that runs ``argv`` on a node over SSH."""
    patience = CONNECT_SECONDS[state.is_emulated]
    options = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={patience}", "-i", str(state.key)]
    return [
        "ssh",
        *options,
        *ssh_arguments(state),
        f"root@{node.management_address}",
        "--",
        *map(shlex.quote, argv),
    ]


def write_overlay(state: LabState) -> None:
    """An inventory that only says how to reach the hosts; who they are comes from the project's own inventory."""
    hosts = {
        node.inventory_name or node.name: {
            "ansible_host": node.management_address,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(state.key),
            "ansible_ssh_common_args": shlex.join(ssh_arguments(state)),
            **(EMULATED if state.is_emulated else {}),
        }
        for node in state.plan.nodes
    }
    _write(state.overlay, yaml.safe_dump({"all": {"hosts": hosts}}, sort_keys=False))


def _write(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
