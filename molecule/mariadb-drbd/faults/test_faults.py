"""MariaDB on a replicated volume: a client commits numbered rows through the address, and finds them all afterwards."""

from __future__ import annotations

import pytest

from hadeploy.lab.observer import Probe

pytestmark = pytest.mark.timeout(1500)  # machines in software

SERVER = Probe("db", "10.84.1.100", 3306, "tcp", timeout=2.0)


def test_the_survivor_has_everything_that_was_acknowledged(survives_power_cut):
    survives_power_cut(SERVER)


def test_a_server_that_crashes_is_started_anew_and_has_lost_nothing(survives_crash):
    """Its files are as a power cut would have left them: it replays its log."""
    survives_crash(SERVER, "/run/mysqld/mysqld.pid")


def test_an_orderly_move_loses_nothing(survives_move):
    survives_move(SERVER)
