"""What is taken: units, mount points, devices and names that belong to the system, to the cluster or to hadeploy itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import normpath
from typing import TYPE_CHECKING

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.arbiter import is_managed
from hadeploy.spec.reserved_places import in_the_way
from hadeploy.spec.service import UNIT_SUFFIXES, NginxMember, OcfMember, ServiceGroup, SystemdMember
from hadeploy.spec.source import KeyPath, SourceMap
from hadeploy.spec.topology import ActiveActive, ClusteredTopology

if TYPE_CHECKING:
    from hadeploy.spec.load import LoadedTopology

Findings = Iterator[Diagnostic]

CLUSTER_UNITS = frozenset(
    {
        "corosync",
        "corosync-notifyd",
        "corosync-qdevice",
        "corosync-qnetd",
        "drbd",
        "pacemaker",
        "pacemaker_remote",
    }
    | {"pacemaker-remote", "pcsd", "sbd", "sbd_remote", "crm_mon", "keepalived"}
)
"""Units that carry the cluster: stopped as one of its services, they take the cluster with them."""

SYSTEM_UNITS = frozenset(
    {
        "ssh",
        "sshd",
        "dbus",
        "dbus-broker",
        "polkit",
        "udev",
        "networking",
        "NetworkManager",
        "network-manager",
    }
    | {
        "ifup",
        "ifplugd",
        "wpa_supplicant",
        "nftables",
        "iptables",
        "netfilter-persistent",
        "ufw",
        "firewalld",
    }
    | {"chrony", "chronyd", "ntp", "ntpsec", "ntpd", "openntpd", "ntpdate", "watchdog", "wd_keepalive"}
    | {
        "lvm2-lvmpolld",
        "lvm2-monitor",
        "blk-availability",
        "dm-event",
        "multipathd",
        "multipath-tools",
        "mdadm",
    }
    | {
        "mdmonitor",
        "iscsid",
        "open-iscsi",
        "apparmor",
        "auditd",
        "getty",
        "serial-getty",
        "console-getty",
        "init",
    }
    | {"halt", "reboot", "poweroff", "kexec", "rescue", "emergency", "cloud-init"}
    | {"cloud-config", "cloud-final", "cloud-init-local", "ctrl-alt-del"}
)
"""Units that every node needs, whether it runs the service or not."""

CLUSTER_PREFIXES = ("drbd-", "drbd@", "pacemaker-", "corosync-")
SYSTEM_PREFIXES = ("systemd-", "dbus-org.freedesktop.", "user@", "user-runtime-dir@")
THEIR_EXCEPTIONS = ("systemd-nspawn@",)
"""Containers of systemd-nspawn are services like others."""

UNMANAGEABLE = (".target", ".slice", ".scope", ".device", ".swap", ".automount")

HOST_NAMES = frozenset(
    {"localhost", "localdomain", "ip6-localhost", "ip6-loopback", "ip6-allnodes", "ip6-allrouters"}
)
"""Names that each machine has for itself or for groups (/etc/hosts of Debian)."""

ANSIBLE_NAMES = frozenset({"all", "ungrouped", "omit", "hostvars", "groups", "vars"})
"""Groups that every inventory has, and names that Ansible's templates have a meaning for."""

INTERFACES = frozenset({"lo", "all", "default"})
"""The loopback interface, and what sysctl reads as all interfaces (net.ipv4.conf.all)."""

LVM_WORDS = re.compile(
    r"^(snapshot|pvmove)|_(cdata|cmeta|corig|cpool|cvol|imeta|iorig|mimage|mlog|pmspare|rimage|rmeta|tdata|tmeta|tpool|vdata"
    r"|vorigin|wcorig)"
)
"""Names that LVM keeps for itself (lvm(8), VALID NAMES)."""


