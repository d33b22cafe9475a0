"""DRBD: replicated block devices, configured here, started by Pacemaker alone."""

from __future__ import annotations

from hadeploy.daemons.artifact import Share, Unit
from hadeploy.daemons.drbd.compile import compile_drbd
from hadeploy.daemons.drbd.render import UNIT, render_drbd, timer_unit
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 7


def share(design: Design, member: Member) -> Share | None:
    """Resource files, the comparison's timers, and what makes the filesystems; None where a member has no volume.

    ``drbd.service`` would bring resources up at boot, before anybody knows who has the better data.
    """
    config = compile_drbd(design, member)
    if config is None:
        return None
    volumes = [volume for volume in design.volumes if volume.replica(member.name) is not None]
    replicas = [replica for volume in volumes if (replica := volume.replica(member.name)) is not None]
    wanted = ["drbd", *(volume.filesystem for volume in volumes)]
    wanted += ["lvm" for replica in replicas if replica.volume_group]
    packages = [package for name in dict.fromkeys(wanted) for package in design.release.packages_of(name)]
    return Share(
        daemon="drbd",
        host=member.name,
        packages=tuple(dict.fromkeys(packages)),
        artifacts=render_drbd(config, member.name),
        units=(
            Unit(UNIT, enabled=False, running=None, phase=PHASE),
            *(
                Unit(timer_unit(verification.resource), enabled=True, running=True, phase=PHASE)
                for verification in config.verifications
            ),
        ),
    )
