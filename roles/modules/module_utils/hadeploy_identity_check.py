# SPDX-License-Identifier: Apache-2.0
"""Whether every host is the node that is meant, and belongs to no other deployment. On the controller, before anything else.

What is wrong with all hosts is said at once, each mistake once: a host of somebody else is not told to change its name.
"""

from __future__ import annotations

from hashlib import sha256

TAKE_OVER = "hadeploy apply --take-over {0}, or ansible-playbook -e hadeploy_take_over={0}"


def refusals(
    deployment: dict, nodes: dict[str, str], seen: dict[str, dict], accepted=(), arbiter: str = ""
) -> list[str]:
    """Why no host may be changed, a paragraph each; nothing where all may.

    Args:
        deployment: id (empty where none was made yet) and name.
        nodes: the node that each host is meant to be, by its name in the inventory.
        seen: what each host said of itself (hadeploy_identity.look), by its name in the inventory.
        accepted: ids of other deployments whose hosts a person gave to this one.
        arbiter: which of the nodes is the quorum device's host. It may serve several clusters, so it belongs to none, and may
            have any host name that is no node's.
    """
    hosts = {host: Host(host, nodes[host], seen[host], is_arbiter=nodes[host] == arbiter) for host in seen}
    same = _same_machine(deployment, hosts)
    told = {host for pair in same for host in pair}
    foreign, unknown = {}, []
    for host in hosts.values():
        if host.is_arbiter or host.name in told:
            continue
        if host.seen["unknown"]:
            unknown.append(_unknown(host))
            told.add(host.name)
        for owner in owners(host.seen, deployment):
            if owner["id"] not in accepted:
                foreign.setdefault((owner["id"], owner["name"]), []).append((host, owner))
                told.add(host.name)
    return [
        *(_same(*(hosts[host] for host in pair)) for pair in same),
        *unknown,
        *(_foreign(deployment, found) for found in foreign.values()),
        *(
            words
            for host in hosts.values()
            if host.name not in told
            for words in _name(host, hosts, deployment, accepted)
        ),
    ]


class Host:
    """One host: what it is called in the inventory, which node it is meant to be, what it says of itself."""

    def __init__(self, name: str, node: str, seen: dict, *, is_arbiter: bool) -> None:
        self.name = name
        self.node = node
        self.seen = seen
        self.is_arbiter = is_arbiter

    def __str__(self) -> str:
        return self.node if self.name == self.node else f"{self.node} (in the inventory: {self.name})"


def former_id(name: str) -> str:
    """What stands for the id of a deployment that was set up before there were ids: the same on all its hosts."""
    return "d-" + sha256(f"without an id: {name}".encode()).hexdigest()[:16]


def owners(seen: dict, deployment: dict) -> list[dict]:
    """Other deployments that a host belongs to (id, name, node, since)."""
    record = seen["record"]
    if not record:
        names = [name for name in seen["names"] if name != deployment["name"]]
        return [{"id": former_id(name), "name": name, "node": "", "since": ""} for name in names]
    if not record["id"]:
        return [] if record["name"] == deployment["name"] else [{**record, "id": former_id(record["name"])}]
    return [] if (record["id"], record["name"]) == (deployment["id"], deployment["name"]) else [record]


def _is_ours(seen: dict, deployment: dict) -> bool:
    return bool(seen["record"] or seen["names"]) and not owners(seen, deployment)


def _same_machine(deployment: dict, hosts: dict[str, Host]) -> list[tuple[str, str]]:
    """Pairs of hosts that are one machine. Clones of one image are not, but only a cluster that is there may be of such."""
    found = []
    names = list(hosts)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            first, second = hosts[one].seen, hosts[other].seen
            if (
                not first["machine"]
                or first["machine"] == "uninitialized"
                or first["machine"] != second["machine"]
            ):
                continue
            kept = _is_ours(first, deployment) and _is_ours(second, deployment)
            if first["boot"] == second["boot"] or not (
                kept or hosts[one].is_arbiter or hosts[other].is_arbiter
            ):
                found.append((one, other))
    return found


def _same(one: Host, other: Host) -> str:
    if one.seen["boot"] == other.seen["boot"]:
        return (
            f"APPLY072 {one} and {other} are the same machine ({one.seen['uname']}): what the one does to survive the loss of"
            " the other would be lost with it. Correct the address of one of them"
        )
    return (
        f"APPLY072 {one} and {other} have the same machine id ({one.seen['machine']}), as clones of one image do: services that"
        f" tell machines apart by it (DHCP leases, journals) take them for one. Give one of them its own, and restart it:"
        f" rm -f /etc/machine-id /var/lib/dbus/machine-id && systemd-machine-id-setup"
    )


