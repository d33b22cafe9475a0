"""Fencing devices and topology levels."""

from typing import Annotated

from pydantic import Field

from hadeploy.spec.names import DevicePath, ParameterName
from hadeploy.spec.scalars import AS_TEXT, Scalar, Switch
from hadeploy.spec.secret import SecretReference
from hadeploy.spec.values import Duration, Name, SpecModel

SBD_AGENT = "fence_sbd"
"""Fences by a message on the watchdog's disks."""


class FencingDevice(SpecModel):
    """One device that can power off, or cut off, the nodes in ``targets``."""

    agent: Annotated[
        str, Field(pattern=r"^fence_[a-z0-9_]+$", description="any fence agent by its name"), AS_TEXT
    ]
    targets: Annotated[tuple[Name, ...], Field(min_length=1)]
    parameters: dict[ParameterName, Scalar | SecretReference] = {}
    delay: Annotated[
        Duration | dict[Name, Duration] | None,
        Field(
            description="pcmk_delay_base: wait so long before fencing, or so long for each target; breaks two-node races"
        ),
    ] = None
    random_delay: Annotated[
        Duration | None, Field(description="pcmk_delay_max: wait up to so long, by chance, before fencing")
    ] = None
    timeout: Annotated[Duration, Field(description="how long one attempt may take")] = 60_000
    monitor_interval: Annotated[
        Duration, Field(description="how often the device is asked whether it would work; 0s for never")
    ] = 60_000
    shares_power_with_target: Annotated[
        Switch, Field(description="true for on-board BMCs: they die with their host's power")
    ] = True


class Watchdog(SpecModel):
    """SBD: a node that has lost its cluster, or is told to over a shared disk, is reset by its own watchdog."""

    device: DevicePath = "/dev/watchdog"
    timeout: Annotated[
        Duration, Field(description="until it resets a node that no longer feeds it (SBD_WATCHDOG_TIMEOUT)")
    ] = 5_000
    disks: Annotated[
        tuple[DevicePath, ...],
        Field(
            max_length=3, description="shared disks for messages, made with sbd create; none for diskless SBD"
        ),
    ] = ()
    message_wait: Annotated[
        Duration | None, Field(description="msgwait of the disks' headers; twice the timeout where left out")
    ] = None
    power_off_after: Annotated[
        Duration | None,
        Field(description="diskless: when a lost node counts as off; twice the timeout where left out"),
    ] = None

    @property
    def message_wait_ms(self) -> int:
        """After which a message counts as delivered, in milliseconds."""
        return self.message_wait if self.message_wait is not None else 2 * self.timeout

    @property
    def power_off_after_ms(self) -> int:
        """After which a lost node counts as off, in milliseconds (stonith-watchdog-timeout)."""
        return self.power_off_after if self.power_off_after is not None else 2 * self.timeout


class Fencing(SpecModel):
    """How nodes are fenced."""

    enabled: Annotated[Switch, Field(description="stonith-enabled")] = True
    startup_fencing: Annotated[
        Switch, Field(description="fence nodes that nobody has seen since the cluster started")
    ] = True
    concurrent: Annotated[
        Switch | None, Field(description="fence several nodes at once; on from three nodes where left out")
    ] = None
    priority_delay: Annotated[
        Duration | None,
        Field(description="head start of the node with the more important services, in a race of two"),
    ] = None
    devices: Annotated[
        dict[Name, FencingDevice], Field(description="none where a watchdog alone fences")
    ] = {}
    watchdog: Watchdog | None = None
    levels: Annotated[
        dict[Name, tuple[tuple[Name, ...], ...]],
        Field(description="node -> levels tried in order, each a list of devices that must all succeed"),
    ] = {}
