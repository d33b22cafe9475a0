"""What a design needs of secrets: which hadeploy makes itself, and which a person has to give."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hadeploy.app.validate import load_judged
from hadeploy.daemons.registry import cluster_information_base, shares
from hadeploy.design.design import Design
from hadeploy.design.secrets import Secret, secret_reference
from hadeploy.diagnostics import Diagnostics
from hadeploy.project.dump import extra_variables
from hadeploy.run.vault import PASSWORD_FILES, ensure_generated, read_vault, vault_password
from hadeploy.spec.given_file import first_line
from hadeploy.spec.secret import DEFAULT_VAULT


@dataclass(frozen=True, slots=True)
class SecretsReport:
    """What was made, and what is still missing.

    Attributes:
        vault: the file that was looked into; None where the design needs none.
        made: variables that were made now.
        kept: variables of hadeploy's that were there and stay as they are.
        missing: secrets that a person has to give, in words of what to do.
        command: runs the compiled project without hadeploy, in its folder.
        project: that folder.
    """

    vault: Path | None
    made: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[str, ...]
    command: tuple[str, ...]
    project: Path


def init_secrets(topology: Path, out: Path) -> tuple[SecretsReport | None, Diagnostics]:
    """Make what is missing of what hadeploy makes itself; what is there is never changed.

    Raises:
        RunError: the vault cannot be opened or written.
    """
    judged, findings = load_judged(topology)
    if judged is None:
        return None, findings
    _, design = judged
    secrets = list(dict.fromkeys(all_secrets(design)))
    vault: Path | None = None
    made: tuple[str, ...] = ()
    generated = sorted({secret.reference for secret in secrets if secret.source == "generated"})
    variables: dict[str, Any] = {}
    if any(secret.source in ("vault", "generated") for secret in secrets):
        vault, password = vault_of(topology, design), vault_password()
        before = read_vault(vault, password)
        ensure_generated(vault, generated, password, former_secrets(design))
        variables = read_vault(vault, password)
        made = tuple(name for name in generated if variables[name] != before.get(name))
    report = SecretsReport(
        vault=vault,
        made=made,
        kept=tuple(name for name in generated if name not in made),
        missing=_missing(secrets, topology.parent, vault, variables),
        command=_command(secrets, topology.parent.resolve(), vault),
        project=out / design.name,
    )
    return report, findings


def vault_of(topology: Path, design: Design) -> Path:
    """Where a design's secrets are kept, beside its topology."""
    return topology.parent / (design.secrets_vault or DEFAULT_VAULT)


def all_secrets(design: Design) -> list[Secret]:
    """Of all files and of the cluster's configuration."""
    cib = cluster_information_base(design)
    files = [
        secret for share in shares(design) for artifact in share.artifacts for secret in artifact.secrets
    ]
    return [*files, *(cib.secrets if cib else ())]


def former_secrets(design: Design) -> dict[str, str]:
    """Secrets of renamed objects, each with the one that it was: what a database knows as its password stays the same."""
    volumes = {volume.secret: ("drbd", volume.was) for volume in design.volumes}
    databases = {database.secret: ("postgresql", database.was) for database in design.databases}
    return {
        secret.reference: secret_reference(kind, was)
        for secret, (kind, was) in (volumes | databases).items()
        if secret is not None and was
    }


def _missing(
    secrets: list[Secret], directory: Path, vault: Path | None, variables: dict[str, Any]
) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for secret in secrets:
        match secret.source:
            case "env":
                if not os.environ.get(secret.reference):
                    found[f"{secret.name}: export {secret.reference}=..."] = None
            case "file":
                file = directory / secret.reference
                try:
                    empty = not first_line(file)
                except OSError:
                    empty = True
                if empty:
                    found[f"{secret.name}: write it as the first line of {file}"] = None
            case "vault":
                value = variables.get(secret.reference)
                if not isinstance(value, str) or not value:
                    verb = "edit" if vault is not None and vault.exists() else "create"
                    line = f'{secret.reference}: "..."'
                    found[f"{secret.name}: ansible-vault {verb} {vault}, and write {line}"] = None
            case "generated":
                pass
    return tuple(found)


def _command(secrets: list[Secret], directory: Path, vault: Path | None) -> tuple[str, ...]:
    """Of a plain run. The password is asked for where no file of it is named."""
    command = ["ansible-playbook", "site.yml"]
    if vault is not None:
        command += ["-e", f"@{vault.resolve()}"]
        named = next((os.environ[name] for name in PASSWORD_FILES if os.environ.get(name)), None)
        file = Path(named).expanduser().resolve() if named else None
        command += ["--vault-password-file", str(file)] if file else ["--ask-vault-pass"]
    if any(secret.source == "file" and not secret.reference.startswith("/") for secret in secrets):
        command += ["-e", extra_variables({"hadeploy_secrets_directory": str(directory)})]
    return tuple(command)
