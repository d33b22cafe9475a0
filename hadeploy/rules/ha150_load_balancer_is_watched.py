"""HA150: somebody watches whether the load balancer lives."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule


def _check(case: Case) -> Iterator[Found]:
    plan = case.design.vrrp
    if plan is not None and case.design.balancer is not None and not plan.processes and not plan.scripts:
        yield Found("keepalived watches neither HAProxy's process nor anything else", ("vrrp",))


RULE = Rule(
    code="HA150",
    family=Family.VRRP,
    severity=Severity.WARNING,
    title="A member holds addresses only while its load balancer lives",
    reason="systemd starts a HAProxy that crashed again, but not one whose configuration it cannot read: the address stays"
    " where nobody answers, beside a member that would",
    mend="vrrp.track_processes: [haproxy], or a script that asks it",
    source="keepalived.conf(5), track_script; hadeploy simulate --fail process:haproxy@MEMBER",
    check=_check,
)
