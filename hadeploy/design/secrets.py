"""References to secrets, flattened: a design names where a value is, never the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hadeploy.spec.catalogue import Agent
from hadeploy.spec.scalars import Scalar
from hadeploy.spec.secret import EnvironmentSecret, FileSecret, SecretReference


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret that an artifact needs.

    Attributes:
        name: unique in the design; artifacts hold ``placeholder`` in its place.
        source: where the value comes from: ``env``, ``file``, ``vault`` (a person's own) or ``generated``
            (made once by the first apply, kept in the topology's vault file).
        reference: the environment variable, file or vault variable.
        length: characters that its reader takes of a generated one, 0 for all.
    """

    name: str
    source: Literal["env", "file", "vault", "generated"]
    reference: str
    length: int = 0

    @property
    def placeholder(self) -> str:
        """What stands in an artifact's text until apply; no format used here gives it a meaning."""
        return f"@@hadeploy:{self.name}@@"

    @classmethod
    def from_reference(cls, name: str, reference: SecretReference) -> Secret:
        """Flatten a reference of the spec under a name of the design."""
        if isinstance(reference, EnvironmentSecret):
            return cls(name, "env", reference.env)
        if isinstance(reference, FileSecret):
            return cls(name, "file", reference.file)
        return cls(name, "vault", reference.vault)


def secret_reference(kind: str, name: str) -> str:
    """The variable of the vault that holds what is generated for an object."""
    return f"hadeploy_{kind}_{name.replace('-', '_')}"


Value = str | Secret


def expand_parameters(
    owner: str, agent: Agent | None, parameters: dict[str, Scalar | SecretReference]
) -> tuple[tuple[str, Value], ...]:
    """Parameters sorted by name, each secret under a name of its owner.

    Args:
        owner: the resource or device.
        agent: what its metadata says; None where it is not known.
        parameters: as written. ``true`` is 1 where the agent calls the parameter a boolean, and a word everywhere else.
    """
    booleans = {each.name for each in agent.parameters if each.kind == "boolean"} if agent else set()
    return tuple(
        (key, _value(owner, key, value, is_boolean=key in booleans))
        for key, value in sorted(parameters.items())
    )


def _value(owner: str, key: str, value: Scalar | SecretReference, *, is_boolean: bool) -> Value:
    if isinstance(value, bool):
        return ("1" if value else "0") if is_boolean else str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    return Secret.from_reference(f"{owner}.{key}", value)
