"""nginx's own parser. A site's file includes nothing of this bundle, so it can be tested where it is staged."""

from __future__ import annotations

from hadeploy.daemons.artifact import HostCheck

CHECK = HostCheck(argv=("nginx", "-t", "-q", "-c", "{staged}"))
