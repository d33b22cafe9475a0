"""Facts of a host, typed and frozen. What is not known is a value of its own, never an absence and never a zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface
from typing import TypeVar

Address = IPv4Address | IPv6Address
InterfaceAddress = IPv4Interface | IPv6Interface


@dataclass(frozen=True, slots=True)
class Unknown:
    """What could not be learned, and why."""

    why: str = "not asked"


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface.

    Attributes:
        name: as the kernel has it now.
        aliases: other names by which ``ip`` finds it.
        mac: hardware address, lower case; empty for none.
        mtu: in bytes.
        up: whether it was switched on (IFF_UP).
        carrier: whether it has a link (IFF_LOWER_UP).
        addresses: with their prefix lengths.
        duplicates: addresses that are out of use because another host has them, too (dadfailed).
    """

    name: str
    aliases: tuple[str, ...] = ()
    mac: str = ""
    mtu: int = 0
    up: bool = False
    carrier: bool = False
    addresses: tuple[InterfaceAddress, ...] = ()
    duplicates: tuple[InterfaceAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that waits for others.

    Attributes:
        protocol: ``tcp`` or ``udp``.
        address: ``0.0.0.0`` or ``::`` for all addresses of the family.
        port: its number.
        process: name of a process that has it (proc(5), comm); empty where that is not known, or the kernel has it itself.
        unit: the systemd unit of that process, empty where none is known.
    """

    protocol: str
    address: Address
    port: int
    process: str = ""
    unit: str = ""

    @property
    def anywhere(self) -> bool:
        """Whether it is bound to all addresses."""
        return self.address.is_unspecified


@dataclass(frozen=True, slots=True)
class SshWays:
    """How SSH comes in.

    Attributes:
        ports: on which sshd listens, or systemd for it, and the one of the connection over which the host was asked.
        client: address from which the host was asked, as the host sees it; empty where it is not known.
        used: port of that connection, 0 where it is not known.
    """

    ports: tuple[int, ...]
    client: str = ""
    used: int = 0


@dataclass(frozen=True, slots=True)
class Space:
    """Room at a path. Bytes; ``inodes`` is None where the filesystem makes them as needed."""

    path: str
    free: int
    size: int
    inodes: int | None
    read_only: bool


@dataclass(frozen=True, slots=True)
class Clock:
    """A host's clock against the controller's.

    Attributes:
        earliest, latest: bounds of (host's time - controller's time) in seconds; what lies between them is not known.
        synchronized: whether its kernel calls it synchronized, None where it does not say.
    """

    earliest: float
    latest: float
    synchronized: bool | None


@dataclass(frozen=True, slots=True)
class Peer:
    """Another host's address, asked from one of this host's (``source``; empty for whichever the kernel takes).

    Attributes:
        size: of the large packet in bytes, headers included: the MTU of the interface with ``source``.
        small: whether it answers a ping.
        large: whether it answers one of ``size`` that no router may cut into pieces.
        error: why it could not be asked; empty where it could.
    """

    source: str
    target: str
    size: int
    small: bool
    large: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """A block device; ``error`` says why there is none. ``size`` in bytes."""

    path: str
    size: int = 0
    read_only: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What acts on daemons of a host unasked.

    Attributes:
        owned_units: units that an earlier apply brought to this host.
        upgrades: whether unattended-upgrades installs upgrades.
        reboots: whether it reboots the host after them.
        kept_back: regular expressions of packages that it leaves alone, matched from the beginning.
        restarts: whether needrestart restarts services without asking.
        left_alone: regular expressions of services that it does not.
        power_key: what systemd-logind does with the power key; empty where it does nothing or was not asked.
        acpid: whether acpid runs, which acts on the power key, too.
    """

    owned_units: tuple[str, ...] = ()
    upgrades: bool = False
    reboots: bool = False
    kept_back: tuple[str, ...] = ()
    restarts: bool = False
    left_alone: tuple[str, ...] = ()
    power_key: str = ""
    acpid: bool = False


@dataclass(frozen=True, slots=True)
class Belonging:
    """The deployment that a host remembers: its id (empty where it had none), its name, and which node of it the host is."""

    id: str
    name: str
    node: str


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What one reading of a host found.

    Attributes:
        host_name: ``uname -n``.
        machine: ``uname -m``.
        kernel: ``uname -r``.
        python: version of the python3 that ran the probe.
        release: ``ID-VERSION_ID`` of os-release(5), in a topology's words: ``debian-12``.
        clock: against the controller's.
        spaces: by path.
        interfaces: all of them.
        root: whether the probe ran with the rights of root.
        belonging: to which deployment the host belongs, None where it remembers none.
        listening: sockets; only where they were asked for.
        ssh: only where sockets were asked for.
        peers: (source, target) -> what came of asking; only where that was asked for, like all below.
        owners: address -> hardware addresses of others that have it on the network.
        fences: fence device -> why it does not answer, empty where it does.
        modules: kernel module -> its version, empty for none.
        disks: by path.
        upkeep: what acts on daemons unasked.
        unread: (what was asked, why there is no answer) of questions that failed as a whole.
    """

    host_name: str | Unknown = Unknown()
    machine: str | Unknown = Unknown()
    kernel: str | Unknown = Unknown()
    python: tuple[int, ...] | Unknown = Unknown()
    release: str | Unknown = Unknown()
    clock: Clock | Unknown = Unknown()
    spaces: Mapping[str, Space | Unknown] = field(default_factory=dict)
    interfaces: tuple[Interface, ...] | Unknown = Unknown()
    root: bool | Unknown = Unknown()
    belonging: Belonging | Unknown | None = Unknown()
    listening: tuple[Listening, ...] | Unknown = Unknown()
    ssh: SshWays | Unknown = Unknown()
    peers: Mapping[tuple[str, str], Peer] = field(default_factory=dict)
    owners: Mapping[str, tuple[str, ...] | Unknown] = field(default_factory=dict)
    fences: Mapping[str, str | Unknown] = field(default_factory=dict)
    modules: Mapping[str, str] | Unknown = Unknown()
    disks: Mapping[str, Disk] = field(default_factory=dict)
    upkeep: Upkeep | Unknown = Unknown()
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def addresses(self) -> frozenset[str]:
        """All addresses of the host, without prefix lengths; none where they are not known."""
        if isinstance(self.interfaces, Unknown):
            return frozenset()
        return frozenset(
            str(interface_address.ip)
            for interface in self.interfaces
            for interface_address in interface.addresses
        )


def as_interface_address(address: str, length: int) -> InterfaceAddress:
    """An address with its prefix length.

    Raises:
        ValueError: it is none.
    """
    return ip_interface(f"{address}/{length}")
