"""What a member's files are judged in, away from the member: its name, interfaces, users, and all its files together.

A room is what ``run/parser_room.py`` plays. Secrets are stood in for: no value leaves its place for a parser's sake.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Sequence, Set
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath

from hadeploy.daemons.artifact import Artifact, ClusterInformationBase, HostCheck, Share
from hadeploy.daemons.units.check import unit_check
from hadeploy.design.design import Design
from hadeploy.design.secrets import Secret
from hadeploy.proof.job import Job

CIB_PATH = "/cib.xml"
DUMMY_KEY = "k" * 256
"""As long as corosync's own; 128 bytes are the least that it takes."""
DUMMY_SECRET = "hadeploy"  # noqa: S105 (what stands for one)
"""VRRP's passwords have eight characters at most."""

PACKAGED_USERS = ("haproxy", "www-data", "hacluster")
"""Users that files name and packages bring; the parser may stand on a machine that calls the package otherwise."""
ORDINARY = "nobody"

VERSIONS = {"keepalived": "-v", "haproxy": "-v", "corosync": "-v", "nginx": "-v"}
"""Most print their version when asked with ``--version``; these do not, or say too much."""


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """A file and one check that it must pass; a CIB has two."""

    path: str
    check: HostCheck

    @property
    def shown(self) -> str:
        """The path for people: the CIB is no file of a host."""
        return "CIB" if self.path == CIB_PATH else self.path

    @property
    def parser(self) -> str:
        """The parser's name for people."""
        return PurePosixPath(self.check.parser).name


@dataclass(frozen=True, slots=True)
class RoomFile:
    """A file as it lies in a room."""

    path: str
    content: str


@dataclass(frozen=True, slots=True)
class Room:
    """One member's room.

    Attributes:
        host: the member's name.
        isolated: in namespaces of its own; else plainly on this machine.
        interfaces: names and addresses with prefix lengths.
        users: that the files name.
        programs: that the files name and that the member may bring itself.
        files: all of the member's, so that they find each other.
        judged: those that have a parser, once for each check.
    """

    host: str
    isolated: bool
    interfaces: tuple[tuple[str, tuple[str, ...]], ...]
    users: tuple[str, ...]
    programs: tuple[str, ...]
    files: tuple[RoomFile, ...]
    judged: tuple[JudgedFile, ...]

    def only(self, wanted: Set[tuple[str, str]]) -> Room:
        """The same room for some of its judgements, named by path and parser."""
        return replace(
            self, judged=tuple(each for each in self.judged if (each.shown, each.parser) in wanted)
        )

    def plan(self, *, root: str = "", stage: str = "", ordinary: bool = False) -> str:
        """What ``run/parser_room.py`` reads.

        Args:
            root: a tree whose parsers judge; this machine's own when empty.
            stage: where files are laid, in a room that is not isolated.
            ordinary: whether an ordinary user plays it.
        """
        return json.dumps(
            {
                "host": self.host,
                "isolated": self.isolated,
                "ordinary": ordinary,
                "root": root,
                "stage": stage,
                "interfaces": self.interfaces,
                "users": self.users,
                "programs": self.programs,
                "files": [asdict(file) for file in self.files],
                "checks": [_check(number, judged, ordinary) for number, judged in enumerate(self.judged)],
            }
        )


def _check(number: int, judged: JudgedFile, ordinary: bool) -> dict[str, object]:
    check = judged.check
    # As the only user of its namespace, nginx cannot give its folders to www-data.
    user = ORDINARY if ordinary and check.parser == "nginx" else check.user
    return {
        "check": number,
        "path": judged.path,
        "parser": check.parser,
        "argv": check.argv,
        "user": user,
        "needs": check.needs,
        "version": (check.parser, VERSIONS.get(check.parser, "--version")),
    }


def rooms(
    design: Design, parts: Sequence[Share], cib: ClusterInformationBase | None, *, ordinary: bool
) -> Iterator[Room]:
    """A room a host that has any file; for an ordinary user, another for what cannot be judged in a user namespace.

    The cluster's configuration is judged in the first: it is the same for all.
    """
    hosts = dict.fromkeys((*(member.name for member in design.members), *(part.host for part in parts)))
    for number, host in enumerate(hosts):
        mine = [part for part in parts if part.host == host]
        room = _room(design, host, mine, None if number else cib)
        if ordinary:
            yield from _apart(room)
        else:
            yield room


