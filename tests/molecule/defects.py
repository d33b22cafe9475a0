"""Clusters that are broken on purpose, and the test of the scenario that must detect each.

Every fault test of a scenario that can be blind in a way of its own has a defect here, so that none of them passes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

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
class Defect:
    """One thing wrong, and the scenario's test that must notice.

    Attributes:
        name: what is wrong.
        expression: pytest's ``-k`` for the test that must fail.
        words: a pattern that its report must hold, so that it fails for the right reason.
        everywhere: shell, on every node.
        once: shell, on the first node (the cluster information base).
        undo: shell, on every node: what an apply does not know of.
        extended: whether it repeats a kind that another defect shows, so that it is left to ``make test-all``.
    """

    name: str
    expression: str
    words: str
    everywhere: str = ""
    once: str = ""
    undo: str = ""
    extended: bool = False


ACTIVE_PASSIVE = (
    Defect(
        "fencing that only claims success: a power cut",
        "lost_node_is_fenced and power",
        r"fenced_before_takeover",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
    ),
    Defect(
        "fencing that only claims success: a hung node",
        "lost_node_is_fenced and hung",
        r"fenced_before_takeover|NotWell|double_owners",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
        extended=True,
    ),
    Defect(
        "fencing that only claims success: a partition",
        "all_cluster_links",
        r"double_owners|len\(fenced\) == 1",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
    ),
    Defect(
        "fencing that only claims success: a refusing device",
        "refusing_fencing_device",
        r"the device was never asked|taken over although",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
    ),
    Defect(
        "no fencing: corosync crashes",
        "cluster_daemon and corosync",
        r"fenced_before_takeover|NotWell|double_owners",
        once="crm_attribute --type crm_config --name stonith-enabled --update false",
        extended=True,
    ),
    Defect(
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
    Defect(
        "no recurring monitor",
        "crash_of_the_service",
        r"NotWell|seconds <= LOCAL_RESTART_SECONDS",
        once="cibadmin --delete --xpath \"//primitive[@id='web-server']//op[@name='monitor']\"",
    ),
    Defect(
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
        extended=True,
    ),
)

ACTIVE_ACTIVE = (
    Defect(
        "equal VRRP priorities",
        "power_cut_moves",
        r"before == HOME|sequence ==",
        everywhere="sed -i 's/priority [0-9]*/priority 100/' /etc/keepalived/keepalived.conf && systemctl reload keepalived",
    ),
    Defect(
        "equal VRRP priorities: the other node",
        "mirror_image",
        r"sequence ==|HOME",
        everywhere="sed -i 's/priority [0-9]*/priority 100/' /etc/keepalived/keepalived.conf && systemctl reload keepalived",
        extended=True,
    ),
    Defect(
        "servers without a check",
        "dead_backend",
        r"assert \[",
        everywhere=(
            r"sed -i -E 's/^(\s*server .*) check( |$).*/\1/; /option redispatch/d; s/^(\s*)retries .*/\1retries 0/' "
            "/etc/haproxy/haproxy.cfg && systemctl reload haproxy"
        ),
    ),
    Defect(
        "a keepalived that nothing starts again",
        "crash_of_a_daemon and keepalived",
        r"double_owners|NotWell",
        everywhere=never_restart("keepalived"),
        undo=restart_again("keepalived"),
        extended=True,
    ),
    Defect(
        "an address that does not track its load balancer, which nothing starts again",
        "crash_of_a_daemon and haproxy",
        r"seconds <= TRACKED_SECONDS|NotWell",
        everywhere=(
            r"sed -i '/track_script {/,/}/d' /etc/keepalived/keepalived.conf && systemctl reload keepalived; "
            + never_restart("haproxy")
        ),
        undo=restart_again("haproxy"),
    ),
    Defect(
        "adverts that the firewall drops",
        "hung_master",
        r"NotWell|must yield",
        everywhere="nft add table inet broken; nft 'add chain inet broken in { type filter hook input priority -300; }'; "
        "nft add rule inet broken in meta l4proto 112 drop",
        undo="nft delete table inet broken || true",
    ),
)

N_PLUS_1 = (
    Defect(
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
    Defect(
        "fencing that only claims success: a hung node",
        "spare_inherits and hung and a2",
        r"fenced_before_takeover|NotWell|double_owners",
        everywhere=LYING_AGENT,
        undo=HONEST_AGENT,
        extended=True,
    ),
    Defect(
        "a service at home on the spare",
        "spare_lost",
        r"moved == \{\}|failed",
        once=prefer("app-b", "s1", 9000),
    ),
    Defect(
        "no recurring monitor",
        "mended_in_place",
        r"NotWell",
        once="cibadmin --delete --xpath \"//primitive[@id='app-a-server']//op[@name='monitor']\"",
        extended=True,
    ),
)
