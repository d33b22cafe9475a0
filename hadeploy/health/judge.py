"""All facts of all hosts against the design, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hadeploy.design.design import Design
from hadeploy.health import machine, networks, ports, reach, storage, upkeep
from hadeploy.health.hosts import Hosts
from hadeploy.health.problem import HostProblem, unless_accepted
from hadeploy.observe.facts import HostFacts, Unknown

Check = Callable[[Hosts], Iterator[HostProblem]]

CHECKS: tuple[Check, ...] = (
    machine.system_problems,
    machine.unread_problems,
    networks.interface_problems,
    networks.mtu_problems,
    reach.path_problems,
    reach.arbiter_problems,
    reach.fence_problems,
    reach.owner_problems,
    ports.port_problems,
    storage.module_problems,
    storage.disk_problems,
    machine.space_problems,
    machine.clock_problems,
    machine.synchronization_problems,
    upkeep.upgrade_problems,
    upkeep.restart_problems,
    upkeep.power_key_problems,
)


def judge_hosts(design: Design, seen: Mapping[str, HostFacts]) -> tuple[HostProblem, ...]:
    """What does not hold, of hosts that answered; errors first, then in the order of the checks.

    What was not asked is not judged. Of a host that is another node by its name nothing else is told: it is not the one meant.

    Args:
        design: what the hosts are to become.
        seen: host -> its facts.
    """
    known = {name: facts for name, facts in seen.items() if not isinstance(facts.host_name, Unknown)}
    names = list(machine.name_problems(Hosts(design, known)))
    mistaken = {
        name
        for name, facts in known.items()
        if not isinstance(facts.host_name, Unknown) and machine.other_node(design, name, facts.host_name)
    }
    hosts = Hosts(design, {name: facts for name, facts in known.items() if name not in mistaken})
    accepted = dict(design.accepted_risks)
    found = [*names, *(problem for check in CHECKS for problem in check(hosts))]
    return tuple(
        sorted(
            (unless_accepted(problem, accepted) for problem in found),
            key=lambda problem: not problem.is_error,
        )
    )
