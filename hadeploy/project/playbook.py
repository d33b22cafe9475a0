"""site.yml: the order of an apply. Its plays depend only on which daemons the design has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hadeploy.daemons.artifact import Share
from hadeploy.project.inventory import ARBITER, GROUP

VARIABLES = "vars/hadeploy.yml"
"""Beside the playbook, read by each play: it wins over a person's inventory, whatever variables that has."""

EXPECTED = "{{ bundle_written.tell | default({}) }}"
"""What would have to be told, known in check mode only from the task that would have written."""

LEFTOVERS = "hadeploy_pending_leftovers"
"""Hosts with something that an earlier apply brought and that left the design."""

HOSTED = (("bundle_which", "hosted"),)
OTHERS = (("bundle_which", "others"),)

MEMBERS = "{{ hadeploy_members }}"
MEMBERS_AND_ARBITER = "{{ hadeploy_members + [hadeploy_arbiter] }}"
CERTIFICATE = (
    ("qdevice_arbiter", f"{{{{ groups['{ARBITER}'][0] }}}}"),
    ("qdevice_cluster", "{{ hadeploy_cluster_name }}"),
)
PENDING_FENCING = "hadeploy_pending_fencing"
"""All members, where there is a fence device that the cluster does not have like that."""

DEVICES = (("pacemaker_devices", f"{{{{ hostvars[groups['{GROUP}'][0]].pacemaker_observed.devices }}}}"),)
SBD = (("sbd_watchdog", "{{ hadeploy_watchdog.device }}"), ("sbd_disks", "{{ hadeploy_watchdog.disks }}"))
DEVICE = (
    ("qdevice_address", "{{ hadeploy_quorum_device.address }}"),
    ("qdevice_port", "{{ hadeploy_quorum_device.port }}"),
)
CLOSING = "hadeploy_closing"
"""Hosts whose rule set still held openings of what left the design."""

PENDING_VOLUMES = "hadeploy_pending_drbd"
VOLUMES = (("drbd_volumes", "{{ hadeploy_volumes }}"),)
NAMED = (("drbd_wipe", "{{ hadeploy_wipe }}"), ("drbd_adopt", "{{ hadeploy_adopt }}"))
"""Disks that a person named, to be destroyed or to be kept."""

DATABASES = (("postgresql_databases", "{{ hadeploy_databases }}"), ("postgresql_wipe", "{{ hadeploy_wipe }}"))
PENDING_DATABASES = "hadeploy_pending_postgresql"
DISKS = (*VOLUMES, ("drbd_generation", "{{ hadeploy_drbd_generation }}"), *NAMED)
OBJECTS = (("observe_objects_wanted", "{{ hadeploy_objects }}"),)
"""Volumes and databases: what holds data is neither renamed nor renumbered unasked."""

IDENTITY = (("observe_deployment", "{{ hadeploy_deployment }}"),)
PENDING_IDENTITY = "hadeploy_pending_identity"
"""Nodes that do not remember yet which deployment they belong to."""

RENAMING = "hadeploy_renaming"
"""Hosts, where something that holds data gets a new name."""

OBSERVING = "Observe"
"""How plays are called that ask the hosts, before anything is installed or staged."""

LOOKING = (OBSERVING, "Check")
"""How plays are called that change nothing: an apply that ended in one of them, and was told of no change, made none."""

HOST_WIDE = ("sysctl", "firewall", "sbd")
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
        "vars_files": [VARIABLES],
        "any_errors_fatal": True,
        "max_fail_percentage": 0,
        **more,
        "tasks": [step.task() for step in steps],
    }


