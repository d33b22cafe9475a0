"""nginx: one process tree a site, so that groups start, stop and fail alone."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.nginx.compile import compile_nginx
from hadeploy.daemons.nginx.render import render_nginx
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 8
"""Before Pacemaker (20) or systemd (25) starts a site: Debian's nginx.service would hold port 80."""


def share(design: Design, member: Member) -> Share | None:
    """Sites' files and the template unit; the instances' states belong to the units daemon."""
    config = compile_nginx(design, member)
    if config is None:
        return None
    return Share(
        daemon="nginx",
        host=member.name,
        packages=design.release.packages_of("nginx"),
        artifacts=render_nginx(config, member.name),
        units=(Unit("nginx.service", enabled=False, running=False, phase=PHASE),),
    )
