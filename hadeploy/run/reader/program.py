"""ansible-playbook, which also says what each inventory source named. Run as a program: Ansible's imports are slow."""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Arguments: those of ansible-playbook. HADEPLOY_READER names the file that what was found is appended to."""
    from ansible.cli.playbook import PlaybookCLI
    from ansible.inventory.data import InventoryData
    from ansible.inventory.manager import InventoryManager

    named: dict[str, list[str]] = {}
    add_host, parse_sources = InventoryData.add_host, InventoryManager.parse_sources

    def add_and_note(self: Any, host: str, *more: Any, **named_more: Any) -> Any:
        named.setdefault(str(self.current_source or ""), []).append(str(host))
        return add_host(self, host, *more, **named_more)

    def parse_and_tell(self: Any, *more: Any, **named_more: Any) -> None:
        parse_sources(self, *more, **named_more)
        _tell(
            {"named": named, "groups": {name: list(hosts) for name, hosts in self.get_groups_dict().items()}}
        )

    InventoryData.add_host = add_and_note
    InventoryManager.parse_sources = parse_and_tell
    PlaybookCLI.cli_executor(["ansible-playbook", *sys.argv[1:]])


def _tell(record: dict[str, Any]) -> None:
    with open(os.environ["HADEPLOY_READER"], "ab", buffering=0) as stream:  # noqa: PTH123 (one write, unbuffered)
        stream.write(json.dumps(record).encode() + b"\n")


if __name__ == "__main__":
    main()
