"""nft's own parser; ``-c`` asks the kernel too, and changes nothing."""

from __future__ import annotations

from hadeploy.daemons.artifact import HostCheck

CHECK = HostCheck(argv=("nft", "-c", "-f", "{staged}"))
