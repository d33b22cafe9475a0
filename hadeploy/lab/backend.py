"""What differs between kinds of nodes. Bridges, faults, BMCs, SSH, power's order and status are the same for all of them."""

from __future__ import annotations

from typing import Protocol

from hadeploy.lab.containers import Containers
from hadeploy.lab.errors import LabError
from hadeploy.lab.plan import LabNode, LabPlan
from hadeploy.lab.state import LabState
from hadeploy.lab.tell import Tell
from hadeploy.lab.vm.machines import Machines


class Backend(Protocol):
    """One kind of node. All that runs of a node runs in the node's cgroup (``groups``), which is how its power is cut."""

    name: str

    def check_machine(self, plan: LabPlan) -> None:
        """Refuse a machine that cannot hold such nodes, naming what is missing."""

    def prepare(self, plan: LabPlan, tell: Tell) -> str:
        """Make images, once; return the accelerator that the nodes will have, or nothing."""

    def ready_seconds(self, state: LabState) -> float:
        """How long a boot may take until SSH answers."""

    def create(self, state: LabState, node: LabNode) -> None:
        """Make the node's disk; it has no power yet."""

    def plug(self, state: LabState, node: LabNode) -> None:
        """Put the node's interfaces on the lab's bridges."""

    def settle(self, state: LabState, node: str) -> None:
        """Wait until a node that lost power can be started again."""

    def start(self, state: LabState, node: LabNode) -> None:
        """Power on."""

    def exec_argv(self, state: LabState, node: str, *argv: str) -> list[str]:
        """The command line that runs ``argv`` in a node beside its networks."""

    def console_argv(self, state: LabState, node: str) -> list[str]:
        """The command line that gives a terminal on a node."""

    def remove(self, state: LabState, node: LabNode) -> None:
        """Remove what ``create`` made; the node has no power any more."""


_BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (Containers(), Machines())}


def backend_of(plan: LabPlan) -> Backend:
    """The backend that a plan asks for.

    Raises:
        LabError: there is none of that name.
    """
    backend = _BACKENDS.get(plan.backend)
    if backend is None:
        raise LabError("LAB008", f"no lab backend {plan.backend}", f"one of: {', '.join(_BACKENDS)}")
    return backend
