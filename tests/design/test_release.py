"""Which packages an agent comes with."""

from __future__ import annotations

import pytest

from hadeploy.daemons.pacemaker import share as pacemaker
from hadeploy.design.patterns import expand
from hadeploy.design.release import load_release
from hadeploy.spec.catalogue import agent_names
from hadeploy.spec.load import load_topology

PACKAGES = [
    ("debian-12", "fence_ipmilan", ("fence-agents",)),
    ("debian-12", "fence_apc_snmp", ("fence-agents", "snmp")),
    ("debian-12", "ocf:linbit:drbd", ("drbd-utils",)),
    ("debian-12", "ocf:heartbeat:Filesystem", ("resource-agents", "psmisc")),
    ("debian-13", "fence_ilo4", ("fence-agents-ipmilan",)),
    ("debian-13", "fence_apc_snmp", ("fence-agents-apc-snmp",)),
    ("debian-13", "fence_xvm", ("fence-virt",)),
    ("debian-13", "ocf:pacemaker:ping", ("pacemaker-resource-agents",)),
    ("debian-13", "ocf:heartbeat:pgsqlms", ("resource-agents-paf",)),
    ("debian-13", "fence_of_ones_own", ()),
]


@pytest.mark.parametrize(("release", "agent", "packages"), PACKAGES)
def test_packages_of_an_agent(release, agent, packages):
    assert load_release(release).packages_of_agent(agent) == packages


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
def test_lists_name_agents_that_exist(release):
    listed = {agent for agent, _ in load_release(release).fence_agent_packages}
    assert listed <= set(agent_names(release))


@pytest.mark.parametrize(
    ("release", "fence_package"), [("debian-12", "fence-agents"), ("debian-13", "fence-agents-ipmilan")]
)
def test_members_get_what_their_agents_need(tmp_path, release, fence_package):
    from tests.spec.conftest import INVENTORIES

    text = (INVENTORIES / "active-passive" / "topology.yaml").read_text(encoding="utf-8")
    text = text.replace("debian-12", release).replace(
        "    addresses: [web]\n",
        "      - {kind: ocf, name: data, agent: 'ocf:linbit:drbd', parameters: {drbd_resource: r0}}\n"
        "      - {kind: ocf, name: db, agent: 'ocf:heartbeat:pgsql', packages: [postgresql]}\n"
        "    addresses: [web]\n",
    )
    file = tmp_path / "topology.yaml"
    file.write_text(text, encoding="utf-8")
    loaded, findings = load_topology(file)
    assert loaded is not None, list(findings)
    design = expand(loaded.topology)
    share = pacemaker.share(design, design.members[0])
    assert share is not None
    assert {fence_package, "resource-agents", "drbd-utils", "postgresql"} <= set(share.packages)
    assert len(share.packages) == len(set(share.packages))
