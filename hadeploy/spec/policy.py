"""How Pacemaker decides: what holds for the whole cluster."""

from typing import Annotated, Literal

from pydantic import Field

from hadeploy.spec.names import ParameterName
from hadeploy.spec.scalars import Scalar, Switch
from hadeploy.spec.values import Duration, SpecModel


class Policy(SpecModel):
    """Decisions for the whole cluster; what is left out follows from the topology."""

    no_quorum: Annotated[
        Literal["stop", "freeze", "demote", "fence", "ignore"],
        Field(description="what members do that have lost quorum"),
    ] = "stop"
    start_failure_is_fatal: Annotated[
        Switch,
        Field(
            description="one failed start bans a service from that node, whatever migration_threshold says"
        ),
    ] = False
    recheck_interval: Annotated[
        Duration | None, Field(description="how often time-based rules are looked at; 15min where left out")
    ] = None
    symmetric: Annotated[
        Switch, Field(description="false: a service runs only where its locations have a positive score")
    ] = True
    placement: Annotated[
        Literal["default", "utilization", "minimal", "balanced"] | None,
        Field(description="how capacity and demand count; balanced where both are written"),
    ] = None
    properties: Annotated[
        dict[ParameterName, Scalar], Field(description="any other cluster property, by Pacemaker's own name")
    ] = {}
