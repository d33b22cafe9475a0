"""What a project consists of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Hashes of all files but the manifest itself; no time, so that the same input gives the same bytes.

    Attributes:
        hadeploy: version that wrote it.
        design: name of the topology.
        files: (path, sha256) pairs, sorted.
        deployment: id that stands beside the topology; empty where it had none.
    """

    hadeploy: str
    design: str
    files: tuple[tuple[str, str], ...]
    deployment: str = ""

    @classmethod
    def of(cls, version: str, design: str, files: Mapping[str, bytes], deployment: str = "") -> Manifest:
        """Hash everything."""
        hashes = tuple((path, _hash(files[path])) for path in sorted(files))
        return cls(version, design, hashes, deployment)

    @classmethod
    def parse(cls, text: str) -> Manifest:
        """Read it back.

        Raises:
            ValueError: this is no manifest.
        """
        data = json.loads(text)
        try:
            hashes = tuple(data["files"].items())
            return cls(data["hadeploy"], data["design"], hashes, str(data.get("deployment", "")))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError("not a manifest of hadeploy") from error

    @property
    def digest(self) -> str:
        """One hash for the whole project."""
        return sha256(self.text().encode()).hexdigest()

    def text(self) -> str:
        """As it is written."""
        whose = {"deployment": self.deployment} if self.deployment else {}
        about = {"hadeploy": self.hadeploy, "design": self.design, **whose, "files": dict(self.files)}
        return json.dumps(about, indent=2) + "\n"


@lru_cache(maxsize=1024)
def _hash(content: bytes) -> str:
    return sha256(content).hexdigest()
