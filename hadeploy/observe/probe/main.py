"""Answers the questions in the first argument, a JSON object, with one JSON report on standard output.

Every reading says what is cheap: a status is read once a second. The rest only where it is asked for:

``sockets``
    who listens, and where SSH comes in.
``pings``, ``neighbors``, ``fencing``
    what answers over the network, and may take a second when it does not.
``storage``
    modules and disks.
``upkeep``
    what would act on the cluster's daemons unasked.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 20.0
"""Seconds for each question; what hangs longer (a name server that does not answer) is not waited for."""


def _network(questions: dict[str, Any], links: list[dict[str, Any]]) -> dict[str, Callable[[], object]]:
    from hadeploy.observe.probe import fencing, neighbors, pings

    mtus = {
        info.get("local", ""): link.get("mtu", 1500) for link in links for info in link.get("addr_info", [])
    }
    parts: dict[str, Callable[[], object]] = {}
    if questions.get("pings"):
        parts["pings"] = lambda: pings.report(questions["pings"], mtus)
    if questions.get("neighbors"):
        parts["neighbors"] = lambda: neighbors.report(questions["neighbors"], links)
    for device in questions.get("fencing", []):
        parts[f"fencing {device['device']}"] = lambda device=device: fencing.ask(device)  # type: ignore[misc]
    return parts


def _host(questions: dict[str, Any]) -> dict[str, Callable[[], object]]:
    parts: dict[str, Callable[[], object]] = {}
    if "sockets" in questions:
        from hadeploy.observe.probe import sockets

        parts["sockets"] = sockets.report
    if "storage" in questions:
        from hadeploy.observe.probe import storage

        parts["storage"] = lambda: storage.report(**questions["storage"])
    if "upkeep" in questions:
        from hadeploy.observe.probe import upkeep

        parts["upkeep"] = lambda: upkeep.report(**questions["upkeep"])
    return parts


def _at_once(parts: dict[str, Callable[[], object]], answers: dict[str, object]) -> list[threading.Thread]:
    def run(name: str) -> None:
        try:
            answers[name] = parts[name]()
        except Exception as error:
            answers[name] = {"failed": f"{type(error).__name__}: {error}"}

    threads = [threading.Thread(target=run, args=(name,), daemon=True) for name in parts]
    for thread in threads:
        thread.start()
    return threads


def main(argument: str) -> None:
    """Answer all that is asked."""
    questions = json.loads(argument)
    began = time.time()
    from hadeploy.observe.probe import cluster, machine

    report = machine.report()
    parts = {**_network(questions, report["links"]), **_host(questions)}  # type: ignore[arg-type]
    answers: dict[str, object] = {}
    threads = _at_once(parts, answers)
    report.update(cluster.report(questions.get("units", [])))
    deadline = time.monotonic() + PATIENCE
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    for name in parts:
        report[name] = answers.get(name, {"failed": f"no answer within {PATIENCE:g} s"})
    report["clock"] = {"began": began, "ended": time.time()}
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
