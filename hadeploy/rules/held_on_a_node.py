"""What a member of a service holds on the node that it runs on, so that a second one there finds it taken.

By the agents' own metadata, as far as it tells: a parameter that no two resources may have in common (``unique``), and the
files and ports by which a process is known. What only the agent's code tells stands here as data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import normpath

from hadeploy.design.release import load_release
from hadeploy.spec.catalogue import Agent, find_agent
from hadeploy.spec.service import OcfMember, ServiceMember, SystemdMember

ONE_ON_A_NODE: Mapping[str, tuple[str, ...]] = {
    "ocf:heartbeat:nfsserver": ("nfs-server.service",),
    "ocf:heartbeat:nfsnotify": (),
    "ocf:heartbeat:lvmlockd": ("lvmlockd.service",),
    "ocf:heartbeat:clvm": (),
    "ocf:heartbeat:CTDB": ("ctdb.service",),
    "ocf:heartbeat:Xinetd": ("xinetd.service",),
    "ocf:heartbeat:AudibleAlarm": (),
    "ocf:heartbeat:Evmsd": (),
    "ocf:pacemaker:controld": ("dlm.service",),
}
"""Agents of what a machine has once, whatever their parameters say, and the units that are the same."""

ALIASES = {
    "nfs-kernel-server.service": "nfs-server.service",
    "mysql.service": "mariadb.service",
    "mysqld.service": "mariadb.service",
    "bind9.service": "named.service",
    "apache.service": "apache2.service",
}
"""Second names of Debian's units."""

HELD = re.compile(
    r"^(pid|pid_?file|.+_pid(_?file)?|pidfile_.+|socket|.+_socket|.+_sock|pgdata|datadir|.+_dbdir|rundir|state(_file)?|"
    r"nfs_shared_infodir|pgport|node_port|chrooted_path)$"
)
"""Parameters that name what a process has for itself: its process id's file, its socket, its data, its port."""

PORT = "port"
ADDRESSED = re.compile(r"(^|_)(ip|ipaddr|address|addr|listen|bind|server|host)(_|$)")
"""A port may be served twice where each resource is given an address of its own."""

CONFIGURATION = re.compile(r"^(.+_)?(config|conf|conffile|configfile|config_?(file|dir))$")
"""Two processes with one configuration are one process twice, unless they are told to keep their data apart."""

NO_EVIDENCE = re.compile(r"log|out|script|console")
"""Unique by their metadata, and yet nothing that a process needs for itself."""

HOLD_NOTHING = frozenset(
    {"ocf:heartbeat:ethmonitor", "ocf:heartbeat:ovsmonitor", "ocf:pacemaker:ping", "ocf:pacemaker:ifspeed"}
    | {"ocf:pacemaker:attribute", "ocf:pacemaker:remote"}
)
"""They look at something, and leave it as it is."""

NAMED: Mapping[str, tuple[str, ...]] = {
    "ocf:heartbeat:Filesystem": ("directory",),
    "ocf:heartbeat:docker": ("name",),
    "ocf:heartbeat:podman": ("name",),
    "ocf:heartbeat:rkt": ("name",),
    "ocf:heartbeat:symlink": ("link",),
}
"""Agents whose metadata does not say that two of them cannot have the same."""

OF_EACH = "RESOURCE_ID"
"""In a default: the agent puts the resource's own name there."""


@dataclass(frozen=True, slots=True)
class Held:
    """One thing that is there once on a node.

    Attributes:
        what: in words, with its name.
        key: equal where two mean the same.
        sure: whether having it in common is enough; else only where nothing tells the two apart.
    """

    what: str
    key: tuple[str, ...]
    sure: bool = True


def unit_of(name: str) -> str:
    """A unit by its first name."""
    return ALIASES.get(name, name)


def held_by(release: str, member: ServiceMember) -> tuple[Held, ...]:
    """All that a member holds on its node, as far as it is known."""
    if isinstance(member, SystemdMember):
        unit = unit_of(member.unit_name)
        return (Held(unit, ("unit", unit)),)
    if not isinstance(member, OcfMember) or member.agent in HOLD_NOTHING:
        return ()
    agent = find_agent(release, member.agent)
    return (*_machine_wide(release, member), *(_parameters(agent, member) if agent is not None else ()))


def apart_by_data(one: tuple[Held, ...], other: tuple[Held, ...]) -> bool:
    """Whether two of one agent are told apart by what each has for itself."""
    mine, theirs = ({held.key[1]: held.key for held in each if held.sure} for each in (one, other))
    return any(name in theirs and theirs[name] != key for name, key in mine.items())


def _machine_wide(release: str, member: OcfMember) -> Iterator[Held]:
    if member.agent in ONE_ON_A_NODE:
        kind = member.agent.rpartition(":")[2]
        yield Held(f"the one {kind} of a node", ("agent", member.agent))
        for unit in ONE_ON_A_NODE[member.agent]:
            yield Held(unit, ("unit", unit))
    started = dict(load_release(release).agent_units).get(member.agent)
    for name in (*member.unit_names, *((started,) if started else ())):
        # Two instances may both keep their package's own unit off; that unit itself beside one of them is another matter.
        yield Held(unit_of(name), ("unit of", unit_of(name)), sure=False)


def _parameters(agent: Agent, member: OcfMember) -> Iterator[Held]:
    addressed = any(ADDRESSED.search(name) for name in member.parameters)
    for parameter in agent.parameters:
        written = member.parameters.get(parameter.name)
        value = parameter.default if written is None else written
        if not isinstance(value, str | int) or isinstance(value, bool) or not str(value):
            continue
        text, name = str(value), parameter.name
        if OF_EACH in text:
            continue
        telling = parameter.unique and not NO_EVIDENCE.search(name) and parameter.kind == "string"
        own = HELD.match(name) or name in NAMED.get(member.agent, ()) or (name == PORT and not addressed)
        if own or (telling and (written is not None or text.startswith("/"))):
            path = normpath(text) if text.startswith("/") else ""
            key = ("path", name, path) if path else (member.agent, name, text)
            yield Held(f"{name} {text}", key)
        elif CONFIGURATION.match(name):
            yield Held(f"{name} {text}", (member.agent, name, text), sure=False)
