"""What listens on hosts and would be closed by the firewall: asked before the question, so that a person decides it there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hadeploy.run.events import RunEvent

CODE = "APPLY082"
_SOCKET = re.compile(r"^  (\S+): (tcp|udp)/(\d+) (.+)$")


@dataclass(frozen=True, slots=True)
class Closing:
    """A socket of a host; ``process`` is the name of who listens."""

    host: str
    protocol: str
    port: int
    process: str

    @property
    def variable(self) -> dict[str, object]:
        """As roles take what may be closed (roles/modules/module_utils/hadeploy_refusal.py)."""
        return {"host": self.host, "protocol": self.protocol, "port": self.port}


def closing_of(failures: Iterable[RunEvent]) -> tuple[Closing, ...]:
    """What a refusal names as to be closed; each host's socket once."""
    found: dict[Closing, None] = {}
    for failure in failures:
        within = False
        for line in failure.message.splitlines():
            if not line.startswith(" "):
                within = line.startswith(CODE)
            match = _SOCKET.match(line) if within else None
            if match is not None:
                found[Closing(match[1], match[2], int(match[3]), match[4])] = None
    return tuple(found)


def allow_line(closing: Iterable[Closing]) -> str:
    """What to write to let all of it in."""
    ports = dict.fromkeys((each.protocol, each.port) for each in closing)
    entries = ", ".join(f"{{port: {port}, protocol: {protocol}}}" for protocol, port in ports)
    return f"firewall: {{allow: [{entries}]}}"
