"""Cluster properties and meta attributes by Pacemaker's own names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.spec.catalogue import Parameter, find_agent
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.misread import as_written
from hadeploy.spec.parameters import read_otherwise, wanted_instead
from hadeploy.spec.scalars import Scalar
from hadeploy.spec.source import KeyPath, SourceMap
from hadeploy.spec.topology import ActiveActive

DAEMONS = ("pacemaker-schedulerd", "pacemaker-controld", "pacemaker-based")
"""The daemons that read cluster properties, and describe those that they read."""

META: Mapping[str, Parameter] = {
    each.name: each
    for each in (
        Parameter("allow-migrate", "boolean"),
        Parameter("allow-unhealthy-nodes", "boolean"),
        Parameter("container-attribute-target", "select", options=("host", "container")),
        Parameter("critical", "boolean"),
        Parameter("is-managed", "boolean"),
        Parameter("maintenance", "boolean"),
        Parameter(
            "multiple-active", "select", options=("block", "stop_only", "stop_start", "stop_unexpected")
        ),
        Parameter("requires", "select", options=("nothing", "quorum", "fencing", "unfencing")),
        Parameter("target-role", "select", options=("Stopped", "Started", "Unpromoted", "Promoted")),
    )
}
"""Meta attributes of resources (Pacemaker Explained, Resources: Resource Meta-Attributes)."""

OTHER_KEYS: Mapping[str, str] = {
    "cluster-recheck-interval": "policy.recheck_interval",
    "concurrent-fencing": "fencing.concurrent",
    "no-quorum-policy": "policy.no_quorum",
    "placement-strategy": "policy.placement",
    "priority-fencing-delay": "fencing.priority_delay",
    "start-failure-is-fatal": "policy.start_failure_is_fatal",
    "startup-fencing": "fencing.startup_fencing",
    "stonith-enabled": "fencing.enabled",
    "fencing-enabled": "fencing.enabled",
    "stonith-timeout": "timeout at each device of fencing.devices",
    "fencing-timeout": "timeout at each device of fencing.devices",
    "stonith-watchdog-timeout": "fencing.watchdog.power_off_after",
    "fencing-watchdog-timeout": "fencing.watchdog.power_off_after",
    "symmetric-cluster": "policy.symmetric",
    "cluster-name": "name",
}
"""Properties that have a key of their own in a topology."""

OTHER_META_KEYS: Mapping[str, str] = {
    "failure-timeout": "failure_timeout",
    "migration-threshold": "migration_threshold",
    "priority": "priority",
    "resource-stickiness": "stickiness",
}
"""Meta attributes that have a key of their own at a service."""

WRITTEN_BY_PACEMAKER = frozenset({"cluster-infrastructure", "dc-version", "have-watchdog"})


def known_properties(release: str) -> dict[str, Parameter]:
    """Every cluster property that a release's Pacemaker reads."""
    agents = (find_agent(release, daemon) for daemon in DAEMONS)
    return {each.name: each for agent in agents if agent is not None for each in agent.parameters}


def check_properties(loaded: LoadedTopology) -> Diagnostics:
    """Values that cannot be, and names that belong elsewhere; unknown names are a design rule's affair (HA044)."""
    topology = loaded.topology
    if isinstance(topology, ActiveActive):
        return Diagnostics()
    known = known_properties(topology.release)
    source = loaded.source
    found = list(_check(topology.policy.properties, source, ("policy", "properties"), known, OTHER_KEYS))
    for name, group in topology.services.items():
        found += _check(group.meta, source, ("services", name, "meta"), META, OTHER_META_KEYS)
    return Diagnostics.of(found)


def _check(
    written: Mapping[str, Scalar],
    source: SourceMap,
    path: KeyPath,
    known: Mapping[str, Parameter],
    elsewhere: Mapping[str, str],
) -> Iterator[Diagnostic]:
    for name, value in written.items():
        place = source.key_span(*path, name)
        if name in elsewhere or name in WRITTEN_BY_PACEMAKER:
            yield Diagnostic(
                "SPEC065",
                f"{name} has another place",
                place,
                detail="written twice, one would silently win over the other",
                mend=f"the key {elsewhere[name]}"
                if name in elsewhere
                else "leave it out: Pacemaker writes it",
            )
        elif name in known and (
            kind := read_otherwise(known[name], value, source.readings.get((*path, name)))
        ):
            yield as_written(kind, name, value, place, source.readings.get((*path, name)))
        elif name in known and (wanted := wanted_instead(known[name], value)):
            shown = str(value).lower() if isinstance(value, bool) else repr(value)
            yield Diagnostic(
                "SPEC063", f"{name} cannot be {shown}", place, detail=known[name].about, mend=wanted
            )
