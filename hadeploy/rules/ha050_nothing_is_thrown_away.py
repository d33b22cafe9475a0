"""HA050: a split brain is never ended by throwing writes away."""

from __future__ import annotations

from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule

SAFE = {
    "no_primary": ("disconnect", "discard-zero-changes"),
    "one_primary": ("disconnect", "consensus"),
    "two_primaries": ("disconnect",),
}
"""consensus gives up the secondary's side only where discard-zero-changes would: where it has written nothing."""


def _check(case: Case) -> Iterator[Found]:
    for name, volume in case.volumes.items():
        for key, safe in SAFE.items():
            policy = getattr(volume.split_brain, key)
            if policy not in safe:
                yield Found(
                    f"volume {name} ends a split brain by itself with {policy}",
                    ("volumes", name, "split_brain", key),
                    f"{key}: {safe[-1]}",
                )


RULE = Rule(
    code="HA050",
    family=Family.DRBD,
    severity=Severity.ERROR,
    title="Split brain policies end only what costs no write: discard-zero-changes, consensus, disconnect",
    reason="the side that loses has acknowledged writes to clients; they are gone without anybody having been asked",
    mend="leave split_brain out: both sides are kept, and a person decides",
    source="drbd.conf(5), after-sb-0pri, after-sb-1pri, after-sb-2pri: which of them discard modifications",
    check=_check,
)
