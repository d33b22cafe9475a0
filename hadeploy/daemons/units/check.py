"""Nothing to read: a unit's state is asked of systemd."""

from __future__ import annotations

CHECK = None
