"""Design to nginx's sites."""

from __future__ import annotations

import ipaddress
import re

from hadeploy.daemons.nginx.config import NginxConfig, SiteConfig
from hadeploy.daemons.notice import notice
from hadeploy.design.design import Design
from hadeploy.design.hosting import WebSite
from hadeploy.design.membership import Member

PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,~-]+")
DIRECTORY = "/etc/hadeploy/nginx"
"""Not under /etc/nginx, so that Debian's nginx.service never serves these."""


def compile_nginx(design: Design, member: Member) -> NginxConfig | None:
    """The sites that this member may run."""
    sites = tuple(_site(design, site) for site in design.sites if member.name in site.members)
    return NginxConfig(notice(design), DIRECTORY, sites) if sites else None


def _site(design: Design, site: WebSite) -> SiteConfig:
    return SiteConfig(
        notice=notice(design),
        name=site.name,
        listens=(f"{site.port}", *((f"[::]:{site.port}",) if _has_ipv6(design) else ())),
        document_root=quoted(site.document_root),
        pid_path=f"/run/hadeploy-nginx-{site.name}.pid",
        unit=site.unit,
    )


def quoted(text: str) -> str:
    """The text as one word of nginx's; what nginx has no way to write, a topology does not hold (DocumentRoot)."""
    if PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _has_ipv6(design: Design) -> bool:
    """Where no network has IPv6, the kernel may have none either, and nginx would not start on ``[::]``."""
    return any(
        ipaddress.ip_network(subnet).version == 6 for segment in design.segments for subnet in segment.subnets
    )
