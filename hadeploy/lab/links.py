"""Link faults: a cable that is cut, or carries one way only."""

from __future__ import annotations

from typing import Literal

from hadeploy.lab.errors import LabError
from hadeploy.lab.plan import port_name
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState

LinkVerb = Literal["drop", "drop-in", "drop-out", "restore"]

_MUTED: dict[LinkVerb, tuple[str, ...]] = {
    "drop": ("no_receive", "no_send"),
    "drop-in": ("no_receive",),
    "drop-out": ("no_send",),
    "restore": (),
}


def set_link(state: LabState, node: str, network: str, verb: LinkVerb) -> None:
    """Break or mend a node's link to a network; the same verb twice is the same as once.

    Raises:
        LabError: the node is not on that network, or the verb is unknown.
    """
    if verb not in _MUTED:
        raise LabError("LAB040", f"no link verb {verb}", f"one of: {', '.join(_MUTED)}")
    if network not in state.plan.node(node).networks:
        raise LabError(
            "LAB041", f"{node} is not on {network}", f"one of: {', '.join(state.plan.node(node).networks)}"
        )
    port = port_name(state.plan.name, node, network)
    commands = []
    for name in ("no_receive", "no_send"):
        # Added before deleted: deleting what is not there would fail the whole transaction.
        commands.append(f'add element bridge faults {name} {{ "{port}" }}')
        if name not in _MUTED[verb]:
            commands.append(f'delete element bridge faults {name} {{ "{port}" }}')
    run(state.enter("nft", "-f", "-"), stdin="\n".join(commands) + "\n")
