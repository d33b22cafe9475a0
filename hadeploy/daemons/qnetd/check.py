"""Nothing to read it beforehand: corosync-qnetd knows its options only when it starts."""

from __future__ import annotations

CHECK = None
