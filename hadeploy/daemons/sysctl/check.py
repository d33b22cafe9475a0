"""No parser tests a sysctl file without applying it; keys and values come from a closed list instead."""

from __future__ import annotations

CHECK = None
