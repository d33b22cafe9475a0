"""A DRBD resource file, typed. Units are those of the file: seconds and tenths, KiB a second."""

from __future__ import annotations

from dataclasses import dataclass

from hadeploy.design.secrets import Secret

Options = tuple[tuple[str, str], ...]
"""Names and values as the file has them, in the order in which they are written; an empty value is a bare keyword."""


@dataclass(frozen=True, slots=True)
class Host:
    """One ``on`` section; ``disk`` is empty where the member has none."""

    name: str
    node_id: int | None
    address: str
    disk: str


@dataclass(frozen=True, slots=True)
class ResourceConfig:
    """One resource.

    Attributes:
        name: of the resource and its file.
        minor: of its device.
        options, disk, net, startup, handlers: sections.
        hosts: members.
        mesh: member names of a connection-mesh; empty for two members, whose connection goes without saying.
        secret: whose placeholder ``net`` holds.
    """

    notice: str
    name: str
    minor: int
    options: Options
    disk: Options
    net: Options
    startup: Options
    handlers: Options
    hosts: tuple[Host, ...]
    mesh: tuple[str, ...]
    secret: Secret | None


@dataclass(frozen=True, slots=True)
class VerifyConfig:
    """The timer that has a resource's copies compared."""

    notice: str
    resource: str
    schedule: str


@dataclass(frozen=True, slots=True)
class DrbdConfig:
    """Everything of one member."""

    notice: str
    generation: str
    resources: tuple[ResourceConfig, ...]
    verifications: tuple[VerifyConfig, ...]
