"""A drill in a lab: power, links and processes of nodes on this machine."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hadeploy.design.design import Design
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.design.volumes import ReplicatedVolume
from hadeploy.drill.drill import Watch, read_power_events
from hadeploy.drill.fault import (
    HUNG_NODE,
    POWER_CUT,
    Fault,
    daemon_crash,
    links_dropped,
)
from hadeploy.drill.records import RecordWriter
from hadeploy.drill.verdict import PowerEvent
from hadeploy.drill.world import RECOVERY_SECONDS
from hadeploy.lab import power
from hadeploy.lab.groups import is_hung
from hadeploy.lab.links import set_link
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.observer import Observer, Probe
from hadeploy.lab.program import shielded
from hadeploy.lab.state import LabState
from hadeploy.lab.writer import Recorder, Writer, file_recorder, sql_recorder

MOVE_SECONDS = 60.0
EMULATED_MOVE_SECONDS = 300.0
ANSWER_SECONDS = 30.0
"""For a command itself, beyond what it waits for."""

DATABASES = {"pgsql": "postgresql", "mysql": "mariadb", "mariadb": "mariadb"}
"""Resource agents, and how their databases are asked."""

EMULATED_RECOVERY_SECONDS = 900.0
"""Machines in software that boot, log in and resynchronise at once, on a processor that may have other work."""


class LabWorld:
    """The lab of a design."""

    name = "lab"
    sees_fencing = True

    def __init__(self, state: LabState, design: Design) -> None:
        self._state = state
        self._design = design

    @property
    def recovery_seconds(self) -> float:
        """Longer where machines are emulated."""
        return EMULATED_RECOVERY_SECONDS if self._state.is_emulated else RECOVERY_SECONDS

    def why_not(self, mishap: Mishap) -> str:
        """A lab can do all."""
        return "" if mishap.member in {node.name for node in self._state.plan.nodes} else "no such node"

    def strike(self, mishap: Mishap) -> None:
        """Bring it about."""
        with shielded():
            fault_of(self._design, mishap).inject(self._state, mishap.member)

    def restore(self, mishap: Mishap) -> None:
        """Undo it; a hung node that was fenced is not hung any more, and may have no power just now."""
        if mishap.breakage is Breakage.HUNG_NODE and not is_hung(self._state, mishap.member):
            return
        with shielded():
            fault_of(self._design, mishap).restore(self._state, mishap.member)

    def rescue(self) -> None:
        """Every link, every hung node, every node without power."""
        with shielded():
            for node in self._state.plan.nodes:
                for network in node.networks:
                    set_link(self._state, node.name, network, "restore")
                if is_hung(self._state, node.name):
                    power.thaw(self._state, node.name)
                power.boot(self._state, node.name)

    def watch(self, addresses: dict[str, str], probes: Sequence[Probe]) -> Watch:
        """Ask for the addresses, and as clients, from the lab's own network."""
        return Observer(self._state, addresses, probes)

    def writers(self) -> Mapping[str, RecordWriter]:
        """One for every volume and database whose service has an address."""
        return record_writers(self._state, self._design)

    def power_events(self, since: float) -> list[PowerEvent]:
        """The journals of the BMC emulators."""
        return read_power_events(self._state, since)

    def bring_home(self, group: str, member: str) -> None:
        """Move a group and leave no constraint behind."""
        seconds = EMULATED_MOVE_SECONDS if self._state.is_emulated else MOVE_SECONDS
        ask = partial(exec_in_node, self._state, member, seconds=seconds + ANSWER_SECONDS)
        move_group(ask, group, member, seconds)


def record_writers(state: LabState, design: Design) -> dict[str, Writer]:
    """One for everything that keeps data and is reached by a virtual address, by that address's name."""
    return _volume_writers(state, design) | _database_writers(state, design)


def _volume_writers(state: LabState, design: Design) -> dict[str, Writer]:
    """One a volume, by the virtual address of its service; each has a new file, or a new table where a database is on it."""
    writers = {}
    for volume in design.volumes:
        virtual = next((each for each in design.virtual_addresses if each.group == volume.group), None)
        if virtual is not None:
            recorder = _recorder_of(design, volume)
            writers[virtual.name] = Writer(state, volume.name, virtual.address, recorder)
    return writers


def _database_writers(state: LabState, design: Design) -> dict[str, Writer]:
    """One a database that replicates by itself, by its primary's address; each has a new table."""
    names = {each.address: each.name for each in design.virtual_addresses}
    return {
        names[database.primary_address]: Writer(
            state,
            database.name,
            database.primary_address,
            sql_recorder("postgresql", _fresh_table()),
        )
        for database in design.databases
    }


def _fresh_table() -> str:
    return f"hadeploy_records_{secrets.token_hex(4)}"


def _recorder_of(design: Design, volume: ReplicatedVolume) -> Recorder:
    """A database is asked itself: that its files are there does not yet mean that it can read them."""
    groups = design.cluster.resources.groups if design.cluster is not None else ()
    agents = [each.type for group in groups if group.name == volume.group for each in group.resources]
    client = next((DATABASES[agent] for agent in agents if agent in DATABASES), None)
    if client is not None:
        return sql_recorder(client, _fresh_table())
    return file_recorder(volume.mount, f".hadeploy-records-{secrets.token_hex(4)}")


def move_group(run: Callable[..., object], group: str, member: str, seconds: float) -> None:
    """Move a group by Pacemaker's own commands; it stays by its stickiness, and the constraint goes even if it does not come.

    Args:
        run: runs a command line on a member, and raises where it fails.
        group: to move.
        member: where to.
        seconds: until the cluster must have settled.
    """
    run("crm_resource", "--move", "--resource", group, "--node", member)
    try:
        run("crm_resource", "--wait", f"--timeout={seconds:.0f}s")
    finally:
        run("crm_resource", "--clear", "--resource", group)


def fault_of(design: Design, mishap: Mishap) -> Fault:
    """The lab's fault for a mishap."""
    match mishap.breakage:
        case Breakage.POWER_CUT:
            return POWER_CUT
        case Breakage.HUNG_NODE:
            return HUNG_NODE
        case Breakage.LINK_CUT:
            return links_dropped((mishap.subject,))
        case Breakage.ISOLATION:
            return links_dropped(cluster_networks(design))
        case _:
            return daemon_crash(unit_of(design, mishap))


def cluster_networks(design: Design) -> tuple[str, ...]:
    """Networks that carry cluster links."""
    cluster = design.cluster
    return tuple(link.segment for link in cluster.membership.links) if cluster is not None else ()


def unit_of(design: Design, mishap: Mishap) -> str:
    """The systemd unit whose processes a crash strikes."""
    groups = design.cluster.resources.groups if design.cluster is not None else ()
    types = {resource.name: resource.type for group in groups for resource in group.resources}
    name = types.get(mishap.subject, mishap.subject)
    return name if name.endswith(".service") else f"{name}.service"
