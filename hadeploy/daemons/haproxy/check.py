"""HAProxy's own parser.

``-dW`` makes warnings fatal here (missing timeouts, a peers section that is dropped), while the file itself says
nothing of zero-warning, so that a warning of a later release never keeps the daemon from starting.
Binding is not tested.
"""

from __future__ import annotations

from hadeploy.daemons.artifact import HostCheck

CHECK = HostCheck(argv=("haproxy", "-dW", "-c", "-f", "{staged}"))
