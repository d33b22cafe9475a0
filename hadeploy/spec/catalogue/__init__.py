"""What the agents of each release say of themselves, as data: parameters, operations, the package that brings them.

``debian-12.jsonl`` and its like hold one agent a line and are made by ``scripts/agent-catalogue`` from the packages
themselves. They are bundled, so that the same topology gives the same bytes on every controller.
"""

from hadeploy.spec.catalogue.agent import Action, Agent, Parameter
from hadeploy.spec.catalogue.store import agent_names, find_agent, releases

__all__ = ["Action", "Agent", "Parameter", "agent_names", "find_agent", "releases"]
