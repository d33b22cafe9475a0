"""What inventories call the hosts: each host by a name of its own, and none by a name that Ansible keeps for groups."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Diagnostic
from hadeploy.spec.arbiter import is_managed
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.topology import ActiveActive

GROUPS = ("all", "ungrouped")
OWN_GROUPS = "hadeploy_"


def check_inventory_names(loaded: LoadedTopology) -> Iterator[Diagnostic]:
    """All findings about names in the inventory."""
    seen: dict[str, str] = {}
    for host, name, place in _hosts(loaded):
        span = loaded.source.span(*place, "inventory_name") if name else loaded.source.key_span(*place)
        called = name or host
        if called in GROUPS or called.startswith(OWN_GROUPS):
            yield Diagnostic(
                "SPEC092",
                f"an inventory cannot call {host} {called}: that is the name of a group",
                span,
                mend="inventory_name: the name that your inventory has for it",
            )
        if called in seen:
            yield Diagnostic(
                "SPEC092",
                f"{host} and {seen[called]} are both called {called} in the inventory",
                span,
                detail="both would be the same host to Ansible, configured twice",
                mend=f"give {host} an inventory_name of its own",
            )
        seen.setdefault(called, host)


def _hosts(loaded: LoadedTopology) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(host, inventory name as written, place) of all hosts that are set up."""
    topology = loaded.topology
    for node, wish in topology.nodes.items():
        yield node, wish.inventory_name or "", ("nodes", node)
    device = None if isinstance(topology, ActiveActive) else topology.cluster.quorum_device
    if device is not None and is_managed(device, topology.management_network):
        yield device.host, device.inventory_name or "", ("cluster", "quorum_device")
