"""What a lab is laid out from. The application layer makes it from a design; nothing here knows a topology."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network

from hadeploy.lab.errors import LabError

DEFAULT_BACKEND = "container"
SECTOR = 512
SERIAL_LENGTH = 20
"""virtio-blk: a serial number has no more bytes (Virtual I/O Device specification, 5.2.6.1)."""

_HOST = re.compile(r"(?P<name>[a-z][a-z0-9-]{0,62})=(?P<network>[a-z][a-z0-9-]*):(?P<address>[0-9a-fA-F.:]+)")
_DISK = re.compile(rf"(?P<name>[a-z][a-z0-9-]{{0,{SERIAL_LENGTH - 1}}})=(?P<count>\d+)(?P<unit>[KMGT])?")


@dataclass(frozen=True, slots=True)
class LabNetwork:
    """One segment: a bridge in the lab, and in every node on it an interface, of this name where the node has no other."""

    name: str
    subnets: tuple[str, ...]
    interface: str

    def with_prefix(self, address: str) -> str:
        """An address of this network as ``ip address add`` wants it."""
        networks = (ip_network(subnet) for subnet in self.subnets)
        prefix = next(network.prefixlen for network in networks if ip_address(address) in network)
        return f"{address}/{prefix}"


@dataclass(frozen=True, slots=True)
class LabDisk:
    """A spare disk: ``/dev/disk/by-id/virtio-<name>`` in the node, ``size`` bytes long; ``path``: found there too."""

    name: str
    size: int
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> LabDisk:
        """A disk from ``name=size``, the size in bytes or with a K, M, G or T behind it, powers of 1024.

        Raises:
            LabError: it is not of that form, or no disk can be like that.
        """
        found = _DISK.fullmatch(text)
        if found is None:
            raise LabError("LAB013", f"no disk can be read from {text}", "write it as name=size: data=256M")
        size = int(found["count"]) * 1024 ** " KMGT".index(found["unit"] or " ")
        if not size or size % SECTOR:
            raise LabError("LAB014", f"a disk has whole sectors of {SECTOR} bytes: {text}", "data=256M")
        return cls(found["name"], size)


@dataclass(frozen=True, slots=True)
class LabHost:
    """A host that is no member of the topology (a bastion, a client), at ``address`` on one of its networks."""

    name: str
    network: str
    address: str

    @classmethod
    def parse(cls, text: str) -> LabHost:
        """A host from ``name=network:address``.

        Raises:
            LabError: it is not of that form.
        """
        found = _HOST.fullmatch(text)
        try:
            if found is not None:
                ip_address(found["address"])
        except ValueError:
            found = None
        if found is None:
            raise LabError(
                "LAB025",
                f"no host can be read from {text}",
                "write it as name=network:address: jump=lan:10.0.0.9",
            )
        return cls(found["name"], found["network"], found["address"])


@dataclass(frozen=True, slots=True)
class LabNode:
    """One node: ``addresses`` are (network, address) pairs, several a network for two families; so are ``interfaces``."""

    name: str
    release: str
    addresses: tuple[tuple[str, str], ...]
    management_address: str
    disks: tuple[LabDisk, ...] = ()
    interfaces: tuple[tuple[str, str], ...] = ()
    inventory_name: str = ""

    @property
    def networks(self) -> tuple[str, ...]:
        """Networks it is on, in order, each once."""
        return tuple(dict.fromkeys(network for network, _ in self.addresses))


@dataclass(frozen=True, slots=True)
class LabBmc:
    """One BMC emulator: UDP ``port`` on ``address``, with power over ``node``."""

    address: str
    node: str
    username: str
    password: str
    port: int = 623


@dataclass(frozen=True, slots=True)
class LabPlan:
    """A whole lab; ``backend`` is the kind of all its nodes.

    Attributes:
        topology: path of the topology that it is of, links followed; empty where it is of none.
        installed: whether nodes have what roles install already, as hosts made from a golden image; where it is left open,
            emulated machines do, since installing takes minutes there.
    """

    name: str
    networks: tuple[LabNetwork, ...]
    nodes: tuple[LabNode, ...]
    bmcs: tuple[LabBmc, ...]
    backend: str = DEFAULT_BACKEND
    installed: bool | None = None
    topology: str = ""

    @property
    def releases(self) -> tuple[str, ...]:
        """Of its nodes, each once."""
        return tuple(dict.fromkeys(node.release for node in self.nodes))

    def network(self, name: str) -> LabNetwork:
        """The network of that name."""
        return next(network for network in self.networks if network.name == name)

    def interface(self, node: LabNode, network: str) -> str:
        """What a node calls its interface to a network."""
        return dict(node.interfaces).get(network) or self.network(network).interface

    def node(self, name: str) -> LabNode:
        """The node of that name."""
        return next(node for node in self.nodes if node.name == name)


def hardware_address(lab: str, node: str, network: str) -> str:
    """A node's locally administered MAC on a network: the same after every boot, as on real hardware."""
    digest = sha256(f"{lab}/{node}/{network}".encode()).digest()
    return "02:" + ":".join(f"{byte:02x}" for byte in digest[:5])


def short_serial(name: str) -> str:
    """A name as a disk's serial number: itself, or its beginning and what tells it from others that begin so."""
    if len(name) <= SERIAL_LENGTH:
        return name
    return f"{name[: SERIAL_LENGTH - 7]}-{sha256(name.encode()).hexdigest()[:6]}"


def port_name(lab: str, node: str, network: str) -> str:
    """The bridge-side end of a node's link; interface names hold 15 characters."""
    return "v" + sha256(f"{lab}/{node}/{network}".encode()).hexdigest()[:10]


def bridge_name(network: str) -> str:
    """The bridge of a network, in the lab's own namespace."""
    return "b" + sha256(network.encode()).hexdigest()[:10]
