"""Designs written by hand, small enough to read, and the hosts' parsers to judge what is made of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hadeploy.daemons.artifact import Artifact, HostCheck, Share
from hadeploy.design.balancing import BalancedBackend, BalancedFrontend, BalancedServer, BalancerPlan, Check
from hadeploy.design.design import Cluster, Design
from hadeploy.design.fencing import FencingDevice, FencingLevel, FencingPlan
from hadeploy.design.filtering import FirewallPlan
from hadeploy.design.hosting import Flow, HostedUnit, WebSite
from hadeploy.design.membership import Link, Member, Membership, Quorum, QuorumDevice, Segment
from hadeploy.design.promotable import RoleOperation
from hadeploy.design.release import load_release
from hadeploy.design.resources import Group, Location, Operation, Resource, ResourcePlan, Separation
from hadeploy.design.secrets import Secret
from hadeploy.design.volumes import (
    PeerFencing,
    Replica,
    ReplicatedVolume,
    ReplicationTiming,
    Resync,
    Verification,
)
from hadeploy.design.vrrp import TrackedScript, VrrpInstance, VrrpPlan

RING0 = Segment("ring0", ("192.0.2.0/24",), multicast=False)
FRONT = Segment("front", ("198.51.100.0/24", "2001:db8::/64"), multicast=True)


def make_members(count: int, capacity: tuple[tuple[str, int], ...] = ()) -> tuple[Member, ...]:
    return tuple(
        Member(
            name=f"n{number}",
            node_id=number,
            management_address=f"198.51.100.{number}",
            addresses=(
                ("front", f"198.51.100.{number}"),
                ("front", f"2001:db8::{number}"),
                ("ring0", f"192.0.2.{number}"),
            ),
            capacity=capacity,
            interfaces=(("front", "eth0"), ("ring0", "eth1")),
        )
        for number in range(1, count + 1)
    )


def make_membership(members: tuple[Member, ...], device: QuorumDevice | None = None) -> Membership:
    names = [member.name for member in members]
    two_node = len(members) == 2 and device is None
    return Membership(
        cluster_name="demo",
        links=(
            Link(0, "ring0", 2, tuple((name, f"192.0.2.{n}") for n, name in enumerate(names, 1))),
            Link(1, "front", 1, tuple((name, f"198.51.100.{n}") for n, name in enumerate(names, 1))),
        ),
        token_ms=1000,
        token_coefficient_ms=650,
        consensus_ms=(1000 + max(0, len(members) - 2) * 650) * 12 // 10,
        quorum=Quorum(two_node=two_node, wait_for_all=two_node, device=device),
    )


def make_fence(member: str, delay_ms: int = 0) -> FencingDevice:
    return FencingDevice(
        name=f"fence-{member}",
        agent="fence_ipmilan",
        targets=(member,),
        parameters=(
            ("ip", f"203.0.113.{member[1:]}"),
            ("lanplus", "1"),
            ("password", Secret(f"fence-{member}.password", "env", "BMC_PASSWORD")),
            ("username", "admin"),
        ),
        delay_ms=delay_ms,
        timeout_ms=20_000,
        monitor_interval_ms=60_000,
        monitor_timeout_ms=20_000,
        start_timeout_ms=20_000,
        avoids=(member,),
    )


def make_group(name: str, address: str, demand: tuple[tuple[str, int], ...] = ()) -> Group:
    def operations(interval_ms: int) -> tuple[Operation, ...]:
        return (
            Operation("start", 0, 20_000, "restart"),
            Operation("stop", 0, 20_000, "fence"),
            Operation("monitor", interval_ms, 20_000, "restart"),
        )

    return Group(
        name=name,
        resources=(
            Resource(f"{name}-site", "systemd", "", f"hadeploy-nginx@{name}", (), operations(2_500)),
            Resource(
                f"{name}-address",
                "ocf",
                "heartbeat",
                "IPaddr2",
                (("cidr_netmask", "24"), ("ip", address), ("nic", "eth0")),
                operations(10_000),
            ),
        ),
        stickiness=100,
        priority=0,
        migration_threshold=3,
        failure_timeout_ms=3_600_000,
        demand=demand,
    )


def make_flow(why: str, protocol: str, ports: tuple[int, ...], sources: tuple[str, ...]) -> Flow:
    return Flow(why, protocol, ports, sources, ("n1", "n2"))


def make_volume(name: str = "data", nodes: int = 2, **changes: object) -> ReplicatedVolume:
    volume = ReplicatedVolume(
        name=name,
        group="web",
        generation="8.4",
        minor=7,
        port=7795,
        size=256 * 1024**2,
        replicas=tuple(
            Replica(f"n{number}", number - 1, f"192.0.2.{number}", "/dev/disk/by-id/virtio-data")
            for number in range(1, nodes + 1)
        ),
        segment="ring0",
        protocol="C",
        send_buffer=0,
        bandwidth=0,
        filesystem="ext4",
        mount="/srv/data",
        mount_options="",
        seed=False,
        directories=(),
        quorum="",
        on_no_quorum="io-error",
        dual_primary=False,
        fencing=PeerFencing("resource-and-stonith", 33, 43, 0),
        secret=Secret("drbd-data", "generated", "hadeploy_drbd_data", 63),
        timing=ReplicationTiming(2_000, 1_000, 1_500, 2_000),
        resync=Resync(100 * 1024**2, 250 * 1024, 2_000, 0),
        verification=Verification("crc32c", "Sun *-*-01..07 02:00:00"),
        after_split_brain=("discard-zero-changes", "consensus", "disconnect"),
        activity_log_extents=1237,
        operations=(
            RoleOperation("start", 0, 240_000),
            RoleOperation("promote", 0, 90_000),
            RoleOperation("demote", 0, 90_000),
            RoleOperation("stop", 0, 100_000, "fence"),
            RoleOperation("notify", 0, 90_000),
            RoleOperation("monitor", 10_000, 20_000, promoted=True),
            RoleOperation("monitor", 20_000, 20_000, promoted=False),
        ),
        migration_threshold=3,
        failure_timeout_ms=3_600_000,
    )
    return replace(volume, **changes)  # type: ignore[arg-type]


@pytest.fixture
def replicated(two_nodes: Design) -> Design:
    """Two members with a volume between them."""
    return replace(two_nodes, volumes=(make_volume(),))


@pytest.fixture
def tied(two_nodes: Design) -> Design:
    """DRBD 9: two disks and a tiebreaker."""
    members = make_members(3)
    names = tuple(member.name for member in members)
    whole = make_volume(nodes=3, generation="9", quorum="majority", port=7795)
    volume = replace(whole, replicas=(*whole.replicas[:2], replace(whole.replicas[2], disk="")))
    assert two_nodes.cluster
    cluster = replace(
        two_nodes.cluster,
        membership=make_membership(members),
        fencing=replace(two_nodes.cluster.fencing, devices=tuple(make_fence(name) for name in names)),
    )
    return replace(two_nodes, members=members, cluster=cluster, volumes=(volume,))


@pytest.fixture
def two_nodes() -> Design:
    """Active-passive: one group on two members, a race delay on the first."""
    members = make_members(2)
    names = tuple(member.name for member in members)
    return Design(
        name="demo",
        pattern="active-passive",
        release=load_release("debian-12"),
        segments=(FRONT, RING0),
        management_segment="front",
        members=members,
        virtual_addresses=(),
        cluster=Cluster(
            membership=make_membership(members),
            fencing=FencingPlan(
                enabled=True,
                devices=(make_fence("n1", delay_ms=5_000), make_fence("n2")),
                levels=(),
                timeout_ms=30_000,
            ),
            resources=ResourcePlan(
                groups=(make_group("web", "198.51.100.100"),),
                locations=(Location("web", "n1", 50),),
                separations=(),
                utilization=False,
            ),
        ),
        vrrp=None,
        balancer=None,
        sites=(WebSite("web", 8080, "/var/www/html", names),),
        units=(HostedUnit("hadeploy-nginx@web.service", ("nginx-light",), names, clustered=True),),
        flows=(
            make_flow("corosync link 0 on ring0", "udp", (5405,), ("192.0.2.1", "192.0.2.2")),
            make_flow("clients of web", "tcp", (8080,), ()),
        ),
        firewall=FirewallPlan(),
        rto_ms=None,
    )


@pytest.fixture
def three_nodes(two_nodes: Design) -> Design:
    """N+1: two groups, a spare, capacities, and a second fencing level."""
    members = make_members(3, capacity=(("cpu", 4),))
    assert two_nodes.cluster
    return replace(
        two_nodes,
        pattern="n-plus-1",
        members=members,
        cluster=Cluster(
            membership=make_membership(members),
            fencing=FencingPlan(
                enabled=True,
                devices=tuple(make_fence(member.name) for member in members),
                levels=(
                    FencingLevel("n1", 1, ("fence-n1",)),
                    FencingLevel("n1", 2, ("fence-n2", "fence-n3")),
                ),
                timeout_ms=24_000,
            ),
            resources=ResourcePlan(
                groups=(
                    make_group("web", "198.51.100.100", (("cpu", 2),)),
                    make_group("db", "198.51.100.101", (("cpu", 3),)),
                ),
                locations=(Location("web", "n1", 150), Location("web", "n3", 100), Location("db", "n2", 150)),
                separations=(Separation("db", "web", -1000),),
                utilization=True,
            ),
        ),
    )


@pytest.fixture
def arbitrated(two_nodes: Design) -> Design:
    """Four members and an arbiter."""
    members = make_members(4)
    device = QuorumDevice("arbiter", "203.0.113.9", "ffsplit", 5403)
    assert two_nodes.cluster
    cluster = replace(two_nodes.cluster, membership=make_membership(members, device))
    return replace(two_nodes, members=members, cluster=cluster)


@pytest.fixture
def active_active(two_nodes: Design) -> Design:
    """Two load balancers, an IPv4 address by unicast and an IPv6 one by multicast."""
    members = two_nodes.members
    names = tuple(member.name for member in members)

    def instance(name: str, router: int, family: int, address: str, *, unicast: bool) -> VrrpInstance:
        return VrrpInstance(
            name=name,
            virtual_router_id=router,
            segment="front",
            family=family,
            addresses=(address,),
            advert_interval_ms=100,
            preempt=family == 6,
            priorities=(("n1", 200), ("n2", 150)),
            unicast=unicast,
            sources=tuple((m.name, m.on("front")[0 if family == 4 else 1]) for m in members),
        )

    return replace(
        two_nodes,
        pattern="active-active",
        cluster=None,
        vrrp=VrrpPlan(
            instances=(
                instance("vip-a", 11, 4, "198.51.100.100/24", unicast=True),
                instance("vip-b", 12, 6, "2001:db8::100/64", unicast=False),
            ),
            processes=("haproxy",),
            scripts=(TrackedScript("disk", "/usr/bin/true", 2_500, 500, 2, 2, "nobody"),),
        ),
        balancer=BalancerPlan(
            frontends=(
                BalancedFrontend("www", (("198.51.100.100", 80), ("2001:db8::100", 80)), "http", "sites"),
                BalancedFrontend("raw", (("198.51.100.100", 5432),), "tcp", "raw"),
            ),
            backends=(
                BalancedBackend(
                    "sites",
                    "http",
                    "roundrobin",
                    Check("http", "/healthz", 200, 1000, 1000, 2, 2),
                    (
                        BalancedServer("n1", "198.51.100.1", 8080, 100, backup=False),
                        BalancedServer("n2", "2001:db8::2", 8080, 100, backup=True),
                    ),
                    stick_on_source=True,
                ),
                BalancedBackend(
                    "raw",
                    "tcp",
                    "leastconn",
                    Check("tcp", "/", 200, 500, 400, 3, 1),
                    (BalancedServer("n1", "198.51.100.1", 5432, 100, backup=False),),
                    stick_on_source=False,
                ),
            ),
            connect_ms=2000,
            client_ms=30_000,
            server_ms=30_000,
            http_request_ms=10_000,
            maxconn=4000,
            peers=(("n1", "198.51.100.1"), ("n2", "198.51.100.2")),
            peers_port=10_000,
            statistics=(("n1", "198.51.100.1"), ("n2", "198.51.100.2")),
            statistics_port=8404,
            queue_ms=2000,
        ),
        units=(HostedUnit("hadeploy-nginx@web.service", ("nginx-light",), names, clustered=False),),
        flows=(
            make_flow("VRRP adverts from peers", "vrrp", (), ("198.51.100.1", "198.51.100.2", "2001:db8::1")),
            make_flow("HAProxy metrics", "tcp", (8404,), ("198.51.100.0/24", "2001:db8::/64")),
            make_flow("clients of the frontends", "tcp", (80, 5432), ()),
        ),
    )


Find = Callable[[Share | None, str], Artifact]


@pytest.fixture
def find() -> Find:
    """The artifact of a share by its path."""

    def by_path(share: Share | None, path: str) -> Artifact:
        assert share is not None
        return next(artifact for artifact in share.artifacts if artifact.path == path)

    return by_path


class ParserHost:
    """A host of its own (names, network, mounts) in which a staged file is judged as a member would judge it."""

    PREPARE = (
        "hostname n1; mount -t tmpfs tmpfs /run; ip link set lo up; ip link add eth0 type veth peer name eth9;"
        " ip link add eth1 type veth peer name eth8;"
        " ip address add 198.51.100.1/24 dev eth0; ip address add 192.0.2.1/24 dev eth0;"
        ' ip -6 address add 2001:db8::1/64 dev eth0; ip link set eth0 up; exec "$@"'
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def stage(self, path: str, content: str) -> Path:
        staged = self.folder / path.strip("/").replace("/", "_")
        staged.write_text(content)
        staged.chmod(0o644)
        return staged

    def judge(
        self, check: HostCheck, content: str, replaced: dict[str, Path] | None = None
    ) -> tuple[bool, str]:
        """Whether a member would take this file, and what the parser said."""
        for path, staged in (replaced or {}).items():
            content = content.replace(path, str(staged))
        target = self.stage("target", content)
        argv = [arg.replace("{staged}", str(target)) for arg in check.argv]
        if shutil.which(argv[0]) is None:
            pytest.skip(f"{argv[0]} is not installed here")
        as_user = [] if check.user == "root" else ["runuser", "-u", check.user, "--"]
        done = subprocess.run(
            ["unshare", "-m", "-n", "-u", "sh", "-c", self.PREPARE, "sh", *as_user, *argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        said = done.stdout + done.stderr
        refused = any(re.search(pattern, said) for pattern in check.reject_output)
        return done.returncode in check.accept and not refused, f"{done.returncode}: {said}"


@pytest.fixture
def parser_host() -> Iterator[ParserHost]:
    if os.geteuid() != 0:
        pytest.skip("a network namespace with an interface of its own needs root")
    with tempfile.TemporaryDirectory(prefix="hadeploy-native-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # keepalived's parser runs as nobody
        yield ParserHost(folder)
