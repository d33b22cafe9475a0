"""Design to kernel settings.

ARP settings (arp_ignore, arp_announce) are left alone: they matter where an address is on a member that must not answer
for it (direct routing), and here an address is only where it is served.
"""

from __future__ import annotations

import ipaddress

from hadeploy.daemons.notice import notice
from hadeploy.daemons.sysctl.config import Setting, SysctlConfig
from hadeploy.design.design import Design

KEYS = {4: "net.ipv4.ip_nonlocal_bind", 6: "net.ipv6.ip_nonlocal_bind"}
WHY = "HAProxy listens on floating addresses before they arrive, so a takeover need not start it"


def compile_sysctl(design: Design) -> SysctlConfig | None:
    """Only the families that a frontend binds: a kernel without IPv6 has no key for it."""
    if design.balancer is None or design.balancer.bind != "nonlocal":
        return None
    families = {
        ipaddress.ip_address(address).version
        for frontend in design.balancer.frontends
        for address, _ in frontend.binds
    }
    settings = tuple(Setting(KEYS[family], "1", WHY) for family in sorted(families))
    return SysctlConfig(notice(design), settings)
