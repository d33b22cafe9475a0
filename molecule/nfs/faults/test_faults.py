"""An NFS server on a replicated volume: what was written to the export is there afterwards, on whichever node."""

from __future__ import annotations

import pytest

from hadeploy.lab.observer import Probe

pytestmark = pytest.mark.timeout(1500)  # machines in software

SERVER = Probe("files", "10.82.1.100", 2049, "tcp", timeout=2.0)


def test_the_survivor_has_everything_that_was_acknowledged(survives_power_cut):
    survives_power_cut(SERVER)


def test_an_orderly_move_loses_nothing(survives_move):
    survives_move(SERVER)