def playbook(shares: Sequence[Share], *, certificates: bool = False) -> list[dict[str, Any]]:
    """Look, install, check all, write all, then tell daemons, the least disturbing first; remove last.

    What left the design is out of the CIB, and seen to run nowhere, before the first of its files goes.

    The arbiter is looked at with the members, so that nothing is told where it does not answer, and is up before they are
    told of it.
    """
    daemons = set(dict.fromkeys(share.daemon for share in shares))
    clustered = "pacemaker" in daemons
    arbiter = "qnetd" in daemons
    volumes = "drbd" in daemons
    databases = "postgresql" in daemons
    watchdog = "sbd" in daemons
    everywhere = f"{GROUP}:{ARBITER}" if arbiter else GROUP
    return [
        _play(
            "Observe",
            everywhere,
            [
                Step(
                    "observe",
                    variables=(
                        ("observe_members", MEMBERS_AND_ARBITER if arbiter else MEMBERS),
                        *IDENTITY,
                        *((("observe_arbiter", "{{ hadeploy_arbiter }}"),) if arbiter else ()),
                        ("observe_addresses", "{{ hadeploy_addresses }}"),
                        *(OBJECTS if clustered else ()),
                    ),
                )
            ],
        ),
        *(_observe_certificates() if certificates else []),
        *([_play("Observe the CIB", f"{GROUP}[0]", [Step("pacemaker", "observe")])] if clustered else []),
        *([_play("Observe volumes", GROUP, [Step("drbd", "observe", VOLUMES + NAMED)])] if volumes else []),
        *(
            [_play("Observe databases", GROUP, [Step("postgresql", "observe", DATABASES)])]
            if databases
            else []
        ),
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
        *([_play("Check disks", PENDING_VOLUMES, [Step("drbd", "check", DISKS)])] if volumes else []),
        *(
            [_play("Check databases", PENDING_DATABASES, [Step("postgresql", "check", DATABASES)])]
            if databases
            else []
        ),
        *(
            [_play("Check the quorum device", "hadeploy_pending_qdevice", [Step("qdevice", "reach", DEVICE)])]
            if "qdevice" in daemons and not arbiter
            else []
        ),
        *(
            [_play("Check watchdogs", "hadeploy_pending_sbd", [Step("sbd", "check", SBD)])]
            if watchdog
            else []
        ),
        *(
            [_play("Check the CIB", "hadeploy_pending_cib", [Step("pacemaker", "check")])]
            if clustered
            else []
        ),
        *(
            [_play("Check fence devices", PENDING_FENCING, [Step("pacemaker", "check_devices", DEVICES)])]
            if clustered
            else []
        ),
        _play("Remember the deployment", PENDING_IDENTITY, [Step("observe", "remember", IDENTITY)]),
        *([_play("Rename", RENAMING, [Step("bundle", "rename")])] if clustered else []),
        _play("Write", "hadeploy_pending", [Step("bundle", "write")]),
        _play("Stop leftovers", LEFTOVERS, [Step("bundle", "remove_units", () if clustered else OTHERS)]),
        *(
            _load_rules("Firewall", "hadeploy_pending_firewall")
            if daemon == "firewall"
            else _play(_title(daemon), f"hadeploy_pending_{daemon}", [_step(daemon)])
            for daemon in HOST_WIDE
            if daemon in daemons
        ),
        *([_play("Volumes", PENDING_VOLUMES, [_step("drbd", *DISKS)])] if volumes else []),
        *(
            [_play("Databases", PENDING_DATABASES, [Step("postgresql", variables=DATABASES)])]
            if databases
            else []
        ),
        *(_arbiter_plays(certificates=certificates) if arbiter else []),
        *(_cluster_plays(device="qdevice" in daemons, watchdog=watchdog) if clustered else []),
        *_rolling_plays([daemon for daemon in ONE_BY_ONE if daemon in daemons], hosted=not clustered),
        _play("See what left stopped", LEFTOVERS, [Step("bundle", "stopped")]),
        *(
            [
                _play("Settle the firewall", "hadeploy_pending_firewall", [Step("bundle", "settle")]),
                _load_rules("Close the firewall", CLOSING),
            ]
            if "firewall" in daemons
            else []
        ),
        _play("Remove leftovers", LEFTOVERS, [Step("bundle", "remove_files")]),
        _play("Verify", "hadeploy_pending", [Step("observe", "verify")]),
        *(
            [_play("Verify the CIB", "hadeploy_pending_cib", [Step("pacemaker", "verify")])]
            if clustered
            else []
        ),
        *(
            [_play("Synchronise volumes", PENDING_VOLUMES, [Step("drbd", "synchronised", VOLUMES)])]
            if volumes
            else []
        ),
        *(
            [_play("Follow the primary", PENDING_DATABASES, [Step("postgresql", "followed", DATABASES)])]
            if databases
            else []
        ),
        _play("Release", everywhere, [Step("observe", "release", (("observe_whole", "true"),))]),
    ]


