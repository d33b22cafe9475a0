# SPDX-License-Identifier: Apache-2.0
"""The rule set of this host: the one that is wanted, the one that is kept, and what both let in.

Three files, so that no moment is without a way back: RULES is what the topology wants. KEPT is what boot loads, and what a
rule set that nobody confirmed goes back to; it becomes RULES only once a new SSH connection has been made under them. ARMED
says that RULES are loaded and not confirmed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil

from ansible.module_utils.hadeploy_files import present_bytes, write
from ansible.module_utils.hadeploy_owned import load_owned, save_owned
from ansible.module_utils.hadeploy_pending import STATE_DIRECTORY, sync_directory

UNIT = "hadeploy-firewall.service"
TIMER = "hadeploy-firewall-return.timer"
RETURN = "hadeploy-firewall-return.service"
RULES = "/etc/hadeploy/firewall.nft"
KEPT = "/etc/hadeploy/firewall.kept.nft"
STATE = f"{STATE_DIRECTORY}/firewall"
ARMED = f"{STATE}/armed.json"
RETURNED = f"{STATE}/returned"
"""Written by RETURN, in hadeploy/daemons/firewall."""

TABLE = ("inet", "hadeploy")
ABSENT = "table inet hadeploy\ndelete table inet hadeploy\n"
"""No table of ours, in one transaction, whether there was one or not."""

FORMER = "/etc/nftables.conf"
FORMER_UNIT = "nftables.service"
"""What earlier versions of hadeploy wrote their rules to. Stopping that unit would flush every table of the host."""

HANDED_BACK = b"""#!/usr/sbin/nft -f
# hadeploy keeps its rules in /etc/hadeploy/firewall.kept.nft since it no longer writes this file: it is yours again.
"""

PORTS = re.compile(r"\b(tcp|udp) dport (?:\{([^}]*)\}|(\S+))")


def lets_in(text: str) -> dict[str, list[tuple[int, int]]]:
    """Ports that a rule set of hadeploy lets in, from wherever, as ranges by protocol."""
    found: dict[str, list[tuple[int, int]]] = {"tcp": [], "udp": []}
    defined = re.search(r"^define ssh_ports = \{([^}]*)\}", text, re.MULTILINE)
    for line in text.splitlines():
        rule, _, rest = line.partition(' comment "')
        match = PORTS.search(rule) if rule.rstrip().endswith("accept") and rest else None
        if match is None:
            continue
        ports = match[2] if match[2] is not None else match[3]
        ports = defined[1] if ports == "$ssh_ports" and defined else ports
        for part in filter(None, (each.strip() for each in ports.split(","))):
            first, _, last = part.partition("-")
            if first.isdigit() and (last or first).isdigit():
                found[match[1]].append((int(first), int(last or first)))
    return found


def holds(ports: dict[str, list[tuple[int, int]]], protocol: str, port: int) -> bool:
    """Whether a port is among them."""
    return any(first <= port <= last for first, last in ports.get(protocol, []))


def loaded_table(module) -> str | None:
    """The table in the kernel as nft prints it; None where there is none, or no nft."""
    nft = module.get_bin_path("nft")
    if nft is None:
        return None
    code, out, _ = module.run_command(
        [nft, "--stateless", "list", "table", *TABLE], environ_update={"LC_ALL": "C"}
    )
    return out if code == 0 else None


def former_rules(module) -> str:
    """What is in force before hadeploy loads anything here: the table of an earlier version, or none."""
    table = loaded_table(module)
    return ABSENT if table is None else f"{ABSENT}\n{table}"


def replace(path: str, content: bytes) -> None:
    """Replace a file of ours in one step, on disk before this returns."""
    write({"path": path, "owner": "root", "group": "root", "mode": "0644"}, content)


def read_armed() -> dict | None:
    """The rule set that is loaded and not confirmed; None where there is none. One that cannot be read is one."""
    try:
        with open(ARMED, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_armed(record: dict) -> None:
    """Remember what is about to be loaded, before it is; and afterwards, what it is known by in force."""
    os.makedirs(STATE, mode=0o700, exist_ok=True)
    replace(ARMED, json.dumps({"version": 1, **record}, sort_keys=True).encode())


def remove(path: str) -> None:
    """Remove a file of ours; on disk before this returns."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
        sync_directory(os.path.dirname(path))


def drifted(module, files: list[dict]) -> bool:
    """Whether the rules in force are not those that are wanted, although the files may be."""
    if all(file["path"] != RULES for file in files):
        return False
    return (
        read_armed() is not None
        or present_bytes(KEPT) != present_bytes(RULES)
        or loaded_table(module) is None
        or FORMER in load_owned()["files"]
        or FORMER_UNIT in load_owned()["units"]
    )


def hand_back() -> bool:
    """Give back what an earlier version of hadeploy wrote over; whether there was any. Nothing is stopped for it."""
    owned = load_owned()
    if FORMER not in owned["files"] and FORMER_UNIT not in owned["units"]:
        return False
    if FORMER in owned["files"] and os.path.lexists(FORMER):
        write({"path": FORMER, "owner": "root", "group": "root", "mode": "0755"}, HANDED_BACK)
    owned["files"].pop(FORMER, None)
    owned["units"].pop(FORMER_UNIT, None)
    save_owned(owned)
    return True


def forget(module) -> None:
    """The topology wants no firewall any more: nothing of ours stays, and nothing comes back."""
    systemctl = module.get_bin_path("systemctl")
    if systemctl is not None:
        module.run_command([systemctl, "stop", "--", TIMER, RETURN])
    nft = module.get_bin_path("nft")
    if nft is not None and loaded_table(module) is not None:
        module.run_command([nft, "delete", "table", *TABLE], check_rc=True)
    remove(KEPT)
    shutil.rmtree(STATE, ignore_errors=True)
