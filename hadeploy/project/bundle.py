"""What is shipped to one host: a list of files with everything that must be known of them, and the files themselves."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from hadeploy.daemons.artifact import Artifact, ClusterInformationBase, Fixed, HostCheck, Share
from hadeploy.project.dump import dump_yaml

ROOT = "rootfs"


def bundle_files(host: str, shares: Sequence[Share], *, arbiter: bool = False) -> dict[str, bytes]:
    """``files/<host>/``: the bundle and its readable files, placeholders where secrets belong.

    The arbiter may be a member of another cluster: its bundle says that it is another part of the host's.
    """
    folder = f"files/{host}"
    files = {
        f"{folder}/bundle.yml": dump_yaml(
            _bundle(host, shares) | ({"part": "arbiter"} if arbiter else {})
        ).encode()
    }
    for share in shares:
        for artifact in share.artifacts:
            files[f"{folder}/{_source(artifact)}"] = artifact.content.encode()
    return files


def _bundle(host: str, shares: Sequence[Share]) -> dict[str, Any]:
    units = [
        {
            "daemon": share.daemon,
            "name": unit.name,
            "enabled": unit.enabled,
            "running": unit.running,
            "phase": unit.phase,
        }
        for share in shares
        for unit in share.units
    ]
    return {
        "host": host,
        "packages": {share.daemon: list(share.packages) for share in shares if share.packages},
        "users": list(dict.fromkeys(user for share in shares for user in share.users)),
        "artifacts": [_entry(share.daemon, artifact) for share in shares for artifact in share.artifacts],
        "units": units,
    }


def _source(artifact: Artifact) -> str:
    return ROOT + artifact.path


def _entry(daemon: str, artifact: Artifact) -> dict[str, Any]:
    return {
        "daemon": daemon,
        "path": artifact.path,
        "source": _source(artifact),
        "sha256": sha256(artifact.content.encode()).hexdigest(),
        "owner": artifact.owner,
        "group": artifact.group,
        "mode": artifact.mode,
        "encoding": artifact.encoding,
        "secrets": [secret.name for secret in artifact.secrets],
        "unit": artifact.unit,
        "on_change": artifact.on_change,
        "check": _check(artifact.check) if artifact.check else None,
        **({"fixed": _fixed(artifact.fixed)} if artifact.fixed else {}),
        **({"openings": True} if artifact.openings else {}),
        **({"facts": [fact.name for fact in artifact.facts]} if artifact.facts else {}),
    }


def _fixed(fixed: Fixed) -> dict[str, Any]:
    return {"argv": list(fixed.argv), "values": dict(fixed.values)}


def _check(check: HostCheck) -> dict[str, Any]:
    return {
        "argv": list(check.argv),
        "accept": list(check.accept),
        "user": check.user,
        "reject_output": list(check.reject_output),
    }


def cib_files(cib: ClusterInformationBase) -> dict[str, bytes]:
    """``files/cib.xml`` for people and Pacemaker, ``files/cib.yml`` for the module that applies it."""
    about = {
        "source": "cib.xml",
        "members": list(cib.members),
        "secrets": [secret.name for secret in cib.secrets],
        "key": cib.key.name if cib.key else "",
        "checks": [_check(check) for check in cib.checks],
        "printed": {each.secret.name: {"name": each.name, "value": each.command} for each in cib.printed},
    }
    return {"files/cib.xml": cib.xml.encode(), "files/cib.yml": dump_yaml(about).encode()}
