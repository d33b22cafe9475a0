"""Topologies of any size, for measurements."""

from __future__ import annotations

from typing import Any


def n_plus_1_topology(nodes: int, groups: int, *, stickiness: int = 100, capacity: int = 0) -> dict[str, Any]:
    """N+1 with one BMC a node; every group is two units and an address.

    Args:
        nodes: with the spare, which is the last.
        groups: spread over the active nodes in turn.
        stickiness: of every group.
        capacity: of every node in slots, where a group takes one; 0 leaves capacities out.
    """
    names = [f"n{number}" for number in range(1, nodes + 1)]
    slots: dict[str, Any] = {"capacity": {"slots": capacity}} if capacity else {}
    halves: dict[str, Any] = {"quorum": {"auto_tie_breaker": "lowest"}} if nodes % 2 == 0 else {}
    demand: dict[str, Any] = {"demand": {"slots": 1}} if capacity else {}
    services = {
        f"app{number}": {
            "members": [
                {"kind": "systemd", "name": f"app{number}-store", "unit": f"app{number}-store.service"},
                {"kind": "systemd", "name": f"app{number}-server", "unit": f"app{number}-server.service"},
            ],
            "addresses": [f"app{number}"],
            "prefers": names[(number - 1) % (nodes - 1)],
            "stickiness": stickiness,
            **demand,
        }
        for number in range(1, groups + 1)
    }
    return {
        "name": f"bench-{nodes}",
        "pattern": "n-plus-1",
        "release": "debian-12",
        "networks": {
            "lan": {"subnets": ["10.90.1.0/24"], "interface": "lan0"},
            "ring": {"subnets": ["10.90.2.0/24"], "interface": "ring0"},
            "bmc": {"subnets": ["10.90.9.0/24"], "interface": "bmc0"},
        },
        "management_network": "lan",
        "nodes": {
            name: {
                "addresses": {
                    "lan": f"10.90.1.{number}",
                    "ring": f"10.90.2.{number}",
                    "bmc": f"10.90.9.{number}",
                },
                "power_supplies": 2,
                **slots,
            }
            for number, name in enumerate(names, start=1)
        },
        "spare": names[-1],
        "cluster": {"links": ["ring", "lan"], "token": "1s", **halves},
        "fencing": {
            "devices": {
                f"ipmi-{name}": {
                    "agent": "fence_ipmilan",
                    "targets": [name],
                    "parameters": {"ip": f"10.90.9.{100 + number}", "lanplus": True, "username": "admin"},
                }
                for number, name in enumerate(names, start=1)
            }
        },
        "virtual_addresses": {
            f"app{number}": {"address": f"10.90.1.{150 + number}/24", "network": "lan"}
            for number in range(1, groups + 1)
        },
        "services": services,
        "objectives": {"rto": "60s", "survives": 1},
    }
