"""HA101: every cluster has a corosync key of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.secret import DEFAULT_VAULT


def _check(_: Case) -> Iterator[Found]:
    """Nothing in one topology: hadeploy makes the key itself, 256 random bytes, readable by root alone."""
    yield from ()


def _check_across(cases: Sequence[Case]) -> Iterator[tuple[Case, Found]]:
    """The key is kept in the vault under one name, so who shares the vault shares the key."""
    first: dict[Path, Case] = {}
    for case in cases:
        if case.design.cluster is None:
            continue
        vault = _vault(case)
        earlier = first.setdefault(vault, case)
        if earlier is not case:
            yield (
                case,
                Found(
                    f"{case.design.name} and {earlier.design.name} keep their keys in one vault, {vault.name}",
                    ("secrets_vault",),
                ),
            )


def _vault(case: Case) -> Path:
    return (case.loaded.path.parent / (case.design.secrets_vault or DEFAULT_VAULT)).resolve()


RULE = Rule(
    code="HA101",
    family=Family.SECURITY,
    severity=Severity.WARNING,
    title="Every cluster has a corosync key, and a vault, of its own",
    reason="the key is all that keeps strangers out: with one key for two clusters, a node of the one that is set up anew "
    "with a wrong address may join the other, and who takes one host can speak in both",
    mend="secrets_vault: another file for each topology",
    source="corosync-keygen(8); corosync.conf(5), keyfile",
    check=_check,
    check_across=_check_across,
)
