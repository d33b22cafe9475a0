# SPDX-License-Identifier: Apache-2.0
"""Where SSH comes into this host: a fact of the host, which no topology knows."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import NamedTuple

from ansible.module_utils.hadeploy_sockets import (
    ESTABLISHED,
    PROC,
    Owner,
    owners,
    plain,
    sockets,
    text_of,
    waiting,
)

SSH_PORTS = "@@host:ssh-ports@@"
"""Stands in a compiled file for the ports; see hadeploy/daemons/artifact.py."""

DAEMONS = ("sshd", "dropbear")
SOCKET_UNITS = re.compile(r"(?:ssh|sshd|dropbear)(?:[-@.].*)?\.socket")
SERVED = re.compile(r"(?:ssh|sshd|dropbear)(?:@.*)?\.service")
LISTENER = re.compile(r"sshd: .*\[listener\]")
"""How the process that listens calls itself; those of sessions may listen too, for what they forward."""


class NoPortError(ValueError):
    """Nothing on this host says where SSH comes in."""


class Connection(NamedTuple):
    """The SSH connection that this process was started over, as this host sees it."""

    client: str
    client_port: int
    port: int


def ssh_connection(proc: str = PROC) -> Connection | None:
    """Of the nearest ancestor that has one. sudo clears its environment, so the daemon's own socket is looked at too."""
    ancestors = list(_ancestors(proc))
    for pid in ancestors:
        found = re.search(r"(?:^|\0)SSH_CONNECTION=([^\0]*)", text_of(f"{proc}/{pid}/environ"))
        words = found[1].split() if found else []
        if len(words) == 4 and words[1].isdigit() and words[3].isdigit():
            return Connection(_host(words[0]), int(words[1]), int(words[3]))
    daemons = {pid for pid in ancestors if text_of(f"{proc}/{pid}/comm").strip().startswith(DAEMONS)}
    if not daemons:
        return None
    by_inode = owners(proc)
    for socket in sockets(proc):
        holders = {owner.pid for owner in by_inode.get(socket.inode, [])}
        if socket.protocol == "tcp" and socket.state == ESTABLISHED and holders & daemons:
            return Connection(str(socket.peer), socket.peer_port, socket.port)
    return None


def _host(text: str) -> str:
    """Without the interface that a link-local address is said with."""
    try:
        return str(plain(ipaddress.ip_address(text.partition("%")[0])))
    except ValueError:
        return text


def _ancestors(proc: str):
    pid = os.getpid()
    while pid > 1:
        yield pid
        parent = re.search(r"^PPid:\s*(\d+)$", text_of(f"{proc}/{pid}/status"), re.MULTILINE)
        pid = int(parent[1]) if parent else 0


def ssh_ports(module, proc: str = PROC) -> list[int]:
    """Ports where SSH is let in: on which a daemon listens, which it would listen on, and of the connection in use.

    Raises:
        NoPortError: there is none of these.
    """
    connection = ssh_connection(proc)
    found = {connection.port} if connection else set()
    found |= {
        socket.port for socket, holders in waiting(proc) if socket.protocol == "tcp" and _listens(holders)
    }
    found |= set(_socket_units(module)) | set(_configured(module))
    if not found:
        raise NoPortError(
            "APPLY080 the port of SSH is not known on this host: no sshd or ssh.socket listens, `sshd -T` names none, and "
            "this connection is not one of SSH. A rule set that lets in another port would cut SSH off. Start sshd, or set "
            "`firewall: false`"
        )
    return sorted(found)


def _listens(holders: list[Owner]) -> bool:
    """Whether the daemon itself has the socket: root's, and not a session that forwards a port."""
    return any(
        owner.user == 0
        and owner.name in DAEMONS
        and (
            os.path.basename(owner.command.split(" ")[0]) in DAEMONS
            or LISTENER.match(owner.command) is not None
        )
        for owner in holders
    )


def _socket_units(module) -> list[int]:
    """Ports on which systemd listens for sshd."""
    systemctl = module.get_bin_path("systemctl")
    if systemctl is None:
        return []
    argv = [systemctl, "show", "--property=Id,ActiveState,Listen,Triggers", "--", "*.socket"]
    _, out, _ = module.run_command(argv, environ_update={"LC_ALL": "C"})
    return parse_socket_units(out)


def parse_socket_units(text: str) -> list[int]:
    """Of ``systemctl show``: one block a unit, one line ``Listen=address:port (Stream)`` a socket."""
    found = []
    for block in text.split("\n\n"):
        lines = [line.partition("=") for line in block.splitlines()]
        said = {key: value for key, _, value in lines if key != "Listen"}
        for_ssh = SOCKET_UNITS.fullmatch(said.get("Id", "")) or any(
            SERVED.fullmatch(unit) for unit in said.get("Triggers", "").split()
        )
        if not for_ssh or said.get("ActiveState") not in ("active", "activating"):
            continue
        listens = [value for key, _, value in lines if key == "Listen"]
        for each in listens:
            address = re.fullmatch(r"(\S*):(\d+) \(Stream\)", each)
            if address and not _is_loopback(address[1]):
                found.append(int(address[2]))
    return found


def _configured(module) -> list[int]:
    """Ports of sshd's own configuration, as it would be read by its next start."""
    sshd = module.get_bin_path("sshd")
    if sshd is None:
        return []
    code, out, _ = module.run_command([sshd, "-T"], environ_update={"LC_ALL": "C"})
    return parse_sshd(out) if code == 0 else []


def parse_sshd(text: str) -> list[int]:
    """Of ``sshd -T``: where it says on which addresses, those; it prints a port that they do not use all the same."""
    addresses = re.findall(r"^listenaddress (\S+):(\d+)$", text, re.MULTILINE)
    if addresses:
        return [int(port) for address, port in addresses if not _is_loopback(address)]
    return [int(port) for port in re.findall(r"^port (\d+)$", text, re.MULTILINE)]


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return text == "localhost"


def with_ssh_ports(module, files: list[dict], proc: str = PROC) -> None:
    """Put the ports where their placeholder stands; only the first, since strings of a topology come after it.

    Raises:
        NoPortError: a file needs them, and nothing says which they are.
    """
    needing = [file for file in files if SSH_PORTS in file.get("content", "") and file.get("facts")]
    if not needing:
        return
    ports = ", ".join(map(str, ssh_ports(module, proc)))
    for file in needing:
        file["content"] = file["content"].replace(SSH_PORTS, ports, 1)