def _unknown(host: Host) -> str:
    words = host.seen["unknown"]
    return (
        f"APPLY074 {host}: {words}, so it is not known which deployment the host belongs to. Where it is damaged, and the"
        " host is one of this deployment, remove that file on the host: it is then known by the files that hadeploy wrote"
        " there. Where it cannot be read, connect as root or with become"
    )


def _foreign(deployment: dict, found: list[tuple[Host, dict]]) -> str:
    owner = found[0][1]
    names = ", ".join(_as_known(host, each) for host, each in found)
    belongs = "belongs" if len(found) == 1 else "belong"
    words = f"APPLY073 {names} {belongs} to the deployment {owner['name']} ({owner['id']})"
    return f"{words}, not to {_called(deployment)}: {_what_then(deployment, owner)}"


def _as_known(host: Host, owner: dict) -> str:
    also = [f"host name {host.seen['uname']}"] if host.seen["uname"] not in (host.node, owner["node"]) else []
    also += [f"its node {owner['node']}"] if owner["node"] and owner["node"] != host.node else []
    return f"{host} ({', '.join(also)})" if also else str(host)


def _called(deployment: dict) -> str:
    return (
        f"{deployment['name']} ({deployment['id']})"
        if deployment["id"]
        else f"{deployment['name']}, which has no id yet"
    )


def _what_then(deployment: dict, owner: dict) -> str:
    """What an apply would do, and what to do instead, by how the two differ."""
    consequence = "an apply would stop its services there and remove its configuration."
    take = f"To take the hosts away from it: {TAKE_OVER.format(owner['id'])}"
    if owner["id"] == deployment["id"]:
        return (
            f"the topology has its id and another name. {consequence} If the topology's file was copied, remove the copied"
            f" .id file beside it: it is a deployment of its own. If {owner['name']} was renamed to {deployment['name']}:"
            f" {TAKE_OVER.format(owner['id'])}"
        )
    if owner["name"] == deployment["name"] and owner["id"] != former_id(owner["name"]):
        return (
            f"another topology of the same name. {consequence} If it is the same deployment, and the .id file beside its"
            f" topology was not committed, write {owner['id']} into the .id file beside this topology. If not, correct the"
            f" addresses of the hosts. {take}"
        )
    return f"{consequence} Correct the addresses of the hosts. {take}"


def _name(host: Host, hosts: dict[str, Host], deployment: dict, accepted) -> list[str]:
    """What is wrong with a host's name, and with the node that it was."""
    uname = host.seen["uname"]
    other = _meant_by(uname, host, hosts)
    if other is not None:
        return [
            (
                f"APPLY071 {host}: the host at this address is {other} (uname -n: {uname}). What is meant for {host.node} would"
                f" be done to {other.node}, to its data too. Correct the address of {host.node}: in the topology, or"
                " ansible_host in the inventory"
            )
        ]
    if host.is_arbiter:
        return []
    if uname != host.node:
        return [_rename(host, f"its host name is {uname} (uname -n)")]
    if host.seen["hostname"] not in ("", host.node):
        return [
            _rename(
                host, f"its host name will be {host.seen['hostname']} after the next boot (/etc/hostname)"
            )
        ]
    record = host.seen["record"]
    if not record or record["node"] == host.node or owners(host.seen, deployment):
        return []
    own = record["id"] or former_id(record["name"])
    if own not in accepted:
        return [
            (
                f"APPLY075 {host}: this host was set up as {record['node']} of this deployment, and its host name is"
                f" {host.node} now. Its data and its node id are those of {record['node']}. Correct the address of {host.node},"
                f" or give the host its name back: hostnamectl set-hostname {record['node']}. If it is meant to become"
                f" {host.node}: {TAKE_OVER.format(own)}"
            )
        ]
    return []


def _rename(host: Host, words: str) -> str:
    return (
        f"APPLY070 {host}: {words}, not {host.node}. Pacemaker, DRBD and PostgreSQL find themselves in their configuration by"
        f" the host name, so they would not start there. Run on that host: hostnamectl set-hostname {host.node}"
    )


def _meant_by(uname: str, host: Host, hosts: dict[str, Host]) -> Host | None:
    """Another host of the topology that this one is by its name, with or without a domain."""
    if uname == host.node:
        return None
    for other in hosts.values():
        if other is host:
            continue
        if uname == other.node:
            return other
        if uname.partition(".")[0] == other.node and other.seen["uname"] != other.node:
            return other
    return None
