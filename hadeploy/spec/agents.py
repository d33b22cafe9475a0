"""What is known of agents without having them installed: how long their operations may take.

Figures are the agents' own advice in resource-agents 4.12 and Pacemaker's defaults, in milliseconds. They are bundled, so that
the same topology gives the same bytes on every controller.
"""

from __future__ import annotations

from collections.abc import Mapping

from hadeploy.diagnostics import Diagnostic, Diagnostics
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.service import OcfMember
from hadeploy.spec.topology import ActiveActive

DEFAULT_MS = 20_000
"""Pacemaker's own default for an operation without a timeout."""

SYSTEMD_MS = 100_000
"""Above systemd's DefaultTimeoutStartSec of 90 s, so that systemd gives its verdict before Pacemaker does."""

FENCE_MS = 60_000

_ADVISED: Mapping[str, Mapping[str, int]] = {
    "ocf:heartbeat:IPaddr2": {"start": 20_000, "stop": 20_000, "monitor": 20_000},
    "ocf:heartbeat:Filesystem": {"start": 60_000, "stop": 60_000, "monitor": 40_000},
    "ocf:heartbeat:nginx": {"start": 40_000, "stop": 60_000, "monitor": 30_000},
    "ocf:heartbeat:apache": {"start": 40_000, "stop": 60_000, "monitor": 20_000},
    "ocf:heartbeat:pgsql": {
        "start": 120_000,
        "stop": 120_000,
        "monitor": 30_000,
        "promote": 30_000,
        "demote": 120_000,
    },
    "ocf:heartbeat:mysql": {
        "start": 120_000,
        "stop": 120_000,
        "monitor": 30_000,
        "promote": 120_000,
        "demote": 120_000,
    },
    "ocf:heartbeat:nfsserver": {"start": 40_000, "stop": 20_000, "monitor": 20_000},
    "ocf:heartbeat:exportfs": {"start": 40_000, "stop": 120_000, "monitor": 20_000},
    "ocf:heartbeat:LVM-activate": {"start": 90_000, "stop": 90_000, "monitor": 90_000},
    "ocf:linbit:drbd": {
        "start": 240_000,
        "stop": 100_000,
        "monitor": 20_000,
        "promote": 90_000,
        "demote": 90_000,
    },
}


def advised_timeout(release: str, agent: str, action: str) -> int:  # noqa: ARG001 (releases may differ in advice)
    """The timeout that an agent advises for an action, in milliseconds; never shorter than Pacemaker's default."""
    if agent.startswith("systemd:"):
        return SYSTEMD_MS
    if agent.startswith("fence_"):
        return FENCE_MS
    return _ADVISED.get(agent, {}).get(action, DEFAULT_MS)


def check_agents(loaded: LoadedTopology) -> Diagnostics:
    """Operation timeouts that are shorter than the agent asks for."""
    topology = loaded.topology
    if isinstance(topology, ActiveActive):
        return Diagnostics()
    found = []
    for name, group in topology.services.items():
        for index, member in enumerate(group.members):
            agent = member.agent if isinstance(member, OcfMember) else "systemd:"
            for action in ("start", "stop", "monitor"):
                wished: int | None = getattr(member.operations, action)
                advised = advised_timeout(topology.release, agent, action)
                if isinstance(member, OcfMember) and wished is not None and wished < advised:
                    found.append(
                        Diagnostic(
                            "SPEC060",
                            f"{member.name}: {action} may take {wished / 1000:g} s, {agent} advises {advised / 1000:g} s",
                            loaded.source.span("services", name, "members", index, "operations", action),
                            detail="an operation that is cut short counts as failed; a failed stop is answered by fencing",
                            mend=f"{action}: {advised // 1000}s, or leave it out",
                        )
                    )
    return Diagnostics.of(found)
