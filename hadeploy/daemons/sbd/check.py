"""sbd has no test of its settings; a shell at least reads the file as systemd's EnvironmentFile is meant to be."""

from __future__ import annotations

from hadeploy.daemons.artifact import HostCheck

CHECK = HostCheck(argv=("sh", "-n", "{staged}"))
