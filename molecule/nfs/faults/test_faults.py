"""An NFS server on a replicated volume: what was written to the export is there afterwards, on whichever node."""

from __future__ import annotations

import pytest

from hadeploy.drill.fault import Fault
from hadeploy.lab.observer import Probe

pytestmark = pytest.mark.timeout(1500)  # machines in software

ADDRESS = "10.82.1.100"
SERVER = Probe("files", ADDRESS, 2049, "tcp", timeout=2.0)


def test_the_survivor_has_everything_that_was_acknowledged(survives_power_cut):
    survives_power_cut(SERVER)


def test_an_orderly_move_loses_nothing(strike, holder, kept_records, shots, move, other):
    """As before a node is serviced."""
    here = holder("files")
    verdict = strike(
        Fault("move", lambda _lab, node: move("files", other(node)), lambda _lab, _node: None),
        here,
        [SERVER],
        until=lambda status: status.addresses[0].holders == (other(here),),
    )
    kept_records(verdict)
    assert verdict.ownership[ADDRESS].sequence == (here, other(here))
    assert not shots(verdict)
