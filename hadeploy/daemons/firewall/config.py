"""The rule set, typed."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    notice: str
    ssh_ports: str
    ssh: tuple[Rule, ...]
    rules: tuple[Rule, ...]
