"""Answers the questions in the first argument, a JSON object, with one JSON report on standard output."""

from __future__ import annotations

import json
import sys
import time


def main(argument: str) -> None:
    """What is not asked is not looked at: a status is read once a second."""
    questions = json.loads(argument)
    began = time.time()
    from hadeploy.observe.probe import cluster, machine

    report = {**machine.report(), **cluster.report(questions.get("units", []))}
    if "sockets" in questions:
        from hadeploy.observe.probe import sockets

        report["sockets"] = sockets.report()
    report["clock"] = {"began": began, "ended": time.time()}
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
