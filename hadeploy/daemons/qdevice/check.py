"""Nothing of its own to read: corosync's parser reads its section, and only a connection shows whether it is right."""

from __future__ import annotations

CHECK = None
