# SPDX-License-Identifier: Apache-2.0
"""What Pacemaker's fencer asks a fence agent, and what the answer means (FenceAgentAPI.md, pacemaker-fenced(7))."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

STATUS, MONITOR = "status", "monitor"
WELL = {STATUS: (0, 2), MONITOR: (0,)}
"""Exit codes of a device that works: status says on (0) or off (2); monitor says 0."""

ONLY_MONITOR = ("fence_sbd",)
"""A node's slot on the disk is made when SBD starts there, after the first apply's check: until then status fails."""

HARMLESS = (STATUS, MONITOR, "list", "list-status", "metadata", "validate-all")
"""What may be asked at any time, whatever a device says that its status is called (pcmk_status_action)."""

ACTIONS = ("action", "option")
"""Names of the parameter that says what an agent is to do; Pacemaker sets it, too, whatever is configured."""

PLUGS = ("plug", "port")
SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 0.001, "m": 60.0, "min": 60.0, "h": 3600.0}
LONGEST_SECONDS = 60.0
"""For an agent whose start has no timeout of its own."""

NOISE = (r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ ", r"^[A-Z]+: ", r"^Failed: ", r"^Please use '-h' for usage$")
"""What the agents' library puts before and after its reason."""


def parameters_of(primitive: ElementTree.Element) -> dict[str, str]:
    """Of a fence device, those of Pacemaker's own among them."""
    pairs = primitive.iterfind("instance_attributes/nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


def places(configuration: ElementTree.Element, device: str) -> dict[str, str]:
    """Node -> score of the constraints that say where a device may run; not what operators or agents put there."""
    return {
        item.get("node", ""): item.get("score", "")
        for item in configuration.iterfind("constraints/rsc_location")
        if item.get("rsc") == device and item.get("node") and not item.get("id", "").startswith("cli-")
    }


def may_run(configuration: ElementTree.Element, device: str, node: str) -> bool:
    """Whether the cluster may start a device on a node: the nodes that would ask it to fence."""
    score = places(configuration, device).get(node)
    if score is None:
        properties = configuration.iterfind("crm_config//nvpair[@name='symmetric-cluster']")
        return all(pair.get("value", "").lower() in ("true", "yes", "on", "y", "1") for pair in properties)
    return not score.startswith("-")


def fence_devices(configuration: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """Resource id -> primitive."""
    return {
        primitive.get("id", ""): primitive
        for primitive in configuration.iterfind("resources//primitive")
        if primitive.get("class") == "stonith"
    }


def changed_devices(live: ElementTree.Element | None, desired: ElementTree.Element) -> list[str]:
    """Devices that the live configuration does not have with this agent, these parameters and these places."""
    known = fence_devices(live) if live is not None else {}
    return [
        name
        for name, device in fence_devices(desired).items()
        if name not in known
        or known[name].get("type") != device.get("type")
        or parameters_of(known[name]) != parameters_of(device)
        or places(live, name) != places(desired, name)
    ]


def seconds_of(device: ElementTree.Element) -> float:
    """How long the device's start may take: an answer that comes later is none to Pacemaker either."""
    for operation in device.iterfind("operations/op[@name='start']"):
        found = re.fullmatch(r"(\d+)\s*([a-z]*)", operation.get("timeout", ""))
        if found and found[2] in SECONDS:
            return float(found[1]) * SECONDS[found[2]]
    return LONGEST_SECONDS


def mapped(text: str) -> dict[str, str]:
    """C(n1:1,2;n2:3,4): node -> plugs."""
    parts = [re.split(r"[:=]", part, maxsplit=1) for part in re.split(r"[;\s]+", text)]
    return {pair[0]: pair[1] for pair in parts if len(pair) == 2}


class Agent:
    """What an agent says of itself."""

    def __init__(self, name: str, metadata: str) -> None:
        root = ElementTree.fromstring(metadata.strip())
        actions = {action.get("name", ""): action for action in root.iterfind("actions/action")}
        on = actions.get("on")
        self.name = name
        self.known = {parameter.get("name", "") for parameter in root.iterfind("parameters/parameter")}
        self.question = STATUS if STATUS in actions and name not in ONLY_MONITOR else MONITOR
        self.needs_cluster = on is not None and on.get("automatic") in ("1", "true")
        """Its key is made of what a running corosync says, so that it can say nothing before the first start."""

    def questions(self, parameters: dict[str, str]) -> list[tuple[str, str]]:
        """(target, what the agent is told on its standard input): a question for each of its plugs.

        Raises:
            ValueError: a value has a line break, and would be read as more than one parameter; or what the device is to be
                asked would do something to it.
        """
        own = {
            name: value
            for name, value in parameters.items()
            if not name.startswith("pcmk_") and name not in ACTIONS
        }
        broken = sorted(name for name, value in own.items() if "\n" in value or "\r" in value)
        if broken:
            raise ValueError(f"the value of {', '.join(broken)} has a line break")
        plug = self._plug(parameters)
        targets = [name for name in re.split(r"[,;\s]+", parameters.get("pcmk_host_list", "")) if name] or [
            ""
        ]
        aliases = mapped(parameters.get("pcmk_host_map", ""))
        action = parameters.get(f"pcmk_{self.question}_action", self.question)
        if action not in HARMLESS:
            raise ValueError(f"pcmk_{self.question}_action is {action}, which does more than ask")
        asked: dict[str, str] = {}
        for target in targets:
            given = {"action": action, **({"nodename": target} if target else {}), **own}
            if plug and target and given.get(plug, "dynamic") == "dynamic":
                given[plug] = aliases.get(target, target)
            text = "".join(f"{name}={value}\n" for name, value in given.items())
            # Without a plug the answer is the same whoever is the target.
            asked.setdefault(given.get(plug, "") if plug else "", f"{target}\0{text}")
        return [tuple(each.split("\0", 1)) for each in asked.values()]

    def _plug(self, parameters: dict[str, str]) -> str:
        """The parameter that says whom; empty where the device switches nothing but its own machine."""
        wanted = parameters.get("pcmk_host_argument", "")
        if wanted:
            return "" if wanted == "none" else wanted
        return next((name for name in PLUGS if name in self.known), "")


def reason(words: str, secrets: list[str]) -> str:
    """The agent's own words, without what surrounds them, and without a secret."""
    lines = []
    for line in words.splitlines():
        text = line.strip()
        for pattern in NOISE:
            text = re.sub(pattern, "", text).strip()
        if text and text not in lines:
            lines.append(text)
    text = "; ".join(lines)[-300:]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "(secret)")
    return text
