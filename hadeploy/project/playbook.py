"""site.yml: the order of an apply. Its plays depend only on which daemons the design has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hadeploy.daemons.artifact import Share
from hadeploy.project.inventory import GROUP

EXPECTED = "{{ bundle_written.tell | default({}) }}"
"""What would have to be told, known in check mode only from the task that would have written."""

LEFTOVERS = "hadeploy_pending_leftovers"
"""Hosts with something that an earlier apply brought and that left the design."""

MEMBERS = "{{ hadeploy_members }}"
HOST_WIDE = ("sysctl", "firewall")
ONE_BY_ONE = ("units", "nginx", "haproxy", "keepalived")
"""In this order on each member: who serves, then who sends clients, then who holds the address."""


@dataclass(frozen=True, slots=True)
class Step:
    """A role, or one of its entry points, with its variables."""

    role: str
    entry: str = "main"
    variables: tuple[tuple[str, str], ...] = ()

    def task(self) -> dict[str, Any]:
        """As a task; static, so that every module is known when the playbook is read."""
        name = f"Run {self.role}" if self.entry == "main" else f"Run {self.role} ({self.entry})"
        role = {"name": self.role} | ({"tasks_from": f"{self.entry}.yml"} if self.entry != "main" else {})
        return {"name": name, "ansible.builtin.import_role": role} | (
            {"vars": dict(self.variables)} if self.variables else {}
        )


def _play(name: str, hosts: str, steps: Iterable[Step], **more: object) -> dict[str, Any]:
    """A member that fails or vanishes ends the whole run: the others are not told without it.

    any_errors_fatal alone ends the play, and with it the run where a member *failed*; where one became unreachable,
    Ansible goes on to the next play. max_fail_percentage ends the run there too.
    """
    return {
        "name": name,
        "hosts": hosts,
        "gather_facts": False,
        "any_errors_fatal": True,
        "max_fail_percentage": 0,
        **more,
        "tasks": [step.task() for step in steps],
    }


def playbook(shares: Sequence[Share]) -> list[dict[str, Any]]:
    """Look, install, check all, write all, then tell daemons, the least disturbing first."""
    daemons = set(dict.fromkeys(share.daemon for share in shares))
    clustered = "pacemaker" in daemons
    return [
        _play(
            "Observe",
            GROUP,
            [
                Step(
                    "observe",
                    variables=(
                        ("observe_members", MEMBERS),
                        ("observe_addresses", "{{ hadeploy_addresses }}"),
                    ),
                )
            ],
        ),
        *([_play("Observe the CIB", f"{GROUP}[0]", [Step("pacemaker", "observe")])] if clustered else []),
        _play(
            "Install",
            "hadeploy_pending_packages",
            [
                Step(
                    "packages",
                    variables=(
                        ("packages_names", "{{ observe_result.pending.packages }}"),
                        ("packages_users", "{{ observe_result.pending.users }}"),
                    ),
                )
            ],
        ),
        _play("Check", "hadeploy_pending", [Step("bundle", "stage")]),
        *(
            [_play("Check the CIB", "hadeploy_pending_cib", [Step("pacemaker", "check")])]
            if clustered
            else []
        ),
        _play("Write", "hadeploy_pending", [Step("bundle", "write")]),
        _play("Stop leftovers", LEFTOVERS, [Step("bundle", "remove_units")]),
        *(
            _play(_title(daemon), f"hadeploy_pending_{daemon}", [_step(daemon)])
            for daemon in HOST_WIDE
            if daemon in daemons
        ),
        *(_cluster_plays() if clustered else []),
        *_rolling_plays([daemon for daemon in ONE_BY_ONE if daemon in daemons]),
        _play("Remove leftovers", LEFTOVERS, [Step("bundle", "remove_files")]),
        _play("Verify", "hadeploy_pending", [Step("observe", "verify")]),
        *(
            [_play("Verify the CIB", "hadeploy_pending_cib", [Step("pacemaker", "verify")])]
            if clustered
            else []
        ),
    ]


def _title(daemon: str) -> str:
    return {"sysctl": "Kernel settings", "firewall": "Firewall"}[daemon]


def _step(daemon: str, *more: tuple[str, str]) -> Step:
    return Step(daemon, variables=(*more, (f"{daemon}_expected", EXPECTED)))


def _cluster_plays() -> list[dict[str, Any]]:
    """Where corosync was restarted, Pacemaker went down with it, so its play is for those hosts too."""
    both = "hadeploy_pending_corosync:hadeploy_pending_pacemaker"
    return [
        _play("Corosync", "hadeploy_pending_corosync", [_step("corosync", ("corosync_members", MEMBERS))]),
        _play("Pacemaker", both, [_step("pacemaker", ("pacemaker_members", MEMBERS))]),
        _play("CIB", "hadeploy_pending_cib", [Step("pacemaker", "apply")]),
    ]


def _rolling_plays(daemons: list[str]) -> list[dict[str, Any]]:
    """Members without a floating address first: a configuration that fails there has cost no client anything."""
    if not daemons:
        return []
    hosts = ":".join(f"hadeploy_pending_{daemon}" for daemon in daemons)
    steps = [Step("observe", "united"), *(_step(daemon) for daemon in daemons)]
    return [
        _play(f"Services, {role} members", f"{hosts}:&hadeploy_{role}", steps, serial=1)
        for role in ("standby", "active")
    ]
