"""Parameters that are secrets, in files that Pacemaker reads itself: the CIB is logged, and readable by the group haclient.

The layout is that of cibsecret(8): a file a parameter, and beside it the sum of its content, without which it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.daemons.artifact import Artifact, Encoding
from hadeploy.design.design import Cluster
from hadeploy.design.secrets import Secret, Value

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


def _parameters(cluster: Cluster) -> Iterator[tuple[str, str, Value]]:
    for device in cluster.fencing.devices:
        yield from ((device.name, name, value) for name, value in device.parameters)
    for group in cluster.resources.groups:
        for resource in group.resources:
            yield from ((resource.name, name, value) for name, value in resource.parameters)
