"""Pacemaker: fencing, groups, and where they run, as one CIB for the whole cluster."""

from __future__ import annotations

from hadeploy.daemons.artifact import ClusterInformationBase, Share, Unit
from hadeploy.daemons.corosync.render import AUTHKEY
from hadeploy.daemons.pacemaker.check import cib_checks
from hadeploy.daemons.pacemaker.compile import compile_cib
from hadeploy.daemons.pacemaker.render import render_cib
from hadeploy.daemons.pacemaker.secret_files import printed_secrets, secret_files
from hadeploy.design.design import Design
from hadeploy.design.membership import Member

PHASE = 20


def share(design: Design, member: Member) -> Share | None:
    """Packages and the unit; the CIB belongs to the cluster, not to a host."""
    if design.cluster is None:
        return None
    resources = [each for group in design.cluster.resources.groups for each in group.resources]
    agents = {device.agent for device in design.cluster.fencing.devices}
    agents |= {f"ocf:{each.provider}:{each.type}" for each in resources if each.standard == "ocf"}
    packages = (
        *design.release.packages_of("pacemaker"),
        *(package for agent in sorted(agents) for package in design.release.packages_of_agent(agent)),
        *(package for each in resources for package in each.packages),
    )
    return Share(
        daemon="pacemaker",
        host=member.name,
        packages=tuple(dict.fromkeys(packages)),
        artifacts=secret_files(member.name, design.cluster),
        units=(Unit("pacemaker.service", enabled=True, running=True, phase=PHASE),),
    )


def cluster_information_base(design: Design) -> ClusterInformationBase | None:
    """The CIB with the checks that it must pass on a member before it is applied.

    Its secrets come with the cluster's own key, which is long and random: a revision made of both tells nothing of them.
    """
    config = compile_cib(design)
    if config is None or design.cluster is None:
        return None
    return ClusterInformationBase(
        xml=render_cib(config),
        secrets=config.secrets,
        key=AUTHKEY if config.secrets else None,
        members=tuple(node.name for node in config.nodes),
        checks=cib_checks(design.release),
        printed=printed_secrets(design.release.name, design.cluster),
    )
