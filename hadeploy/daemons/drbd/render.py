"""The resource files' model to text, and what has their copies compared."""

from __future__ import annotations

from hadeploy.daemons.artifact import Artifact, HostCheck
from hadeploy.daemons.drbd.check import resource_check
from hadeploy.daemons.drbd.config import DrbdConfig, Host, Options, ResourceConfig, VerifyConfig
from hadeploy.daemons.drbd.section import Section, quoted, word
from hadeploy.daemons.templates import print_view

DIRECTORY = "/etc/drbd.d"
"""Included by the package's own /etc/drbd.conf, after its global_common.conf."""

UNIT = "drbd.service"
"""Never started: it is under this name that an apply remembers that DRBD is to be adjusted."""

PROGRAM = "/usr/local/lib/hadeploy/drbd-verify"
UNITS = "/etc/systemd/system"

QUOTED = frozenset({"shared-secret", "fence-peer", "unfence-peer"})
"""Statements whose value holds spaces, or what a secret may hold."""


def render_drbd(config: DrbdConfig, host: str) -> tuple[Artifact, ...]:
    """One file a resource, one timer a resource that is compared."""
    check = resource_check(config.generation)
    files = [_resource_file(resource, host, check) for resource in config.resources]
    if not config.verifications:
        return tuple(files)
    return (
        *files,
        Artifact(
            host=host,
            path=PROGRAM,
            content=print_view("drbd/drbd-verify.j2", config),
            check=HostCheck(argv=("sh", "-n", "{staged}")),
        ),
        Artifact(
            host=host,
            path=f"{UNITS}/hadeploy-drbd-verify@.service",
            content=print_view("drbd/hadeploy-drbd-verify@.service.j2", config),
        ),
        *(_timer(verification, host) for verification in config.verifications),
    )


def timer_unit(resource: str) -> str:
    """The timer that has a resource's copies compared."""
    return f"hadeploy-drbd-verify@{resource}.timer"


def verify_unit(resource: str) -> str:
    """What that timer starts."""
    return f"hadeploy-drbd-verify@{resource}.service"


def _timer(verification: VerifyConfig, host: str) -> Artifact:
    return Artifact(
        host=host,
        path=f"{UNITS}/{timer_unit(verification.resource)}",
        content=print_view("drbd/hadeploy-drbd-verify.timer.j2", verification),
        unit=timer_unit(verification.resource),
        on_change="restart",
        check=HostCheck(argv=("systemd-analyze", "calendar", verification.schedule)),
    )


def _resource_file(resource: ResourceConfig, host: str, check: HostCheck) -> Artifact:
    return Artifact(
        host=host,
        path=f"{DIRECTORY}/{resource.name}.res",
        content=render_text(resource),
        mode="0600" if resource.secret is not None else "0644",
        unit=UNIT,
        on_change="reload",
        check=check,
        secrets=(resource.secret,) if resource.secret is not None else (),
    )


def render_text(resource: ResourceConfig) -> str:
    """One resource file, the same on every member."""
    sections = (
        _section("options", resource.options),
        _section("disk", resource.disk),
        _section("net", resource.net),
        _section("startup", resource.startup),
        *((_section("handlers", resource.handlers),) if resource.handlers else ()),
        *(_host(host, resource.minor) for host in resource.hosts),
        *((Section("connection-mesh", (("hosts", " ".join(resource.mesh)),)),) if resource.mesh else ()),
    )
    return f"# {resource.notice}\n{Section(f'resource {quoted(resource.name)}', sections).text()}"


def _section(name: str, options: Options) -> Section:
    return Section(name, tuple((key, quoted(value) if key in QUOTED else value) for key, value in options))


def _host(host: Host, minor: int) -> Section:
    """A member without a disk still has the device, and sees the data through the others."""
    disk = (("disk", word(host.disk)), ("meta-disk", "internal")) if host.disk else (("disk", "none"),)
    node_id = (("node-id", str(host.node_id)),) if host.node_id is not None else ()
    volume = Section("volume 0", (("device", f"/dev/drbd{minor} minor {minor}"), *disk))
    return Section(f"on {quoted(host.name)}", (*node_id, ("address", host.address), volume))