def check_reserved(loaded: LoadedTopology) -> Findings:
    """All findings about things that belong to others."""
    topology, source = loaded.topology, loaded.source
    yield from _hosts(loaded)
    yield from _interfaces(loaded)
    if isinstance(topology, ActiveActive):
        for name, service in topology.local_services.items():
            here: KeyPath = ("local_services", name)
            if isinstance(service, SystemdMember):
                yield from _unit(source, service.unit, (*here, "unit"), balancer=True)
            elif isinstance(service, NginxMember):
                yield from _document_root(source, service, here)
        return
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            here = ("services", name, "members", index)
            if isinstance(member, SystemdMember):
                yield from _unit(source, member.unit, (*here, "unit"))
            elif isinstance(member, OcfMember):
                for at, unit in enumerate(member.units):
                    yield from _unit(source, unit, (*here, "units", at))
                yield from _places(source, topology, member, here)
            else:
                yield from _document_root(source, member, here)
        yield from _hidden(source, topology, name, group)
    yield from _volumes(topology, source)
    yield from _watchdog(topology, source)


def owner_of_unit(unit: str, *, balancer: bool = False) -> str:
    """Whose a unit is, in words; empty where a service may have it.

    Args:
        unit: as written, with its suffix or without it.
        balancer: whether hadeploy sets HAProxy up on the same nodes.
    """
    stem = unit
    for suffix in (*UNIT_SUFFIXES, *UNMANAGEABLE):
        stem = stem.removesuffix(suffix)
    if stem.startswith(THEIR_EXCEPTIONS):
        return ""
    name = stem.partition("@")[0]
    if name in CLUSTER_UNITS or stem.startswith(CLUSTER_PREFIXES):
        return "the cluster"
    if name.startswith("hadeploy-") or (balancer and name == "haproxy"):
        return "hadeploy"
    if name in SYSTEM_UNITS or stem.startswith(SYSTEM_PREFIXES):
        return "the system"
    return ""


def _unit(source: SourceMap, unit: str, path: KeyPath, *, balancer: bool = False) -> Findings:
    owner = owner_of_unit(unit, balancer=balancer)
    if owner:
        yield Diagnostic(
            "SPEC145",
            f"unit {unit} belongs to {owner}, and is no service",
            source.span(*path),
            detail={
                "the cluster": "a cluster that stops it stops itself: the node is fenced, and the next one does the same",
                "hadeploy": "hadeploy starts and stops it on each node: two owners would stop it in turn",
                "the system": "it would be stopped and disabled on every node that does not run the service at that moment",
            }[owner],
            mend="the unit of the program that clients use",
        )
    elif unit.endswith(UNMANAGEABLE):
        yield Diagnostic(
            "SPEC145",
            f"unit {unit} is of a kind that Pacemaker cannot start",
            source.span(*path),
            detail=f"it knows {', '.join(UNIT_SUFFIXES)}, and looks for {unit}.service",
            mend="the service that it stands for",
        )


def _hosts(loaded: LoadedTopology) -> Findings:
    topology, source = loaded.topology, loaded.source
    names: list[tuple[str, str | None, KeyPath]] = [
        (name, node.inventory_name, ("nodes", name)) for name, node in topology.nodes.items()
    ]
    device = None if isinstance(topology, ActiveActive) else topology.cluster.quorum_device
    if device is not None and is_managed(device, topology.management_network):
        names.append((device.host, device.inventory_name, ("cluster", "quorum_device", "host")))
    for name, inventory_name, path in names:
        place = source.span(*path) if path[0] == "cluster" else source.key_span(*path)
        if name in HOST_NAMES:
            yield Diagnostic(
                "SPEC146",
                f"a host cannot be called {name}",
                place,
                detail="each machine has this name for itself, so that the nodes would take each other for themselves",
                mend="what uname -n says on it",
            )
        elif name in ANSIBLE_NAMES and inventory_name is not None:
            # Without an inventory name of its own it is SPEC092.
            yield Diagnostic(
                "SPEC146",
                f"a host cannot be called {name}",
                place,
                detail="to Ansible this is a group of hosts or a variable",
                mend="what uname -n says on it",
            )
        if inventory_name is not None and (
            inventory_name.lower() in HOST_NAMES or inventory_name.startswith("127.")
        ):
            yield Diagnostic(
                "SPEC146",
                f"an inventory cannot call {name} {inventory_name}",
                source.span(*path[: 2 if path[0] == "nodes" else -1], "inventory_name"),
                detail="to Ansible this is the machine that it runs on: the node's files would be written there",
                mend="inventory_name: the name that your inventory has for it",
            )


