"""What load balancers serve: for every backend the servers that those who hold its addresses still reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hadeploy.design.balancing import BalancedBackend, BalancedServer
from hadeploy.design.design import Design
from hadeploy.proof.failures import Scenario, segment_of
from hadeploy.proof.judgement import promised
from hadeploy.proof.matrix import Row, ServiceOutcome, State
from hadeploy.proof.takeover import Holding, Loss, holdings, homes, loss_of, outcomes

NAMED = 3
"""Servers that are named one by one; more are counted."""


def balancer_rows(design: Design, wanted: Sequence[Scenario], survives: int) -> Iterator[Row]:
    """The row of every set of failures: addresses first, then backends."""
    for scenario in wanted:
        loss = loss_of(design, scenario)
        found = holdings(design, loss)
        yield Row(
            failures=tuple(str(failure) for failure in scenario),
            outcomes=(*outcomes(found), *_backends(design, loss, found)),
            fenced=(),
            sides=(),
            within_objectives=promised(scenario, survives),
        )


def steady_state(design: Design) -> Iterator[tuple[str, str]]:
    """(service, where) of addresses and backends when all is well."""
    yield from homes(design).items()
    for backend in design.balancer.backends if design.balancer is not None else ():
        yield backend_name(design, backend), in_words([server.name for server in _active(backend)])


def backend_name(design: Design, backend: BalancedBackend) -> str:
    """A backend's name, told from an address of the same."""
    taken = {instance.name for instance in design.vrrp.instances} if design.vrrp is not None else set[str]()
    return f"{backend.name} (backend)" if backend.name in taken else backend.name


def in_words(servers: Sequence[str]) -> str:
    """Few servers by name, many by number."""
    return ", ".join(servers) if len(servers) <= NAMED else f"{len(servers)} servers"


def _active(backend: BalancedBackend, down: frozenset[str] = frozenset()) -> tuple[BalancedServer, ...]:
    """Servers that get requests: those that are no backup, and the first backup when none of them is left.

    HAProxy uses one backup at a time (configuration.txt, 4.2: option allbackups, off).
    """
    up = [server for server in backend.servers if server.name not in down]
    return tuple(server for server in up if not server.backup) or tuple(up[:1])


def _backends(design: Design, loss: Loss, found: Sequence[Holding]) -> Iterator[ServiceOutcome]:
    plan = design.balancer
    if plan is None:
        return
    for backend in plan.backends:
        addresses = {
            address
            for frontend in plan.frontends
            if frontend.backend == backend.name
            for address, _ in frontend.binds
        }
        own = [h for h in found if {a.partition("/")[0] for a in h.instance.addresses} & addresses]
        yield _outcome(design, loss, backend, own)


def _outcome(design: Design, loss: Loss, backend: BalancedBackend, own: Sequence[Holding]) -> ServiceOutcome:
    usual = tuple(server.name for server in _active(backend))
    name, before = backend_name(design, backend), in_words(usual)

    def outcome(state: State, servers: Sequence[str] = (), why: str = "") -> ServiceOutcome:
        return ServiceOutcome(name, before, tuple(servers), state, collateral=False, why=why)

    holders = tuple(dict.fromkeys(holder for holding in own for holder in holding.holders))
    lost = [holding.instance.name for holding in own if not holding.holders]
    if own and lost:
        return outcome(State.STOPPED, why=f"nobody holds {' and '.join(lost)}")
    served = {holder: _served(design, loss, backend, holder) for holder in holders}
    for holder, servers in served.items():
        held = " and ".join(h.instance.name for h in own if holder in h.holders)
        if holder in loss.balancers_down:
            return outcome(State.STOPPED, why=f"{holder} holds {held}, and its haproxy is dead")
        if not servers:
            return outcome(State.STOPPED, why=f"{holder} holds {held}, and reaches no server")
        deaf = [server for server in servers if _blind(design, loss, backend, server, holder)]
        if deaf:
            return outcome(
                State.STOPPED, why=f"{' and '.join(deaf)} is dead and not checked: its share fails"
            )
    together = tuple(dict.fromkeys(server for servers in served.values() for server in servers))
    if len(set(served.values())) > 1 and len(loss.sides) > 1:
        words = ", ".join(f"{holder} from {in_words(servers)}" for holder, servers in served.items())
        return outcome(State.PARTED, together, f"each side serves from what it reaches: {words}")
    least = min(served.values(), key=len, default=usual)
    if set(least) == set(usual) == set(together):
        return outcome(State.STAYS, usual)
    missing = [server for server in usual if server not in least]
    why = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} lost"
    return outcome(State.FEWER if set(least) & set(usual) else State.MOVES, least, why)


def _served(design: Design, loss: Loss, backend: BalancedBackend, holder: str) -> tuple[str, ...]:
    """The servers that a load balancer sends requests to: those it reaches, and those it believes in unchecked."""
    down = frozenset(
        server.name
        for server in backend.servers
        if server.checked
        and backend.check.kind != "none"
        and not _reaches(design, loss, backend, server, holder)
    )
    return tuple(server.name for server in _active(backend, down))


def _blind(design: Design, loss: Loss, backend: BalancedBackend, name: str, holder: str) -> bool:
    server = next(server for server in backend.servers if server.name == name)
    return not _reaches(design, loss, backend, server, holder)


def _reaches(
    design: Design, loss: Loss, backend: BalancedBackend, server: BalancedServer, holder: str
) -> bool:
    """Whether a load balancer reaches a living server.

    A server outside all networks of the topology is behind a router that no failure here is about.
    """
    if (backend.name, server.name) in loss.servers_down or server.member in loss.dead:
        return False
    if server.member == holder:
        return True
    segment = segment_of(design, server.address)
    if segment is None:
        return True
    together = not server.member or any(holder in side and server.member in side for side in loss.sides)
    ports = {(holder, segment), (server.member, segment)}
    return together and not ports & loss.ports_down
