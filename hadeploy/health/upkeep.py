"""What would stop or restart the cluster's daemons on all nodes, unasked: warnings, with the lines that prevent it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hadeploy.daemons.registry import shares
from hadeploy.health.hosts import Hosts
from hadeploy.health.problem import HostProblem
from hadeploy.health.questions import on_board
from hadeploy.observe.facts import Upkeep

APT_FILE = "/etc/apt/apt.conf.d/52hadeploy-cluster"
NEEDRESTART_FILE = "/etc/needrestart/conf.d/hadeploy-cluster.conf"
LOGIND_FILE = "/etc/systemd/logind.conf.d/cluster.conf"


def upgrade_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Packages whose upgrade restarts a daemon, on all nodes in one night."""
    for names, packages, reboots in _grouped(
        (host, _exposed(hosts, host, facts.upkeep), facts.upkeep.reboots)
        for host, facts in hosts.facts.items()
        if isinstance(facts.upkeep, Upkeep) and facts.upkeep.upgrades
    ):
        found = "unattended-upgrades installs upgrades of " + ", ".join(packages) if packages else ""
        if reboots:
            found += (", and " if found else "unattended-upgrades ") + "reboots the host"
        lines = [
            f"Unattended-Upgrade::Package-Blacklist {{ {' '.join(f'{chr(34)}^{p}${chr(34)};' for p in packages)} }};"
        ]
        lines = lines if packages else []
        lines += ['Unattended-Upgrade::Automatic-Reboot "false";'] if reboots else []
        if found:
            yield HostProblem(
                "HOST032",
                names,
                "the cluster's packages are upgraded one node at a time",
                found,
                f"write to {APT_FILE}: {' '.join(lines)}",
            )


def _exposed(hosts: Hosts, host: str, upkeep: Upkeep) -> tuple[str, ...]:
    """Packages of the daemons that no pattern of the blacklist matches (from the beginning, as unattended-upgrade(8) does)."""
    names = dict.fromkeys(
        share.packages[0]
        for share in shares(hosts.design)
        if share.host == host and share.units and share.packages
    )
    return tuple(name for name in names if not any(_matches(pattern, name) for pattern in upkeep.kept_back))


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.match(pattern, name) is not None
    except re.error:
        return False


def _grouped(
    found: Iterator[tuple[str, tuple[str, ...], bool]],
) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Hosts of which the same is to be said are named together."""
    groups: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for host, names, flag in found:
        groups.setdefault((names, flag), []).append(host)
    for (names, flag), together in groups.items():
        yield " ".join(together), names, flag


def restart_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """Units that needrestart restarts after an upgrade of a library."""
    for names, units, _ in _grouped(
        (host, _restarted(hosts, host, facts.upkeep), True)
        for host, facts in hosts.facts.items()
        if isinstance(facts.upkeep, Upkeep) and facts.upkeep.restarts
    ):
        if units:
            stems = [unit.removesuffix(".service") for unit in units]
            lines = " ".join(f"$nrconf{{override_rc}}{{qr(^{re.escape(stem)})}} = 0;" for stem in stems)
            yield HostProblem(
                "HOST033",
                names,
                "nothing restarts the cluster's daemons by itself",
                f"needrestart restarts {', '.join(stems)} ($nrconf{{restart}} = 'a')",
                f"write to {NEEDRESTART_FILE}: {lines}",
            )


def _restarted(hosts: Hosts, host: str, upkeep: Upkeep) -> tuple[str, ...]:
    units = dict.fromkeys(
        unit.name
        for share in shares(hosts.design)
        if share.host == host
        for unit in share.units
        if unit.enabled and unit.name.endswith(".service")
    )
    return tuple(unit for unit in units if not any(_searches(pattern, unit) for pattern in upkeep.left_alone))


def _searches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def power_key_problems(hosts: Hosts) -> Iterator[HostProblem]:
    """A power key that is obeyed: a fenced node shuts down in order, instead of being off at once."""
    found: dict[str, list[str]] = {}
    for member, facts in hosts.members():
        if isinstance(facts.upkeep, Upkeep) and on_board(hosts.design, member):
            key, acpid = facts.upkeep.power_key, facts.upkeep.acpid
            if key or acpid:
                words = " and ".join(
                    [f"systemd-logind: HandlePowerKey={key}"] * bool(key) + ["acpid runs"] * acpid
                )
                found.setdefault(words, []).append(member.name)
    for words, names in found.items():
        also = "; systemctl disable --now acpid.socket acpid.service" if "acpid" in words else ""
        yield HostProblem(
            "HOST034",
            " ".join(names),
            "the power key is ignored: the fence device in the machine must switch it off at once",
            words,
            f"write to {LOGIND_FILE}: [Login] and in the next line HandlePowerKey=ignore; then systemctl restart"
            f" systemd-logind{also}",
        )