def _interfaces(loaded: LoadedTopology) -> Findings:
    topology, source = loaded.topology, loaded.source
    named: list[tuple[str | None, KeyPath]] = [
        (network.interface, ("networks", name, "interface")) for name, network in topology.networks.items()
    ]
    named += [
        (interface, ("nodes", node, "interfaces", network))
        for node, wish in topology.nodes.items()
        for network, interface in wish.interfaces.items()
    ]
    for interface, path in named:
        if interface in INTERFACES:
            yield Diagnostic(
                "SPEC146",
                f"{interface} is no interface to a network",
                source.span(*path),
                detail="lo reaches the node itself, and all and default stand for every interface in sysctl",
                mend="the name that ip -brief address shows for the network's address",
            )


def _document_root(source: SourceMap, member: NginxMember, here: KeyPath) -> Findings:
    root = normpath(member.document_root)
    if in_the_way(root):
        yield Diagnostic(
            "SPEC147",
            f"nginx {member.name} would publish {root}",
            source.span(*here, "document_root"),
            detail=f"clients get every file below that nginx can read, and {root} holds files of the system or of the cluster",
            mend="a folder of its own, for example /var/www/html",
        )


def _places(source: SourceMap, topology: ClusteredTopology, member: OcfMember, here: KeyPath) -> Findings:
    """What agents mount or link, as volumes are mounted."""
    key = {"ocf:heartbeat:Filesystem": "directory", "ocf:heartbeat:symlink": "link"}.get(member.agent, "")
    value = member.parameters.get(key)
    if isinstance(value, str):
        yield from mount_findings(
            source, f"member {member.name}", value, (*here, "parameters", key), topology
        )


def _hidden(source: SourceMap, topology: ClusteredTopology, name: str, group: ServiceGroup) -> Findings:
    """What is mounted later over something that is mounted before: volumes first, members in their order."""
    before: list[tuple[str, str]] = [
        (f"volume {each}", normpath(topology.volumes[each].mount))
        for each in group.volumes
        if each in topology.volumes
    ]
    for index, member in enumerate(group.members):
        written = (
            member.parameters.get("directory")
            if isinstance(member, OcfMember) and member.agent == "ocf:heartbeat:Filesystem"
            else None
        )
        if not isinstance(written, str):
            continue
        mount = normpath(written)
        for owner, earlier in before:
            if earlier == mount or earlier.startswith(f"{mount.rstrip('/')}/"):
                yield Diagnostic(
                    "SPEC084",
                    f"member {member.name} would be mounted over {earlier} of {owner}",
                    source.span("services", name, "members", index, "parameters", "directory"),
                    detail="what is below a mount point cannot be seen: the service would write to another disk",
                    mend="a mount point beside it, or the members in the other order",
                )
        before.append((f"member {member.name}", mount))


def mount_findings(
    source: SourceMap, owner: str, written: str, path: KeyPath, topology: ClusteredTopology
) -> Findings:
    """What is wrong with a mount point by itself."""
    place = normpath(written)
    if place != (written.rstrip("/") or "/") or ".." in written.split("/"):
        yield Diagnostic(
            "SPEC084",
            f"{owner}: the mount point {written} is written in a roundabout way",
            source.span(*path),
            detail="mount points are compared as they are written: with each other, and with what the system mounts",
            mend=f"write {place}, if that is meant" if not in_the_way(place) else "for example /srv/data",
        )
        return
    reason = in_the_way(place, databases=bool(topology.databases))
    if reason:
        yield Diagnostic(
            "SPEC084",
            f"{owner} would be mounted over {place}",
            source.span(*path),
            detail=reason,
            mend="a mount point of its own, for example /srv/data",
        )


