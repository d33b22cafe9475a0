"""Design to project: the one door of this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hadeploy import __version__
from hadeploy.daemons.artifact import ClusterInformationBase, Share
from hadeploy.daemons.registry import cluster_information_base, shares
from hadeploy.design.design import Design
from hadeploy.project.bundle import bundle_files, cib_files
from hadeploy.project.dump import dump_variables, dump_yaml
from hadeploy.project.inventory import inventory, makes_certificates, play_variables
from hadeploy.project.manifest import Manifest
from hadeploy.project.playbook import VARIABLES, look_playbook, playbook, release_playbook, roles_of
from hadeploy.project.roles import role_files
from hadeploy.project.settings import ansible_settings, readme
from hadeploy.project.write import replace_directory


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose project it is.

    Attributes:
        deployment: the id that hosts are told; a lab has one of its own.
        topology: the id that stands beside the topology. A project with another one is not written over.
    """

    deployment: str = ""
    topology: str = ""


NOBODYS = Whose()


def build(design: Design, destination: Path, whose: Whose = NOBODYS) -> Manifest:
    """Compile every daemon's share and write the project.

    Raises:
        NotAProjectError: the destination holds something else.
        OtherDeploymentError: it holds the project of another deployment.
    """
    return write_project(design, shares(design), cluster_information_base(design), destination, whose)


def write_project(
    design: Design,
    parts: Sequence[Share],
    cib: ClusterInformationBase | None,
    destination: Path,
    whose: Whose = NOBODYS,
) -> Manifest:
    """Write the project, replacing a former one in one step.

    Raises:
        NotAProjectError: the destination holds something else.
        OtherDeploymentError: it holds the project of another deployment.
    """
    files = project_files(design, parts, cib, whose.deployment)
    manifest = Manifest.of(__version__, design.name, files, whose.topology)
    replace_directory(destination, files, manifest)
    return manifest


def project_files(
    design: Design, parts: Sequence[Share], cib: ClusterInformationBase | None, deployment: str = ""
) -> dict[str, bytes]:
    """Every file but the manifest, by its path in the project. Pure: the same input gives the same bytes."""
    variables = play_variables(design, parts, cib, deployment)
    plays = playbook(parts, certificates=makes_certificates(design))
    files = {
        "ansible.cfg": ansible_settings(design).encode(),
        "inventory.yml": dump_variables(inventory(design, parts)).encode(),
        VARIABLES: dump_variables(variables).encode(),
        "site.yml": dump_yaml(plays).encode(),
        "look.yml": dump_yaml(look_playbook(plays)).encode(),
        "release.yml": dump_yaml(release_playbook(parts)).encode(),
        "README.md": readme(design, vault=_needs_vault(parts, cib)).encode(),
    }
    arbiter = design.arbiter.host if design.arbiter is not None else ""
    for host in dict.fromkeys((*(member.name for member in design.members), *(part.host for part in parts))):
        files |= bundle_files(host, [part for part in parts if part.host == host], arbiter=host == arbiter)
    if cib is not None:
        files |= cib_files(cib)
    return files | dict(role_files(roles_of(plays)))


def _needs_vault(parts: Sequence[Share], cib: ClusterInformationBase | None) -> bool:
    secrets = [secret for part in parts for artifact in part.artifacts for secret in artifact.secrets]
    return any(
        secret.source in ("vault", "generated") for secret in (*secrets, *(cib.secrets if cib else ()))
    )
