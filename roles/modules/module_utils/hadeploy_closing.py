# SPDX-License-Identifier: Apache-2.0
"""Who can reach this host today, and could not any more under the rule set that is wanted."""

from __future__ import annotations

import ipaddress
import re

from ansible.module_utils.hadeploy_owned import load_owned
from ansible.module_utils.hadeploy_rules import RULES, holds, lets_in, loaded_table
from ansible.module_utils.hadeploy_sockets import KERNEL, PROC, ephemeral, text_of, waiting
from ansible.module_utils.hadeploy_ssh import ssh_connection


def look_at_firewall(module) -> dict:
    """What the wanted rule set would take away: C(closing) sockets, and the C(client) of this connection where C(shut_out)."""
    wanted = "".join(file["content"] for file in module.params["files"] if file["path"] == RULES)
    table = loaded_table(module)
    connection = ssh_connection()
    client = connection.client if connection else ""
    return {
        "closing": closing(
            lets_in(wanted), None if table is None else lets_in(table), units_of(load_owned())
        ),
        "client": client,
        "shut_out": shut_out(client, module.params["ssh_from"]),
    }


def units_of(owned: dict) -> set[str]:
    """Units that hadeploy brought or configured: what leaves the topology is closed because a person said so there."""
    return {*owned["units"], *(str(file.get("unit", "")) for file in owned["files"].values())}


def _unit(pid: int, proc: str) -> str:
    """The systemd unit of a process (systemd.unit(5), cgroups(7)); empty where it has none."""
    found = re.findall(r"/([^/\n]+\.service)\b", text_of(f"{proc}/{pid}/cgroup"))
    return found[-1] if found else ""


def closing(wanted: dict, today: dict | None, ours: set[str] = frozenset(), proc: str = PROC) -> list[dict]:
    """Sockets that others can reach today and could not any more; each port once.

    A UDP socket with a port that the kernel chose is a client's, which nobody new calls: of those, only what the kernel has
    itself (WireGuard) is named.

    Args:
        wanted: what the new rule set lets in.
        today: what our table lets in now; None where it is not there, so that nothing of ours closes anything.
        ours: units of hadeploy, whose sockets are not asked about.
        proc: where the kernel's tables are.
    """
    first, last = ephemeral(proc)
    found: dict[tuple[str, int], str] = {}
    for socket, holders in waiting(proc):
        if holds(wanted, socket.protocol, socket.port):
            continue
        if today is not None and not holds(today, socket.protocol, socket.port):
            continue
        if socket.protocol == "udp" and first <= socket.port <= last and holders:
            continue
        if holders and _unit(holders[0].pid, proc) in ours:
            continue
        if found.get((socket.protocol, socket.port), KERNEL) == KERNEL:
            found[socket.protocol, socket.port] = holders[0].name if holders else KERNEL
    return [
        {"protocol": protocol, "port": port, "process": who}
        for (protocol, port), who in sorted(found.items())
    ]


def shut_out(client: str, sources: list[str]) -> bool:
    """Whether who is connected could not connect any more. Who comes from this host itself (a proxy) always can."""
    if not sources:
        return False
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return True
    networks = list(map(ipaddress.ip_network, sources))
    return not address.is_loopback and not any(
        address.version == network.version and address in network for network in networks
    )
