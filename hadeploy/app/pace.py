"""The pace of a lab: where its machines are emulated, daemons get more time there than the topology says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from hadeploy.app.status import lab_of
from hadeploy.app.validate import load_known_valid
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from hadeploy.design.promotable import RoleOperation
from hadeploy.design.resources import Operation
from hadeploy.diagnostics import Diagnostic, Diagnostics, Severity
from hadeploy.lab.state import LabState
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.topology import ActivePassive, NPlusOne

_Timed = TypeVar("_Timed", Operation, RoleOperation)

EMULATED_TOKEN_MS = 10_000
"""A machine under software emulation stands still for seconds where a real one does for milliseconds: while another boots."""

TIMES_LONGER = 5
"""An agent is a shell that starts a dozen programs, and a machine under software emulation may share its processor."""

TIMES_RARER = 3
"""Monitors that come as often as on real hardware would be most of what an emulated machine does."""

UNTHROTTLED = {"load-threshold": "1000%"}
"""The controller holds operations back where the load is above four fifths of the processors (pacemaker-controld(7)). A single
agent is that much to an emulated machine, and the cluster would do one operation at a time, on one member at a time."""


def at_lab_pace(loaded: LoadedTopology, design: Design) -> tuple[Design, Diagnostics]:
    """The design as its lab can keep it; itself where no lab is up, or its machines are as fast as real ones.

    The topology and its design stay as they are: what is slower is built for this lab alone.
    """
    state, _ = lab_of(design.name, loaded.path)
    return (design, Diagnostics()) if state is None else _for(state, loaded, design)


def lab_design(topology: Path) -> Design:
    """The design of a topology file as its lab keeps it.

    Raises:
        ValueError: the topology is not valid.
    """
    loaded = load_known_valid(topology)
    return at_lab_pace(loaded, expand(loaded.topology))[0]


def _for(state: LabState, loaded: LoadedTopology, design: Design) -> tuple[Design, Diagnostics]:
    topology = loaded.topology
    if not state.is_emulated or not isinstance(topology, ActivePassive | NPlusOne):
        return design, Diagnostics()
    cluster = topology.cluster
    if cluster.token >= EMULATED_TOKEN_MS:
        return design, Diagnostics()
    # Consensus must be longer than the token (corosync.conf(5)): it is derived anew.
    slower = cluster.model_copy(update={"token": EMULATED_TOKEN_MS, "consensus": None})
    said = Diagnostic(
        "LAB017",
        f"the lab {design.name} is emulated: its token is {EMULATED_TOKEN_MS} ms instead of {cluster.token} ms,"
        f" operations have {TIMES_LONGER} times as long, and recur {TIMES_RARER} times less often",
        loaded.source.key_span("cluster", "token"),
        detail="a machine that is emulated is late where a real one is not, and would be fenced for it",
        mend="on a machine with KVM the lab keeps the topology's own",
        severity=Severity.WARNING,
    )
    policy = topology.policy.model_copy(update={"properties": UNTHROTTLED | topology.policy.properties})
    return patient(expand(topology.model_copy(update={"cluster": slower, "policy": policy}))), Diagnostics(
        (said,)
    )


def patient(design: Design) -> Design:
    """The same cluster with more time for every operation, and fewer of those that recur."""
    cluster = design.cluster
    if cluster is None:
        return design
    devices = tuple(
        replace(
            device,
            timeout_ms=device.timeout_ms * TIMES_LONGER,
            monitor_interval_ms=device.monitor_interval_ms * TIMES_RARER,
            monitor_timeout_ms=device.monitor_timeout_ms * TIMES_LONGER,
            start_timeout_ms=device.start_timeout_ms * TIMES_LONGER,
        )
        for device in cluster.fencing.devices
    )
    fencing = replace(cluster.fencing, devices=devices, timeout_ms=cluster.fencing.timeout_ms * TIMES_LONGER)
    groups = tuple(
        replace(
            group,
            resources=tuple(
                replace(each, operations=tuple(map(_patient, each.operations))) for each in group.resources
            ),
        )
        for group in cluster.resources.groups
    )
    return replace(
        design,
        cluster=replace(cluster, fencing=fencing, resources=replace(cluster.resources, groups=groups)),
        volumes=tuple(
            replace(volume, operations=tuple(map(_patient, volume.operations))) for volume in design.volumes
        ),
        databases=tuple(
            replace(database, operations=tuple(map(_patient, database.operations)))
            for database in design.databases
        ),
    )


def _patient(operation: _Timed) -> _Timed:
    return replace(
        operation,
        interval_ms=operation.interval_ms * TIMES_RARER,
        timeout_ms=operation.timeout_ms * TIMES_LONGER,
    )
