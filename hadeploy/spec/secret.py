"""References to secrets. A topology never holds a secret's value."""

from typing import Annotated

from pydantic import Field

from hadeploy.spec.scalars import AS_TEXT, Text
from hadeploy.spec.values import SpecModel


class EnvironmentSecret(SpecModel):
    """The value of an environment variable of the one who applies."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AS_TEXT]


class FileSecret(SpecModel):
    """The first line of a file, relative to the topology."""

    file: Annotated[Text, Field(min_length=1)]


class VaultSecret(SpecModel):
    """A variable of the topology's ansible-vault file (``secrets_vault``)."""

    vault: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AS_TEXT]


SecretReference = EnvironmentSecret | FileSecret | VaultSecret

DEFAULT_VAULT = "secrets.vault.yml"
"""Where hadeploy keeps what it makes itself, beside the topology, when ``secrets_vault`` names no other file."""
