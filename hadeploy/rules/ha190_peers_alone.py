"""HA190: what is for the cluster's own traffic is let in from peers alone."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.firewall import Firewall


def _check(case: Case) -> Iterator[Found]:
    firewall = case.loaded.topology.firewall
    if not isinstance(firewall, Firewall):
        return
    limited = [flow for flow in case.design.flows if flow.sources and not flow.why.startswith("allowed")]
    for index, opening in enumerate(firewall.allow):
        for flow in limited:
            hit = flow.protocol == opening.protocol and any(
                int(port) in opening.numbers for port in flow.ports
            )
            if hit and not set(opening.from_ or ("",)) <= set(flow.sources):
                from_ = ", ".join(opening.from_) if opening.from_ else "anyone"
                yield Found(
                    f"firewall.allow opens {opening.protocol} port {opening.port} to {from_}: it is for {flow.why}",
                    ("firewall", "allow", index),
                )
                break


RULE = Rule(
    code="HA190",
    family=Family.SECURITY,
    severity=Severity.WARNING,
    title="Ports of the cluster's own traffic are let in from peers alone",
    reason="the rule set already lets peers in to these ports; others who reach them can disturb the cluster or read its "
    "statistics, which ask for no password",
    mend="take the entry out of firewall.allow; who may log in to a database is said in its access",
    source="corosync.conf(5), mcastport; configuration.txt of HAProxy, peers",
    check=_check,
)
