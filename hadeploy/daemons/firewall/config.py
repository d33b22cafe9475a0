"""The rule set, typed."""

from __future__ import annotations

from dataclasses import dataclass

KEPT = "/etc/hadeploy/firewall.kept.nft"
STATE = "/var/lib/hadeploy/firewall"
"""Both as in roles/modules/module_utils/hadeploy_rules.py."""

SECONDS = 60
"""As in roles/firewall/defaults/main.yml: some tries of an SSH connection, each of ten seconds at most."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One accepted flow: ``match`` in nft's words, and why it is let in."""

    match: str
    why: str


@dataclass(frozen=True, slots=True)
class FirewallConfig:
    """One table of our own; other tables on the host are not touched.

    Attributes:
        notice: who wrote it.
        ssh_ports: what stands for the ports of SSH on the host.
        ssh: rules for them.
        rules: of everything else.
        kept: file with the rule set that boot loads, and that an unconfirmed one goes back to.
        armed: file that is there while a rule set waits to be confirmed.
        returned: file that says that it was not.
        seconds: how long it waits.
    """

    notice: str
    ssh_ports: str
    ssh: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    kept: str = KEPT
    armed: str = f"{STATE}/armed.json"
    returned: str = f"{STATE}/returned"
    seconds: int = SECONDS
