"""Commands in nodes, beside SSH and whatever state their networks are in."""

from __future__ import annotations

from hadeploy.lab.backend import backend_of
from hadeploy.lab.program import run
from hadeploy.lab.state import LabState


def exec_argv(state: LabState, node: str, *argv: str) -> list[str]:
    """The command line that runs ``argv`` in a node."""
    return backend_of(state.plan).exec_argv(state, state.plan.node(node).name, *argv)


def console_argv(state: LabState, node: str) -> list[str]:
    """The command line that gives a terminal on a node."""
    return backend_of(state.plan).console_argv(state, state.plan.node(node).name)


def exec_in_node(state: LabState, node: str, *argv: str, seconds: float = 60, check: bool = True) -> str:
    """Run a command in a node and return what it printed.

    Raises:
        LabError: it failed (with ``check``), or took longer than ``seconds``.
    """
    return run(exec_argv(state, node, *argv), seconds=seconds, check=check)
