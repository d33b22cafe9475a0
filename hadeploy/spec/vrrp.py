"""keepalived: who holds which address, as a person writes it."""

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.names import ProcessName, ProgramPath
from hadeploy.spec.scalars import AS_TEXT, Switch, Whole
from hadeploy.spec.secret import SecretReference
from hadeploy.spec.values import Address, Duration, Name, SpecModel


class TrackScript(SpecModel):
    """A program on the node whose failure gives the address away."""

    path: ProgramPath
    interval: Duration = 2_000
    timeout: Duration = 1_000
    fall: Annotated[Whole, Field(ge=1)] = 2
    rise: Annotated[Whole, Field(ge=1)] = 2
    user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$"), AS_TEXT] = "keepalived_script"
    weight: Annotated[
        Whole,
        Field(
            ge=-253,
            le=253,
            description="0: a failure bars the node from holding addresses; else it changes the node's priority, "
            "negative while it fails, positive while it succeeds",
        ),
    ] = 0
    init_fail: Annotated[Switch, Field(description="counts as failed until it has succeeded once")] = True


class VrrpAddress(SpecModel):
    """Who holds an address when all nodes are well."""

    master: Name | None = None
    virtual_router_id: Annotated[
        Whole | None, Field(ge=1, le=255, description="derived from the name when left out")
    ] = None
    priorities: Annotated[
        dict[Name, Annotated[Whole, Field(ge=1, le=255)]],
        Field(description="node -> priority, all nodes; derived from the master when left out"),
    ] = {}
    preempt: Annotated[Switch | None, Field(description="as vrrp.preempt, for this address alone")] = None


class Authentication(SpecModel):
    """VRRPv2's own; VRRPv3 has none (RFC 5798, 9)."""

    kind: Annotated[Literal["pass", "ah"], Field(description="pass: 8 characters in clear text")] = "pass"
    password: SecretReference


class GratuitousArp(SpecModel):
    """How neighbours and switches learn where an address is now."""

    refresh: Annotated[Duration, Field(description="the master repeats itself so often; 0s: never")] = 60_000
    refresh_repeat: Annotated[Whole, Field(ge=1, le=10, description="packets each time")] = 1
    answer_rivals: Annotated[
        Switch,
        Field(
            description="a master that hears a better one sends a last advert, and the better one repeats itself"
        ),
    ] = True


class BfdNeighbour(SpecModel):
    """A router that every node keeps a BFD session with: who loses the way out gives the address away."""

    address: Address
    min_tx: Annotated[Duration, Field(ge=10, description="packets are sent no more often than this")] = 50
    min_rx: Annotated[Duration, Field(ge=10, description="packets are taken no more often than this")] = 50
    multiplier: Annotated[Whole, Field(ge=1, le=255, description="missed packets until it is lost")] = 3
    weight: Annotated[
        Whole, Field(ge=-253, le=253, description="as that of a script: 0 bars a node that has lost it")
    ] = 0


class Vrrp(SpecModel):
    """keepalived on every node."""

    version: Annotated[Literal[2, 3], Field(description="2 only beside routers that know no other")] = 3
    advert_interval: Annotated[Duration, Field(ge=10, le=40_950)] = 1000
    preempt: Annotated[
        Switch, Field(description="true: an address returns to its master as soon as it is back")
    ] = False
    preempt_delay: Annotated[
        Duration, Field(le=1_000_000, description="a returned master waits so long; whole seconds")
    ] = 0
    starts_as_master: Annotated[
        Switch, Field(description="the master waits for one advert at its start, not for three")
    ] = False
    unicast: Annotated[
        Switch | None,
        Field(description="adverts to each peer by address; default: where the network carries no multicast"),
    ] = None
    authentication: Authentication | None = None
    script_security: Annotated[
        Switch, Field(description="no script runs as root that another user could change")
    ] = True
    scheduling: Annotated[
        Literal["normal", "nice", "realtime"] | None,
        Field(description="default: nice where adverts are sent more than once a second"),
    ] = None
    notify: Annotated[
        ProgramPath | None,
        Field(description="run at every change of state, for example to move an address at a cloud provider"),
    ] = None
    notify_user: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$"), AS_TEXT] = "keepalived_script"
    gratuitous_arp: GratuitousArp = GratuitousArp()
    bfd: Annotated[dict[Name, BfdNeighbour], Field(description="routers that a node must reach")] = {}
    track_processes: Annotated[
        tuple[ProcessName, ...], Field(description="processes that must run for a node to hold addresses")
    ] = ()
    track_networks: Annotated[
        tuple[Name, ...],
        Field(description="networks that a node must be on to hold addresses, besides the addresses' own"),
    ] = ()
    track_scripts: dict[Name, TrackScript] = {}
    sync_groups: Annotated[
        dict[Name, Annotated[tuple[Name, ...], Field(min_length=2)]],
        Field(description="addresses that one node holds together or not at all"),
    ] = {}
    addresses: dict[Name, VrrpAddress] = {}
