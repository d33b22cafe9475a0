"""What is known of one agent, and how that is written down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an agent.

    Attributes:
        name: as it is written in the topology.
        kind: ``string``, ``integer``, ``boolean``, ``second`` (whole seconds), ``time`` (seconds, or with a unit) or
            ``select``; ``string`` also where the agent's own default denies the kind that it declares.
        required: the agent does not work without it; False where it has a default.
        unique: no two resources may have the same value.
        default: the agent's own, empty for none.
        about: one line for people.
        deprecated: still read, but there is something better.
        obsoletes: deprecated names of the same thing.
        options: what a ``select`` may be.
    """

    name: str
    kind: str = "string"
    required: bool = False
    unique: bool = False
    default: str = ""
    about: str = ""
    deprecated: bool = False
    obsoletes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """One operation as the agent advises it; times in milliseconds, 0 where it says nothing.

    Attributes:
        name: ``start``, ``stop``, ``monitor``, ...
        timeout_ms: advised bound.
        interval_ms: advised interval of a recurring one.
        depth: how thorough a monitor is (OCF_CHECK_LEVEL), 0 for the ordinary one.
        role: ``Promoted``, ``Unpromoted`` or empty.
        automatic: of a fence agent's ``on``: a fenced node has no access until the cluster itself gives it back (unfencing).
        on_target: that only works on the node that it is for.
    """

    name: str
    timeout_ms: int = 0
    interval_ms: int = 0
    depth: int = 0
    role: str = ""
    automatic: bool = False
    on_target: bool = False


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent.

    Attributes:
        name: ``ocf:provider:type`` or ``fence_x``.
        about: one line for people.
        package: what brings it, empty where it was not learnt from a package.
        parameters: sorted by name.
        actions: in the agent's order.
    """

    name: str
    about: str
    package: str
    parameters: tuple[Parameter, ...]
    actions: tuple[Action, ...]

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)

    def successor(self, name: str) -> Parameter | None:
        """The parameter that took the place of a deprecated name."""
        return next((parameter for parameter in self.parameters if name in parameter.obsoletes), None)

    @property
    def unfencing(self) -> Action | None:
        """How a fence agent gives a node back what it cut off; None of agents that switch a node's power."""
        return next((each for each in self.actions if each.name == "on" and each.automatic), None)

    def timeout_ms(self, action: str) -> int:
        """The longest that the agent advises for an action at its ordinary depth, 0 where it advises nothing."""
        return max(
            (each.timeout_ms for each in self.actions if each.name == action and each.depth == 0), default=0
        )


def to_record(agent: Agent) -> dict[str, Any]:
    """An agent as JSON; what is usual is left out."""
    return {
        "agent": agent.name,
        "about": agent.about,
        "package": agent.package,
        "parameters": [_written(parameter, Parameter(parameter.name)) for parameter in agent.parameters],
        "actions": [_written(action, Action(action.name)) for action in agent.actions],
    }


def from_record(record: dict[str, Any]) -> Agent:
    """The reverse of ``to_record``."""
    return Agent(
        name=record["agent"],
        about=record["about"],
        package=record["package"],
        parameters=tuple(Parameter(**_tuples(each)) for each in record["parameters"]),
        actions=tuple(Action(**each) for each in record["actions"]),
    )


def _written(value: Parameter | Action, usual: Parameter | Action) -> dict[str, Any]:
    return {
        key: getattr(value, key)
        for key in _fields(value)
        if key == "name" or getattr(value, key) != getattr(usual, key)
    }


def _fields(value: Parameter | Action) -> Iterable[str]:
    return type(value).__dataclass_fields__


def _tuples(record: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}
