"""The rule set of each node, as a person writes it: what is let in besides the topology's own flows."""

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from hadeploy.spec.addresses import refuse_unusable
from hadeploy.spec.scalars import SWITCHES, Text
from hadeploy.spec.values import SpecModel, Subnet

_PORTS = re.compile(r"([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?")
_HIGHEST = 65535
_WORDS = "a port is a number from 1 to 65535, or a range with the lower one first: 8000-8100"


def parse_ports(value: Any) -> str:
    """Read ``9100`` or ``8000-8100``.

    Returns:
        The same as text.

    Raises:
        ValueError: it is neither, or a port that does not exist; a leading zero is read in two ways.
    """
    match = None if isinstance(value, bool | float) else _PORTS.fullmatch(str(value))
    if match is None:
        raise ValueError(_WORDS)
    first, last = int(match[1]), int(match[2] or match[1])
    if not 1 <= first <= last <= _HIGHEST:
        raise ValueError(_WORDS)
    return str(first) if first == last else f"{first}-{last}"


def _subnet_or_address(value: Any) -> Any:
    """An address alone is a subnet of one; of what has a prefix length, the subnet's own type refuses host bits."""
    return str(ipaddress.ip_network(value)) if isinstance(value, str) and "/" not in value else value


def _somebody(value: str) -> str:
    """A source of packets: every address, or those of hosts; nobody sends from a group's or from another's loopback address."""
    network = ipaddress.ip_network(value)
    if network.prefixlen and not network.is_link_local:
        refuse_unusable(network.network_address)
    return value


Ports = Annotated[str, BeforeValidator(parse_ports, json_schema_input_type=int | str)]
Source = Annotated[
    Subnet, AfterValidator(_somebody), BeforeValidator(_subnet_or_address, json_schema_input_type=str)
]
Sources = Annotated[tuple[Source, ...], Field(min_length=1)]


class PortOfHost(SpecModel):
    """A port, or a range of ports, of one protocol."""

    port: Annotated[Ports, Field(description="a port, or a range: 8000-8100")]
    protocol: Literal["tcp", "udp"] = "tcp"

    @property
    def numbers(self) -> range:
        """The ports that are meant."""
        first, _, last = self.port.partition("-")
        return range(int(first), int(last or first) + 1)


class Opening(PortOfHost):
    """Something that runs on the nodes besides the cluster, and is let in."""

    from_: Annotated[
        Sources | None, Field(alias="from", description="subnets or addresses; left out: anyone")
    ] = None
    why: Annotated[Text, Field(description="a note that stands in the rule set")] = ""


class Firewall(SpecModel):
    """What a person adds to the rules that follow from the topology."""

    allow: Annotated[tuple[Opening, ...], Field(description="what else runs on the nodes and is let in")] = ()
    close: Annotated[
        tuple[PortOfHost, ...],
        Field(description="ports on which something listens, and that are closed all the same"),
    ] = ()
    ssh_from: Annotated[
        Sources | None, Field(description="from where SSH is let in; left out: from anywhere")
    ] = None


def _switched(value: Any) -> Any:
    if isinstance(value, str):
        value = SWITCHES.get(value, value)
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict):
        raise ValueError("a firewall is true, false, or a mapping with allow, close and ssh_from")  # noqa: TRY004 (pydantic's)
    return value


SwitchedFirewall = Annotated[
    Firewall | None, BeforeValidator(_switched, json_schema_input_type=bool | Firewall)
]
"""``true``: the rules of the topology alone; ``false``: none."""
