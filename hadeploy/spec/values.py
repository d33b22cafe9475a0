"""The scalar types that a topology is written in."""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from hadeploy.spec.addresses import read_address, refuse_unusable, refuse_unusable_network
from hadeploy.spec.names import zoneless
from hadeploy.spec.scalars import AS_TEXT, NUMBER, Text, Whole

_DURATION = re.compile(r"^([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h)$")
_MILLISECONDS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
_SIZE = re.compile(r"^([0-9]+(?:\.[0-9]+)?)\s*([KMGT]i?B)$")
_RATE = re.compile(r"^([0-9]+(?:\.[0-9]+)?)\s*([KMGT]i?B)/s$")
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
_INFINITY = 1_000_000
_ENDLESS = 1e15
"""Beyond every limit of a daemon, and still a number: 400 digits are none that a float holds."""
_SCORES = {"INFINITY": _INFINITY, "+INFINITY": _INFINITY, "-INFINITY": -_INFINITY, "never": -_INFINITY}


class SpecModel(BaseModel):
    """What every part of a topology has in common: frozen, and no key that is not known."""

    # Built when first asked for: of the patterns a run needs one, and of the parts only those within it.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def parse_duration(value: Any) -> int:
    """Read ``100ms``, ``1.5s``, ``2min`` or ``1h``.

    A bare number is refused: of the four daemons one counts in milliseconds, one in seconds and one in
    either, so a number without its unit is the field's classic thousandfold mistake.

    Returns:
        Whole milliseconds.

    Raises:
        ValueError: the text is not a number with a unit.
    """
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is a number with its unit: 100ms, 1.5s, 2min or 1h")
    return round(min(float(match[1]), _ENDLESS) * _MILLISECONDS[match[2]])


def parse_size(value: Any) -> int:
    """Read ``512MiB`` (1024 x 1024) or ``500MB`` (1000 x 1000).

    A bare number is refused: of the tools one counts in sectors of 512 bytes, one in KiB and one in bytes.

    Returns:
        Whole bytes.

    Raises:
        ValueError: the text is not a number with a unit.
    """
    return _bytes(_SIZE, value, "a size is a number with its unit: 512MiB, 20GiB, 1.5TB")


def parse_rate(value: Any) -> int:
    """Read ``100MiB/s``.

    Returns:
        Whole bytes a second.

    Raises:
        ValueError: the text is not a size a second.
    """
    return _bytes(_RATE, value, "a rate is a size a second: 100MiB/s, 250KiB/s")


def _bytes(form: re.Pattern[str], value: Any, words: str) -> int:
    match = form.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(words)
    unit: int = (1024 if "i" in match[2] else 1000) ** _POWERS[match[2][0]]
    return round(min(float(match[1]), _ENDLESS) * unit)


def parse_score(value: Any) -> int:
    """Read a score: a whole number, ``INFINITY``, ``-INFINITY``, or ``never`` for the last.

    Returns:
        The number; a million is Pacemaker's infinity.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, str):
        value = int(value) if NUMBER.fullmatch(value) else _SCORES.get(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _INFINITY:
        raise ValueError("a score is a whole number up to a million, INFINITY, -INFINITY or never")
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value) or len(value) > 48:
        raise ValueError(
            "a name is lower-case letters, digits and single hyphens, starting with a letter, at most 48"
        )
    return value


def _address(value: str) -> str:
    address = read_address(value)
    refuse_unusable(address)
    return str(address)


def _address_or_local(value: str) -> str:
    address = read_address(value)
    refuse_unusable(address, loopback=True)
    return str(address)


def _interface_address(value: str) -> str:
    if "/" not in value:
        raise ValueError("a virtual address is written with its prefix length, for example 192.0.2.10/24")
    refuse_unusable(read_address(value.partition("/")[0]))
    return str(ipaddress.ip_interface(value))


def _subnet(value: str) -> str:
    return str(ipaddress.ip_network(zoneless(value)))


def _network(value: str) -> str:
    network = ipaddress.ip_network(_subnet(value))
    refuse_unusable_network(network)
    return str(network)


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Duration = Annotated[
    int,
    BeforeValidator(parse_duration, json_schema_input_type=str),
    Field(ge=0, json_schema_extra={"pattern": _DURATION.pattern, "examples": ["100ms", "1.5s", "2min"]}),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size, json_schema_input_type=str),
    Field(ge=0, json_schema_extra={"pattern": _SIZE.pattern, "examples": ["512MiB", "20GiB"]}),
]
Rate = Annotated[
    int,
    BeforeValidator(parse_rate, json_schema_input_type=str),
    Field(ge=0, json_schema_extra={"pattern": _RATE.pattern, "examples": ["100MiB/s"]}),
]
Score = Annotated[int, BeforeValidator(parse_score, json_schema_input_type=int | str)]
Name = Annotated[Text, AfterValidator(_name)]
InventoryName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$"), AS_TEXT]
Address = Annotated[Text, AfterValidator(_address)]
InterfaceAddress = Annotated[Text, AfterValidator(_interface_address)]
AddressOrLocal = Annotated[Text, AfterValidator(_address_or_local)]
"""A loopback address, too: of a program on the same host."""
Subnet = Annotated[Text, AfterValidator(_subnet)]
"""Any addresses, as in a filter: 0.0.0.0/0 are all."""
HostNetwork = Annotated[Text, AfterValidator(_network)]
"""A subnet that hosts are in."""
Addresses = Annotated[
    tuple[Address, ...], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])
]
Port = Annotated[Whole, Field(ge=1, le=65535)]
InterfaceName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,14}$"), AS_TEXT]
"""The kernel's bound is 15 characters; a leading dash or dot would be an option or a folder to the programs that read it."""
