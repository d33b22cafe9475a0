"""The pace of a lab: where its machines are emulated, daemons get more time there than the topology says."""

from __future__ import annotations

from hadeploy.app.status import lab_of
from hadeploy.design.design import Design
from hadeploy.design.patterns import expand
from hadeploy.diagnostics import Diagnostic, Diagnostics, Severity
from hadeploy.lab.state import LabState
from hadeploy.spec.load import LoadedTopology
from hadeploy.spec.topology import ActivePassive, NPlusOne

EMULATED_TOKEN_MS = 10_000
"""A machine under software emulation stands still for seconds where a real one does for milliseconds: while another boots."""


def at_lab_pace(loaded: LoadedTopology, design: Design) -> tuple[Design, Diagnostics]:
    """The design as its lab can keep it; itself where no lab is up, or its machines are as fast as real ones.

    The topology and its design stay as they are: what is slower is built for this lab alone.
    """
    state, _ = lab_of(design)
    return (design, Diagnostics()) if state is None else _for(state, loaded, design)


def _for(state: LabState, loaded: LoadedTopology, design: Design) -> tuple[Design, Diagnostics]:
    topology = loaded.topology
    if not state.is_emulated or not isinstance(topology, ActivePassive | NPlusOne):
        return design, Diagnostics()
    cluster = topology.cluster
    if cluster.token >= EMULATED_TOKEN_MS:
        return design, Diagnostics()
    # Consensus must be longer than the token (corosync.conf(5)): it is derived anew.
    slower = cluster.model_copy(update={"token": EMULATED_TOKEN_MS, "consensus": None})
    said = Diagnostic(
        "LAB017",
        f"the lab {design.name} is emulated: its token is {EMULATED_TOKEN_MS} ms instead of {cluster.token} ms",
        loaded.source.key_span("cluster", "token"),
        detail="a machine that is emulated is late where a real one is not, and would be fenced for it",
        mend="on a machine with KVM the lab keeps the topology's own",
        severity=Severity.WARNING,
    )
    return expand(topology.model_copy(update={"cluster": slower})), Diagnostics((said,))
