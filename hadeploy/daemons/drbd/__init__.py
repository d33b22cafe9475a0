"""DRBD: replicated block devices, configured here, started by Pacemaker alone."""
