"""No scenario passes by itself: each fault test is run against a cluster that was broken on purpose, and must fail.

One lab a scenario, set up once. Each breakage is made on the running nodes, the scenario's own test is run, its failure is
looked at, everything is restored, and an apply puts the cluster right again; that it can is asserted on the way.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hadeploy.app.status import StatusReader
from hadeploy.drill.drill import wait_until_well
from hadeploy.lab import lab, power
from hadeploy.lab.bmc import refuse
from hadeploy.lab.links import set_link
from hadeploy.lab.nodes import exec_in_node
from hadeploy.lab.state import LabState, load_state

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 25
"""How long a broken cluster is waited for."""

LYING_AGENT = r"""
cp -n /usr/sbin/fence_ipmilan /usr/sbin/fence_ipmilan.true
cat > /usr/sbin/fence_ipmilan <<'END'
#!/bin/sh
[ "$1" = -o ] && exec /usr/sbin/fence_ipmilan.true "$@"
grep -q action=metadata && exec /usr/sbin/fence_ipmilan.true -o metadata
exit 0
END
"""
HONEST_AGENT = "mv -f /usr/sbin/fence_ipmilan.true /usr/sbin/fence_ipmilan"


def never_restart(unit: str) -> str:
    """Shell: systemd leaves the unit as it dies, and nothing tidies up behind it."""
    folder = f"/run/systemd/system/{unit}.service.d"
    return (
        f"mkdir -p {folder}; printf '[Service]\\nRestart=no\\nExecStopPost=\\n' > {folder}/zz-broken.conf; "
        "systemctl daemon-reload"
    )


def restart_again(unit: str) -> str:
    """Shell: the undoing of ``never_restart``."""
    return (
        f"rm -f /run/systemd/system/{unit}.service.d/zz-broken.conf; systemctl daemon-reload; "
        f"systemctl reset-failed {unit}; systemctl start {unit}"
    )


def prefer(group: str, node: str, score: int) -> str:
    """Shell: one more location constraint."""
    return (
        "cibadmin --create --scope constraints --xml-text "
        f"\"<rsc_location id='{group}-on-{node}' rsc='{group}' node='{node}' score='{score}'/>\""
    )


@dataclass(frozen=True)
class Breakage:
    """One thing wrong, and the scenario's test that must notice.

    Attributes:
        name: what is wrong.
        expression: pytest's ``-k`` for the test that must fail.
        words: a pattern that its report must hold, so that it fails for the right reason.
        everywhere: shell, on every node.
        once: shell, on the first node (the cluster information base).
        undo: shell, on every node: what an apply does not know of.
    """

    name: str
    expression: str
    words: str
    everywhere: str = ""
    once: str = ""
    undo: str = ""


ACTIVE_PASSIVE = (
    Breakage(
        "fencing that only claims success: a power cut",
        "lost_node_is_fenced and power",
        r"fenced_before_takeover",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
    ),
    Breakage(
        "fencing that only claims success: a hung node",
        "lost_node_is_fenced and hung",
        r"fenced_before_takeover|NotWell|double_owners",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
    ),
    Breakage(
        "fencing that only claims success: a partition",
        "all_cluster_links",
        r"double_owners|len\(fenced\) == 1",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
    ),
    Breakage(
        "fencing that only claims success: a refusing device",
        "refusing_fencing_device",
        r"the device was never asked|taken over although",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
    ),
    Breakage(
        "no fencing: corosync crashes",
        "cluster_daemon and corosync",
        r"fenced_before_takeover|NotWell|double_owners",
        once="crm_attribute --type crm_config --name stonith-enabled --update false",
    ),
    Breakage(
        "a single cluster link",
        "one_cluster_link",
        r"failed == 0|moved == \{\}|not verdict.power",
        everywhere=(
            "nft add table inet broken; nft 'add chain inet broken in { type filter hook input priority -300; }'; "
            "nft add rule inet broken in iifname lan0 udp dport 5404-5412 drop; "
            "until corosync-cfgtool -s | grep -q disconnected; do sleep 0.2; done"
        ),
        undo="nft delete table inet broken || true",
    ),
    Breakage(
        "no recurring monitor",
        "crash_of_the_service",
        r"NotWell|seconds <= LOCAL_RESTART_SECONDS",
        once="cibadmin --delete --xpath \"//primitive[@id='web-server']//op[@name='monitor']\"",
    ),
    Breakage(
        "an address without colocation with its service",
        "lost_node_is_fenced and power",
        r"NotWell|not outage.over",
        once=(
            "cibadmin --query --xpath \"//primitive[@type='IPaddr2']\" > /tmp/address.xml; "
            "cibadmin --delete --xpath \"//primitive[@type='IPaddr2']\"; "
            "cibadmin --create --scope resources --xml-file /tmp/address.xml; "
            + prefer("web", "n1", 1000)
            + "; "
            + prefer("web-address", "n2", 1000)
        ),
    ),
)

ACTIVE_ACTIVE = (
    Breakage(
        "equal VRRP priorities",
        "power_cut_moves",
        r"before == HOME|sequence ==",
        everywhere="sed -i 's/priority [0-9]*/priority 100/' /etc/keepalived/keepalived.conf && systemctl reload keepalived",
    ),
    Breakage(
        "equal VRRP priorities: the other node",
        "mirror_image",
        r"sequence ==|HOME",
        everywhere="sed -i 's/priority [0-9]*/priority 100/' /etc/keepalived/keepalived.conf && systemctl reload keepalived",
    ),
    Breakage(
        "servers without a check",
        "dead_backend",
        r"assert \[",
        everywhere=(
            r"sed -i -E 's/^(\s*server .*) check( |$).*/\1/; /option redispatch/d; s/^(\s*)retries .*/\1retries 0/' "
            "/etc/haproxy/haproxy.cfg && systemctl reload haproxy"
        ),
    ),
    Breakage(
        "a keepalived that nothing starts again",
        "crash_of_a_daemon and keepalived",
        r"double_owners|NotWell",
        everywhere=never_restart("keepalived"),
        undo=restart_again("keepalived"),
    ),
    Breakage(
        "an address that does not track its load balancer, which nothing starts again",
        "crash_of_a_daemon and haproxy",
        r"seconds <= TRACKED_SECONDS|NotWell",
        everywhere=(
            r"sed -i '/track_script {/,/}/d' /etc/keepalived/keepalived.conf && systemctl reload keepalived; "
            + never_restart("haproxy")
        ),
        undo=restart_again("haproxy"),
    ),
    Breakage(
        "adverts that the firewall drops",
        "hung_master",
        r"NotWell|must yield",
        everywhere="nft add table inet broken; nft 'add chain inet broken in { type filter hook input priority -300; }'; "
        "nft add rule inet broken in meta l4proto 112 drop",
        undo="nft delete table inet broken || true",
    ),
)

N_PLUS_1 = (
    Breakage(
        "a service whose heir is the other active node",
        "spare_inherits and power and a1",
        r"NotWell|sequence ==",
        once=(
            "crm_attribute --type crm_config --name placement-strategy --update default; "
            'cibadmin --delete --xpath "//constraints/rsc_colocation" --force; '
            + prefer("app-a", "a2", 5000)
            + "; "
            + prefer("app-a", "a1", 9000)
        ),
    ),
    Breakage(
        "fencing that only claims success: a hung node",
        "spare_inherits and hung and a2",
        r"fenced_before_takeover|NotWell|double_owners",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
    ),
    Breakage(
        "a service at home on the spare",
        "spare_lost",
        r"moved == \{\}|failed",
        once=prefer("app-b", "s1", 9000),
    ),
    Breakage(
        "no recurring monitor",
        "mended_in_place",
        r"NotWell",
        once="cibadmin --delete --xpath \"//primitive[@id='app-a-server']//op[@name='monitor']\"",
    ),
)


def hadeploy(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "hadeploy", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def everything_on(state: LabState) -> None:
    """Whatever a failed scenario left broken in the lab itself."""
    for node in state.plan.nodes:
        refuse(state, node.name, refusing=False) if state.plan.bmcs else None
        power.thaw(state, node.name)
        power.boot(state, node.name)
        for network in node.networks:
            set_link(state, node.name, network, "restore")
        lab.wait_for_ssh(state, node.name)


def run_broken(scenario: str, breakage: Breakage, out: Path) -> None:
    topology = PROJECT / "inventories" / scenario / "topology.yaml"
    state = load_state(scenario)
    names = [node.name for node in state.plan.nodes]
    reader = StatusReader.for_lab(topology)
    wait_until_well(reader.read)
    try:
        for name in names if breakage.everywhere else ():
            exec_in_node(state, name, "sh", "-c", breakage.everywhere)
        if breakage.once:
            exec_in_node(state, names[0], "sh", "-c", breakage.once)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"),
                *("-k", breakage.expression, f"molecule/{scenario}/faults"),
            ],
            cwd=PROJECT,
            env={**os.environ, "HADEPLOY_PATIENCE": str(PATIENCE_SECONDS)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        everything_on(state)
        for name in names if breakage.undo else ():
            exec_in_node(state, name, "sh", "-c", breakage.undo)
        hadeploy("apply", str(topology), "--lab", "--yes", "--out", str(out))
        wait_until_well(reader.read)
    assert done.returncode == 1, f"{breakage.name} went unnoticed:\n{done.stdout[-4000:]}"
    told = "\n".join(line for line in done.stdout.splitlines() if line.startswith((">", "E ", "FAILED")))
    assert re.search(breakage.words, told), f"failed for another reason:\n{told}\n{done.stdout[-4000:]}"


@pytest.fixture(scope="class")
def applied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A lab of the class's scenario with its topology applied; ended whatever happens."""
    scenario = request.cls.SCENARIO
    os.environ.setdefault("HADEPLOY_IPMI_PASSWORD", "of-the-lab-only")
    topology = str(PROJECT / "inventories" / scenario / "topology.yaml")
    out = tmp_path_factory.mktemp("build")
    hadeploy("lab", "up", topology, "--installed")
    try:
        hadeploy("apply", topology, "--lab", "--yes", "--out", str(out))
        yield out
    finally:
        lab.down(scenario)


@pytest.mark.usefixtures("applied")
class TestActivePassive:
    SCENARIO = "active-passive"

    @pytest.mark.parametrize("breakage", ACTIVE_PASSIVE, ids=lambda b: b.name)
    def test_is_noticed(self, breakage: Breakage, applied: Path) -> None:
        run_broken(self.SCENARIO, breakage, applied)


@pytest.mark.usefixtures("applied")
class TestActiveActive:
    SCENARIO = "active-active"

    @pytest.mark.parametrize("breakage", ACTIVE_ACTIVE, ids=lambda b: b.name)
    def test_is_noticed(self, breakage: Breakage, applied: Path) -> None:
        run_broken(self.SCENARIO, breakage, applied)


@pytest.mark.usefixtures("applied")
class TestNPlusOne:
    SCENARIO = "n-plus-1"

    @pytest.mark.parametrize("breakage", N_PLUS_1, ids=lambda b: b.name)
    def test_is_noticed(self, breakage: Breakage, applied: Path) -> None:
        run_broken(self.SCENARIO, breakage, applied)
