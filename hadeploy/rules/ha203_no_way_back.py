"""HA203: what a load balancer sends on comes back to it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from hadeploy.diagnostics import Severity
from hadeploy.rules.rule import Case, Family, Found, Rule
from hadeploy.spec.source import KeyPath
from hadeploy.spec.topology import ActiveActive


def _check(case: Case) -> Iterator[Found]:
    topology = case.loaded.topology
    if not isinstance(topology, ActiveActive):
        return
    ways = _ways(topology)
    told: set[KeyPath] = set()
    for frontend, servers in ways.items():
        for place, server, onward in servers:
            if place not in told and frontend in _reached(ways, onward):
                told.add(place)
                yield Found(
                    f"server {server} is frontend {onward} itself"
                    if onward == frontend
                    else f"server {server} is frontend {onward}, which leads back to frontend {frontend}",
                    place,
                )


def _ways(topology: ActiveActive) -> dict[str, list[tuple[KeyPath, str, str]]]:
    """Frontend -> (place, server, the frontend that it is) of its backend's servers."""
    balancer = topology.load_balancer
    owners = {
        (ipaddress.ip_interface(topology.virtual_addresses[address].address).ip, frontend.port): name
        for name, frontend in balancer.frontends.items()
        for address in frontend.addresses
    }
    ways: dict[str, list[tuple[KeyPath, str, str]]] = {}
    for name, frontend in balancer.frontends.items():
        ways[name] = [
            (("load_balancer", "backends", frontend.backend, "servers", server, "address"), server, onward)
            for server, one in balancer.backends[frontend.backend].servers.items()
            if one.address is not None
            and (onward := owners.get((ipaddress.ip_address(one.address), one.port))) is not None
        ]
    return ways


def _reached(ways: dict[str, list[tuple[KeyPath, str, str]]], first: str) -> set[str]:
    """The frontends that a connection to the first one can come to, itself too."""
    reached: set[str] = set()
    queue = [first]
    while queue:
        frontend = queue.pop()
        if frontend not in reached:
            reached.add(frontend)
            queue += [onward for _, _, onward in ways[frontend]]
    return reached


RULE = Rule(
    code="HA203",
    family=Family.HAPROXY,
    severity=Severity.ERROR,
    title="A load balancer is its own server",
    reason="each connection comes back as a new one, until HAProxy has no more: no client is served any longer",
    mend="the address of the server that does the work",
    source="HAProxy configuration manual, 4.2: bind and server; HAProxy does not notice",
    check=_check,
)
