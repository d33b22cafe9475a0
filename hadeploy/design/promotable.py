"""What resources with a promoted instance share, whatever they carry over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoleOperation:
    """One operation of a promotable resource, in milliseconds; ``promoted`` None where it is the same in both roles."""

    name: str
    interval_ms: int
    timeout_ms: int
    on_fail: str = ""
    promoted: bool | None = None
