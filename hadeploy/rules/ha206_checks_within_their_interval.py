"""HA206: a check that takes longer than the time until the next."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if not isinstance(topology, ActiveActive) or topology.objectives.rto is not None:
        return  # with an objective, HA077 adds up what both cost
    for name, backend in topology.load_balancer.backends.items():
        check, here = backend.check, ("load_balancer", "backends", name, "check")
        if check.kind == "none":
            continue
        if "timeout" in check.model_fields_set and check.timeout > check.interval:
            yield Found(
                f"a check of backend {name} may take {check.timeout} ms and is due every {check.interval} ms",
                (*here, "timeout"),
                f"timeout: {check.interval}ms, or a longer interval",
            )
        if check.fast_interval is not None and check.fast_interval > check.interval:
            yield Found(
                f"backend {name} is checked every {check.interval} ms, and less often when a server is in doubt",
                (*here, "fast_interval"),
                f"fast_interval: {check.interval}ms or less",
            )


RULE = Rule(
    code="HA206",
    family=Family.HAPROXY,
    severity=Severity.WARNING,
    title="A health check may take longer than its interval",
    reason="the next check waits for the one before: a dead server is found later than interval and fall say",
    mend="a timeout of the interval at most, and a fast_interval below it",
    source="HAProxy configuration manual, 4.2: timeout check; 5.2: inter and fastinter",
    check=_check,
)