def release_playbook(shares: Sequence[Share]) -> list[dict[str, Any]]:
    """release.yml: lets go of the hosts after a run that did not reach its end. A silent host keeps its lease."""
    arbiter = any(share.daemon == "qnetd" for share in shares)
    play = _play("Release", f"{GROUP}:{ARBITER}" if arbiter else GROUP, [Step("observe", "release")])
    del play["any_errors_fatal"], play["max_fail_percentage"]
    return [{**play, "any_errors_fatal": False, "ignore_unreachable": True}]


def look_playbook(plays: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """look.yml: what site.yml asks the hosts first. In check mode it takes no lock; it changes nothing."""
    return [play for play in plays if play["name"].startswith(OBSERVING)]


def roles_of(plays: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The roles that plays run."""
    return frozenset(task["ansible.builtin.import_role"]["name"] for play in plays for task in play["tasks"])


def _title(daemon: str) -> str:
    return {"sysctl": "Kernel settings", "sbd": "Watchdog"}[daemon]


def _step(daemon: str, *more: tuple[str, str]) -> Step:
    return Step(daemon, variables=(*more, (f"{daemon}_expected", EXPECTED)))


def _load_rules(name: str, hosts: str) -> dict[str, Any]:
    """One host at a time, those without an address first: a rule set that cuts a host off is then seen on one alone."""
    return _play(
        name,
        f"hadeploy_standby:hadeploy_active:&{hosts}",
        [Step("observe", "united"), _step("firewall")],
        serial=1,
    )


def _observe_certificates() -> list[dict[str, Any]]:
    """The arbiter's first: a member's certificate is held against it."""
    return [
        _play("Observe the authority", ARBITER, [Step("qnetd", "observe")]),
        _play("Observe certificates", GROUP, [Step("qdevice", "observe", CERTIFICATE)]),
    ]


def _arbiter_plays(*, certificates: bool) -> list[dict[str, Any]]:
    """The arbiter answers, and members can prove who they are, before corosync is told of either."""
    authority = [Step("qnetd", "authority")] if certificates else []
    return [
        _play("Arbiter", "hadeploy_pending_qnetd", [*authority, _step("qnetd")]),
        *(
            [_play("Certificates", "hadeploy_pending_certificate", [Step("qdevice", "certify", CERTIFICATE)])]
            if certificates
            else []
        ),
    ]


def _cluster_plays(*, device: bool, watchdog: bool) -> list[dict[str, Any]]:
    """Where corosync was started anew, those that need it went down with it, so their plays are for those hosts too."""
    both = "hadeploy_pending_corosync:hadeploy_pending_pacemaker"
    line = "hadeploy_pending_corosync:hadeploy_pending_qdevice"
    return [
        _play("Corosync", "hadeploy_pending_corosync", [_step("corosync", ("corosync_members", MEMBERS))]),
        *([_play("Quorum device", line, [_step("qdevice", ("qdevice_members", MEMBERS))])] if device else []),
        _play("Pacemaker", both, [_step("pacemaker", ("pacemaker_members", MEMBERS))]),
        *([_play("Watchdog serves", GROUP, [Step("sbd", "gate")])] if watchdog else []),
        _play("CIB", "hadeploy_pending_cib", [Step("pacemaker", "apply")]),
    ]


def _rolling_plays(daemons: list[str], *, hosted: bool) -> list[dict[str, Any]]:
    """Members without a floating address first: a configuration that fails there has cost no client anything.

    Hosted services that left the design and are no cluster's end there, too, so that somebody serves all the while.
    """
    if not daemons:
        return []
    hosts = ":".join(
        (*(f"hadeploy_pending_{daemon}" for daemon in daemons), *((LEFTOVERS,) if hosted else ()))
    )
    steps = [
        Step("observe", "united"),
        *((Step("bundle", "remove_units", HOSTED),) if hosted else ()),
        *(_step(daemon) for daemon in daemons),
    ]
    return [
        _play(f"Services, {role} members", f"{hosts}:&hadeploy_{role}", steps, serial=1)
        for role in ("standby", "active")
    ]
