"""The faults: what is done to a member, and how it is undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hadeploy.lab import power
from hadeploy.lab.bmc import refuse
from hadeploy.lab.links import set_link
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.state import LabState

Action = Callable[[LabState, str], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of failure.

    Attributes:
        name: for reports.
        inject: strikes a member.
        restore: what a person would do afterwards; does nothing where the cluster mends itself.
    """

    name: str
    inject: Action
    restore: Action


def _nothing(state: LabState, node: str) -> None:
    """The cluster mends this by itself."""


def _boot(state: LabState, node: str) -> None:
    power.boot(state, node)


def _thaw(state: LabState, node: str) -> None:
    power.thaw(state, node)


def kill_processes(unit: str) -> Action:
    """Kill every process of a unit, children first: what crashed has no last word.

    The other way round, a child that sees its parent die may still tell its peers (keepalived's sends an advert of priority 0).
    """
    script = (
        'kill -KILL $(sort -rn "/sys/fs/cgroup$(systemctl show -p ControlGroup --value "$1")/cgroup.procs")'
    )

    def strike(state: LabState, node: str) -> None:
        exec_in_node(state, node, "sh", "-c", script, "sh", unit)

    return strike


def set_links(networks: tuple[str, ...], verb: str) -> Action:
    """Break or mend the member's links to several networks."""

    def strike(state: LabState, node: str) -> None:
        for network in networks:
            set_link(state, node, network, verb)  # type: ignore[arg-type]

    return strike


def refuse_power(*, refusing: bool) -> Action:
    """Make the member's BMC refuse, or obey."""

    def strike(state: LabState, node: str) -> None:
        refuse(state, node, refusing=refusing)

    return strike


POWER_CUT = Fault("power cut", power.cut, _boot)
HUNG_NODE = Fault("hung node", power.freeze, _thaw)
HUNG_NODE_FENCED = Fault("hung node", power.freeze, _nothing)


def daemon_crash(unit: str, restart: Action = _nothing) -> Fault:
    """A daemon dies; what restarts it is systemd or the cluster, unless ``restart`` says otherwise."""
    return Fault(f"{unit} crash", kill_processes(unit), restart)


def links_dropped(networks: tuple[str, ...]) -> Fault:
    """Every cable of these networks is cut at one member."""
    return Fault(
        f"{' and '.join(networks)} dropped", set_links(networks, "drop"), set_links(networks, "restore")
    )