def _volumes(topology: ClusteredTopology, source: SourceMap) -> Findings:
    for name, volume in topology.volumes.items():
        if name == "all":
            yield Diagnostic(
                "SPEC146",
                "a volume cannot be called all",
                source.key_span("volumes", name),
                detail="drbdadm takes it for every volume of the node",
                mend="name it by what is in it",
            )
        yield from mount_findings(
            source, f"volume {name}", volume.mount, ("volumes", name, "mount"), topology
        )
        for node, disk in volume.disks.items():
            here: KeyPath = ("volumes", name, "disks", node)
            if isinstance(disk, str):
                yield from _device(source, disk, here, f"volume {name}")
                continue
            called = disk.logical_volume or name
            if LVM_WORDS.search(called):
                yield Diagnostic(
                    "SPEC146",
                    f"a logical volume cannot be called {called}",
                    source.span(*here),
                    detail="LVM keeps such names for itself, and lvcreate refuses them",
                    mend="logical_volume: another name",
                )
            for word, key in ((disk.volume_group, "volume_group"), (called, "logical_volume")):
                if word in (".", ".."):
                    yield Diagnostic(
                        "SPEC146",
                        f"{key} {word} is no name",
                        source.span(*here, key),
                        detail="it is a folder, and LVM refuses it",
                        mend=f"{key}: the name that {'vgs' if key == 'volume_group' else 'lvs'} shows",
                    )


NO_DISK = re.compile(
    r"^/dev/(null|zero|full|random|urandom|mem|kmem|port|console|fuse|kvm|kmsg|ptmx|tty.*|pts/.*|shm/.*|fd/.*|fd|std(in|out|err)"
    r"|net/.*|input/.*|cdrom|dvd|sr\d+|watchdog.*|mapper/control|loop-control|hpet|rtc\d*|snapshot|vhost-.*|core|log|mqueue.*)$"
)
"""Files in /dev that are no block device of one's own."""

DRBD_DEVICE = re.compile(r"^/dev/drbd(\d+|/.*|_.*)$")


def _device(source: SourceMap, path: str, here: KeyPath, owner: str) -> Findings:
    plain = normpath(path)
    if plain != path:
        yield Diagnostic(
            "SPEC148",
            f"{owner}: the disk {path} is written in a roundabout way",
            source.span(*here),
            detail="disks are compared as they are written, so that no two volumes get one",
            mend=f"write {plain}"
            if plain.startswith("/dev/")
            else "/dev/disk/by-id/... of the disk that is meant",
        )
    elif NO_DISK.match(plain) or DRBD_DEVICE.match(plain):
        yield Diagnostic(
            "SPEC148",
            f"{owner}: {path} is no backing disk",
            source.span(*here),
            detail="DRBD keeps the data on a whole disk, a partition or a logical volume of the node"
            if NO_DISK.match(plain)
            else "it is a DRBD device itself: its data would be replicated twice, and it is not there when the node starts",
            mend="/dev/disk/by-id/... of the disk that is meant",
        )


WATCHDOG = re.compile(r"^/dev/([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]*watchdog[A-Za-z0-9_-]*$")


def _watchdog(topology: ClusteredTopology, source: SourceMap) -> Findings:
    watchdog = topology.fencing.watchdog if topology.fencing is not None else None
    if watchdog is None:
        return
    if not WATCHDOG.match(watchdog.device):
        yield Diagnostic(
            "SPEC148",
            f"{watchdog.device} is no watchdog",
            source.span("fencing", "watchdog", "device"),
            detail="sbd writes to it every second: to a disk that would destroy its first block",
            mend="device: /dev/watchdog, or another that wdctl shows",
        )
    backing = {
        (node, disk): name
        for name, volume in topology.volumes.items()
        for node, disk in volume.disks.items()
        if isinstance(disk, str)
    }
    for index, disk in enumerate(watchdog.disks):
        here: KeyPath = ("fencing", "watchdog", "disks", index)
        yield from _device(source, disk, here, "the watchdog")
        users = sorted({volume for (_, device), volume in backing.items() if device == disk})
        if users:
            yield Diagnostic(
                "SPEC148",
                f"the watchdog's disk {disk} is the backing disk of volume {users[0]}",
                source.span(*here),
                detail="the messages of sbd would be written into the data, and the data over the messages",
                mend="a small disk of its own that all nodes share",
            )
