"""The host itself: name, release, Python, rights, room on disk, clock."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.design.design import Design
from hadeploy.health.hosts import Hosts
from hadeploy.health.problem import HostProblem
from hadeploy.observe.facts import Clock, Space, Unknown, Upkeep

OLDEST_PYTHON = (3, 9)
"""What the modules that run on hosts are written for; ansible-core 2.19 wants 3.8 of a host, 2.20 wants 3.9."""

MIB = 1024 * 1024

NEEDED = {"/etc": 16 * MIB, "/var/lib": 64 * MIB, "/var/log": 64 * MIB}
"""Free bytes at every moment: configuration is written beside the old one before it is exchanged; the CIB, corosync's state,
what is staged and what is kept of replaced files; and the daemons' logs. A full one of them fails an apply half-way, and a
takeover by a CIB that cannot be written."""

FIRST = {"/usr": 512 * MIB, "/var": 256 * MIB}
"""Free bytes before the first apply: Debian's packages of the whole stack take 400 MB installed and 100 MB as archives."""

INODES = 1_000

CLOCK_SECONDS = 5.0
"""How far clocks of two hosts may be apart. Corosync and VRRP measure time spans and need no common clock. Pacemaker compares
times of different nodes in whole seconds (failure-timeout, lifetimes of constraints, its fencing history), certificates of
the quorum device count from the moment when they were made, and logs of two nodes can be put in order only by their times.
etcd warns above 1 s, Couchbase above 5 s."""


def name_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Host names; the playbook refuses the same before it writes anything, and says more where nothing else is wrong."""
    for member, facts in hosts.members():
        if isinstance(facts.host_name, Unknown) or facts.host_name == member.name:
            continue
        other = other_node(hosts.design, member.name, facts.host_name)
        if other:
            yield HostProblem(
                "HOST011",
                member.name,
                f"the host named {member.name}",
                f"the host at this address is {other} (uname -n: {facts.host_name})",
                f"correct the address of {member.name}, in the topology or as ansible_host in the inventory",
            )
        else:
            yield HostProblem(
                "HOST011",
                member.name,
                f"host name {member.name}",
                f"{facts.host_name} (uname -n)",
                f"hostnamectl set-hostname {member.name}",
            )


def other_node(design: Design, node: str, host_name: str) -> str:
    """The other node that a host is by its name, with or without a domain; empty for none."""
    others = {member.name for member in design.members} - {node}
    return next((name for name in (host_name, host_name.partition(".")[0]) if name in others), "")


def system_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Release, architecture, Python, rights."""
    wanted = hosts.design.release.name
    for name, facts in hosts.facts.items():
        if not isinstance(facts.release, Unknown) and facts.release != wanted:
            yield HostProblem(
                "HOST012",
                name,
                f"release {wanted}",
                facts.release,
                f"install {hosts.design.release.title} on {name}, or write release: {facts.release} where it is one that"
                " hadeploy knows",
            )
        if not isinstance(facts.python, Unknown) and facts.python[:2] < OLDEST_PYTHON:
            yield HostProblem(
                "HOST014",
                name,
                f"python3 {'.'.join(map(str, OLDEST_PYTHON))} or newer",
                ".".join(map(str, facts.python)),
                f"install a newer python3 on {name}",
            )
        if facts.root is False:
            yield HostProblem(
                "HOST015",
                name,
                "the rights of root",
                "an ordinary user",
                "set ansible_become: true for it in the inventory",
            )
    yield from _architectures(hosts)


def unread_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Questions that failed as a whole: what they would have told is not known."""
    for name, facts in hosts.facts.items():
        for asked, why in facts.unread:
            if not asked.startswith("fencing "):  # told of the device
                yield HostProblem(
                    "HOST035",
                    name,
                    f"an answer to: {asked}",
                    why,
                    f"see what keeps root on {name} from it: hadeploy explain HOST035",
                )


def _architectures(hosts: Hosts) -> Iterator[HostProblem]:
    for database in hosts.design.databases:
        seen = {name: hosts.facts[name].machine for name in database.names if name in hosts.facts}
        kinds = {machine for machine in seen.values() if not isinstance(machine, Unknown)}
        if len(kinds) > 1:
            yield HostProblem(
                "HOST013",
                " ".join(seen),
                f"one architecture for database {database.name}",
                ", ".join(f"{name} {machine}" for name, machine in seen.items()),
                "take machines of one architecture: physical replication copies files as they are",
            )


def space_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """One problem a file system: several paths on one have the same room."""
    for name, facts in hosts.facts.items():
        first = isinstance(facts.upkeep, Upkeep) and not facts.upkeep.owned_units
        told: set[tuple[int, int]] = set()
        for path, needed in {**NEEDED, **(FIRST if first else {})}.items():
            space = facts.spaces.get(path)
            if space is None or isinstance(space, Unknown) or (space.free, space.size) in told:
                continue
            problem = _space(name, space, needed)
            if problem is not None:
                told.add((space.free, space.size))
                yield problem


def _space(name: str, space: Space, needed: int) -> HostProblem | None:
    if space.read_only and space.path != "/usr":
        fix = f"see dmesg on {name} for an error of the disk; mount -o remount,rw {space.path}"
        return HostProblem("HOST016", name, f"{space.path} can be written", "it is read-only", fix)
    if space.free < needed:
        return HostProblem(
            "HOST017",
            name,
            f"{needed // MIB} MiB free in {space.path}",
            f"{space.free // MIB} MiB of {space.size // MIB} MiB",
            f"free room in {space.path} on {name}: df -h {space.path}",
        )
    if space.inodes is not None and space.inodes < INODES:
        return HostProblem(
            "HOST017",
            name,
            f"{INODES} free inodes in {space.path}",
            f"{space.inodes}",
            f"remove files in {space.path} on {name}: df -i {space.path}",
        )
    return None


def clock_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Clocks that are certainly apart: by more than what the way to the hosts leaves uncertain."""
    clocks = {name: facts.clock for name, facts in hosts.facts.items() if isinstance(facts.clock, Clock)}
    apart = {
        name: {other for other in clocks if abs(_apart(clocks[name], clocks[other])) > CLOCK_SECONDS}
        for name in clocks
    }
    if not any(apart.values()):
        return
    right = min(clocks, key=lambda name: len(apart[name]))
    for name in apart[right]:
        ahead = _apart(clocks[name], clocks[right])
        yield HostProblem(
            "HOST018",
            name,
            f"its clock within {CLOCK_SECONDS:g} s of {right}'s",
            f"its clock is {_span(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}",
            f"set it, and let chrony or systemd-timesyncd keep it: timedatectl set-ntp true on {name} (date there now?)",
        )


def _apart(one: Clock, other: Clock) -> float:
    """How far one is ahead of the other at the least, in seconds; negative where it is behind, 0 where that is not certain."""
    if one.earliest > other.latest:
        return one.earliest - other.latest
    if one.latest < other.earliest:
        return one.latest - other.earliest
    return 0.0


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"at least {seconds / size:.0f} {unit}"
    return f"at least {seconds:.0f} s"


def synchronization_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Clocks that nothing keeps."""
    names = [
        name
        for name, facts in hosts.facts.items()
        if isinstance(facts.clock, Clock) and facts.clock.synchronized is False
    ]
    if names:
        yield HostProblem(
            "HOST019",
            " ".join(names),
            "clocks that are synchronized",
            "not synchronized (adjtimex)",
            "apt install chrony, or timedatectl set-ntp true",
        )
