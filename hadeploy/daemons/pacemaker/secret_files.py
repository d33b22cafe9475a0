"""Parameters that are secrets, in files that Pacemaker reads itself: the CIB is logged, and readable by the group haclient.

The layout is that of cibsecret(8): a file a parameter, and beside it the sum of its content, without which it is refused.

A fence device names its password by a command that prints such a file, where its agent takes one. The fence daemon puts a
value of ``lrm://`` into its own record of the device at the first use (stonith_device_execute in daemons/fenced/
fenced_commands.c, Pacemaker 2.1.5 to 3.0). What is registered at the next start is then another device to it: it drops the
first with all its waiting operations, and a fencing that waits for its delay is given up until the next recheck.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from hadeploy.daemons.artifact import Artifact, Encoding, PrintedSecret
from hadeploy.design.design import Cluster
from hadeploy.design.fencing import FencingDevice
from hadeploy.design.secrets import Secret, Value
from hadeploy.spec.catalogue import find_agent

DIRECTORY = "/var/lib/pacemaker/lrm/secrets"
PRIVATE = "0600"
FILES: tuple[tuple[str, Encoding], ...] = (("", "cib-secret"), (".sign", "cib-secret-sum"))


def secret_files(host: str, cluster: Cluster) -> tuple[Artifact, ...]:
    """The files of one member: each may have to start any resource, and to fence."""
    return tuple(
        Artifact(
            host,
            f"{DIRECTORY}/{owner}/{name}{suffix}",
            value.placeholder,
            mode=PRIVATE,
            secrets=(value,),
            encoding=encoding,
        )
        for owner, name, value in _parameters(cluster)
        if isinstance(value, Secret)
        for suffix, encoding in FILES
    )


def printed_secrets(release: str, cluster: Cluster) -> tuple[PrintedSecret, ...]:
    """Secrets of fence devices that their agents read from a command."""
    return tuple(
        PrintedSecret(value, f"{name}_script", shlex.join(["/bin/cat", f"{DIRECTORY}/{device.name}/{name}"]))
        for device in cluster.fencing.devices
        for name, value in device.parameters
        if isinstance(value, Secret) and _takes_a_command(release, device, name)
    )


def holds_secrets(release: str, cluster: Cluster) -> bool:
    """Whether the fence daemon itself puts a secret into a device: no command can name it."""
    printed = {each.secret for each in printed_secrets(release, cluster)}
    return any(
        isinstance(value, Secret) and value not in printed
        for device in cluster.fencing.devices
        for _, value in device.parameters
    )


def _takes_a_command(release: str, device: FencingDevice, name: str) -> bool:
    """``password_script`` and its like (the agents' own metadata)."""
    agent, command = find_agent(release, device.agent), f"{name}_script"
    return (
        agent is not None and agent.parameter(command) is not None and command not in dict(device.parameters)
    )


def _parameters(cluster: Cluster) -> Iterator[tuple[str, str, Value]]:
    for device in cluster.fencing.devices:
        yield from ((device.name, name, value) for name, value in device.parameters)
    for group in cluster.resources.groups:
        for resource in group.resources:
            yield from ((resource.name, name, value) for name, value in resource.parameters)
