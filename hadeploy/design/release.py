"""Operating system releases as data: package names, versions, property names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from hadeploy.spec.catalogue import find_agent


@dataclass(frozen=True, slots=True)
class Release:
    """One operating system release.

    Attributes:
        name: as in the topology.
        title: for people.
        crm_feature_set: the highest the release's Pacemaker understands; a CIB above it aborts crm_simulate.
        validate_with: CIB schema.
        fencing_property_prefix: ``stonith`` or, where renamed, ``fencing``.
        promoted_role: what this Pacemaker calls the instance of a promotable clone that was promoted.
        drbd_module: version of the release's own kernel module, ``8.4`` or ``9``.
        drbd_utils: version of the programs, which read the files of both.
        postgresql: major version that it packages.
        no_quorum_fence: the value of no-quorum-policy that fences: ``suicide`` or, where renamed, ``fence``.
        packages: daemon -> packages.
        agent_units: agent -> the unit that would start the same program at boot.
        fence_agent_packages: agent -> packages, where it needs more than the one that brings it.
        agent_programs: agent -> packages of programs that it calls and its own package only recommends.
        nfs_units: units that its NFS server brings along and that nothing stops with it.
    """

    name: str
    title: str
    crm_feature_set: str
    validate_with: str
    fencing_property_prefix: str
    promoted_role: str
    drbd_module: str
    drbd_utils: str
    postgresql: int
    no_quorum_fence: str
    packages: tuple[tuple[str, tuple[str, ...]], ...]
    fence_agent_packages: tuple[tuple[str, tuple[str, ...]], ...]
    agent_units: tuple[tuple[str, str], ...] = ()
    agent_programs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    nfs_units: tuple[str, ...] = ()

    def packages_of(self, daemon: str) -> tuple[str, ...]:
        """Packages that bring a daemon."""
        return dict(self.packages)[daemon]

    def packages_of_agent(self, agent: str) -> tuple[str, ...]:
        """Packages that bring an agent (``fence_x`` or ``ocf:provider:type``); empty where no package is known to."""
        listed = dict(self.fence_agent_packages).get(agent)
        if listed is not None:
            return listed
        known = find_agent(self.name, agent)
        programs = dict(self.agent_programs).get(agent, ())
        return ((known.package,) if known is not None else ()) + programs


@cache
def load_release(name: str) -> Release:
    """Read a release's data file; the spec stage admits only names that have one."""
    text = files("hadeploy.design").joinpath("releases", f"{name}.yaml").read_text(encoding="utf-8")
    data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe, and in C
    return Release(
        name=data["name"],
        title=data["title"],
        crm_feature_set=data["crm_feature_set"],
        validate_with=data["validate_with"],
        fencing_property_prefix=data["fencing_property_prefix"],
        promoted_role=data["promoted_role"],
        drbd_module=data["drbd_module"],
        drbd_utils=data["drbd_utils"],
        postgresql=data["postgresql"],
        no_quorum_fence=data["no_quorum_fence"],
        packages=tuple((key, tuple(value)) for key, value in data["packages"].items()),
        fence_agent_packages=tuple(
            (key, tuple(value)) for key, value in data["fence_agent_packages"].items()
        ),
        agent_units=tuple(data["agent_units"].items()),
        agent_programs=tuple((key, tuple(value)) for key, value in data["agent_programs"].items()),
        nfs_units=tuple(data["nfs_units"]),
    )
