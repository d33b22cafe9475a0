"""Names of resources that are ids of something else in the cluster's configuration (CIB), where an id is there once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.source import KeyPath
from hadeploy.spec.topology import ActiveActive, ClusteredTopology

if TYPE_CHECKING:
    from hadeploy.spec.load import LoadedTopology

PROPERTIES = ("cib-bootstrap-options", "rsc-options")
"""The sets of cluster properties and of resource defaults; what is in them has their ids as a beginning."""

PART = re.compile(
    r"^((parameters|meta|utilization)(-.*)?|(monitor|start|stop|promote|demote|notify)(-(promoted|unpromoted))?-[0-9]+m?s(-.*)?)$"
)
"""What follows a resource's name in the ids of its parts."""

CONSTRAINT = re.compile(r"^(location|order|colocation)-(.*)$")


def check_cib_ids(loaded: LoadedTopology) -> Iterator[Diagnostic]:
    """Resources that are called as a part of another resource, a constraint or a property."""
    topology, source = loaded.topology, loaded.source
    if isinstance(topology, ActiveActive):
        return
    named = list(_names(topology))
    names = {name for name, _ in named}
    for name, path in named:
        owner = _owner(name, names)
        if owner:
            yield Diagnostic(
                "SPEC150",
                f"{name} is the id of {owner} in the cluster's configuration",
                source.key_span(*path) if path[-1] == name else source.span(*path),
                detail="an id is there once: Pacemaker refuses the whole configuration",
                mend="another name",
            )


def _owner(name: str, names: set[str]) -> str:
    """What has the id already, in words; empty where nothing has."""
    if name.startswith(PROPERTIES):
        return "a set of properties"
    words = name.split("-")
    for at in range(1, len(words)):
        first, rest = "-".join(words[:at]), "-".join(words[at:])
        if first in names and PART.match(rest):
            return f"a part of {first}"
    constraint = CONSTRAINT.match(name)
    if constraint is not None and any(constraint[2].startswith(f"{each}-") for each in names):
        return f"a {constraint[1]} constraint"
    return ""


def _names(topology: ClusteredTopology) -> Iterator[tuple[str, KeyPath]]:
    """Every resource with the place of its name."""
    for name in topology.fencing.devices if topology.fencing is not None else ():
        yield name, ("fencing", "devices", name)
    for name in topology.volumes:
        for kind in ("drbd", "drbd-clone", "filesystem"):
            yield f"{name}-{kind}", ("volumes", name)
    for name in topology.databases:
        for kind in ("postgresql", "postgresql-clone"):
            yield f"{name}-{kind}", ("databases", name)
    for name, group in topology.services.items():
        yield name, ("services", name)
        for index, address in enumerate(group.addresses):
            yield f"{address}-address", ("services", name, "addresses", index)
        for index, member in enumerate(group.members):
            yield member.name, ("services", name, "members", index, "name")