def unjudged(parts: Sequence[Share]) -> tuple[Artifact, ...]:
    """Files that nothing can judge before they are used."""
    artifacts = (artifact for part in parts for artifact in part.artifacts)
    return tuple(a for a in artifacts if a.check is None and unit_check(a) is None)


def _room(design: Design, host: str, parts: Sequence[Share], cib: ClusterInformationBase | None) -> Room:
    artifacts = [artifact for part in parts for artifact in part.artifacts]
    files = [RoomFile(artifact.path, _content(artifact)) for artifact in artifacts]
    judged = [
        JudgedFile(artifact.path, check)
        for artifact in artifacts
        if (check := artifact.check or unit_check(artifact)) is not None
    ]
    if cib is not None:
        files.append(RoomFile(CIB_PATH, _without_secrets(cib.xml, cib.secrets)))
        judged += [JudgedFile(CIB_PATH, check) for check in cib.checks]
    users = [user for part in parts for user in part.users]
    scripts = design.vrrp.scripts if design.vrrp is not None else ()
    return Room(
        host=host,
        isolated=True,
        interfaces=tuple(_interfaces(design, host)),
        users=tuple(dict.fromkeys((*PACKAGED_USERS, *users))),
        programs=tuple(dict.fromkeys(script.path for script in scripts)),
        files=tuple(files),
        judged=tuple(judged),
    )


def _content(artifact: Artifact) -> str:
    if artifact.encoding == "base64":
        return DUMMY_KEY
    return _without_secrets(artifact.exemplary, artifact.secrets)


def _without_secrets(text: str, secrets: Sequence[Secret]) -> str:
    for secret in secrets:
        text = text.replace(secret.placeholder, DUMMY_SECRET)
    return text


def _interfaces(design: Design, host: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A member's; of the arbiter no interface is known, and nothing of its files needs one."""
    member = next((member for member in design.members if member.name == host), None)
    for segment in design.segments:
        addresses = member.on(segment.name) if member is not None else ()
        if member is not None and addresses:
            yield (
                member.interface(segment.name),
                tuple(_with_prefix(address, segment.subnets) for address in addresses),
            )


def _with_prefix(address: str, subnets: Sequence[str]) -> str:
    """The address with its subnet's length; alone on its own where it is in none of them."""
    own = ipaddress.ip_address(address)
    networks = (ipaddress.ip_network(subnet, strict=False) for subnet in subnets)
    length = next((network.prefixlen for network in networks if own in network), own.max_prefixlen)
    return f"{address}/{length}"


def _apart(room: Room) -> Iterator[Room]:
    """The room without what an ordinary user must judge outside, and that outside."""
    inside, outside, judged_outside = dict[str, str](), list[RoomFile](), list[JudgedFile]()
    contents = {file.path: file.content for file in room.files}
    for judged in room.judged:
        if judged.check.apart is None:
            continue
        inside[judged.path], rest = judged.check.apart(contents[judged.path])
        if rest:
            outside.append(RoomFile(judged.path, rest))
            judged_outside.append(judged)
    files = tuple(replace(file, content=inside.get(file.path, file.content)) for file in room.files)
    yield replace(room, files=files)
    if outside:
        yield replace(
            room,
            isolated=False,
            interfaces=(),
            users=tuple(user for user in room.users if user not in PACKAGED_USERS),
            files=tuple(outside),
            judged=tuple(judged_outside),
        )


def room_job(room: Room, python: str, program: str, *, root: str, stage: str, ordinary: bool) -> Job:
    """How a room is played.

    Args:
        room: that is played.
        python: an interpreter of this machine.
        program: the text of ``run/parser_room.py``.
        root: see :meth:`Room.plan`.
        stage: see :meth:`Room.plan`.
        ordinary: whether this process has no rights of root.
    """
    play = (python, "-I", "-c", program)
    user = ("--user", "--map-root-user") if ordinary else ()
    alone = ("unshare", *user, "--mount", "--net", "--uts", "--ipc", "--") if room.isolated else ()
    return Job((*alone, *play), room.plan(root=root, stage=stage, ordinary=ordinary), seconds=120)
