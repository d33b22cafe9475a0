"""Kernel settings, typed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One key, its value, and why it is set."""

    key: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class SysctlConfig:
    """One file of /etc/sysctl.d."""

    notice: str
    settings: tuple[Setting, ...]
