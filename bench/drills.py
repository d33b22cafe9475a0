"""Every failure of every example, what clients noticed beside what was predicted."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from failover import PROJECT, applied
from figures import Figure, Section

EXAMPLES = ("active-passive", "active-active", "n-plus-1")


def drill(example: str) -> dict[str, Any]:
    """The report of one drill; it is read whatever its verdict."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "hadeploy",
            "drill",
            f"inventories/{example}/topology.yaml",
            "--lab",
            "--json",
        ],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def measure() -> Section:
    """One drill an example: how many outages lay outside their prediction, and how far from what was expected."""
    outside, faults, ratios, told = 0, 0, [], []
    for example in EXAMPLES:
        with applied(example):
            report = drill(example)
        for finding in report["findings"]:
            faults += len(finding["faults"])
            for service in finding["services"]:
                outside += service["inside"] is False
                expected = service["predicted"]["expected_ms"] / 1000
                if expected > 0.1 and service["inside"] is not None:
                    ratios.append(service["measured_seconds"] / expected)
        told.append(f"{example}: {len(report['findings'])} failures in {report['seconds']:.0f} s")
    return Section(
        "drill",
        "Outages beside their predictions, every failure of the examples",
        [
            Figure("outages outside their prediction", "outages", (float(outside),), 0),
            Figure("two owners, needless moves, takeovers before fencing", "faults", (float(faults),), 0),
            Figure("measured outage over the expected one", "times", tuple(ratios)),
        ],
        text="; ".join(told),
    )
