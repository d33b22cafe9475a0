"""An agent's own metadata (OCF resource agent API, ra-api-1) as an ``Agent``."""

from __future__ import annotations

import re

from lxml import etree

from hadeploy.spec.catalogue.agent import Action, Agent, Parameter

LONGEST_LINE = 100
"""Of a description; the agent's manual has the rest."""

INTEGER = re.compile(r"^[+-]?\d+$")
TIME = re.compile(r"^\d+(\.\d+)?\s*(us|usec|ms|msec|s|sec|m|min|h|hr)?$")
TRUTH_WORDS = frozenset({"1", "0", "yes", "no", "y", "n", "true", "false", "on", "off"})

_MILLISECONDS = {"us": 0.001, "usec": 0.001, "ms": 1, "msec": 1, "": 1_000, "s": 1_000, "sec": 1_000}
_MILLISECONDS |= {"m": 60_000, "min": 60_000, "h": 3_600_000, "hr": 3_600_000}

_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}
"""Names that agents used before Pacemaker 2.1 and some still do."""

_DENIED_BY_DESCRIPTION = frozenset({("Filesystem", "force_unmount")})
"""Parameters whose long description names values that their declared kind has not (``safe`` of a boolean)."""


def parse_metadata(name: str, text: str, package: str = "") -> Agent:
    """Read what an agent prints for ``meta-data``; what it prints before the document is skipped.

    Raises:
        ValueError: the text is not a resource agent's metadata.
    """
    start = text.find("<?xml")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text[max(start, 0) :].strip().encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"{name} prints no metadata that can be read: {error.msg}") from error
    if root.tag != "resource-agent":
        raise ValueError(f"{name} prints <{root.tag}> where <resource-agent> belongs")
    parameters = {each.name: each for each in (_parameter(name, node) for node in root.iter("parameter"))}
    return Agent(
        name=name,
        about=one_line(root.findtext("shortdesc") or root.get("shortdesc") or ""),
        package=package,
        parameters=tuple(parameters[key] for key in sorted(parameters)),
        actions=tuple(dict.fromkeys(_action(node) for node in root.iter("action") if _matters(node))),
    )


_INTERESTING = ("start", "stop", "monitor", "promote", "demote", "notify", "migrate_to", "migrate_from")
"""Operations that a cluster manager schedules; how an agent prints its manual is its own affair."""


def _matters(node: etree._Element) -> bool:
    """A fence agent's ``on`` matters where the cluster calls it by itself."""
    return node.get("name") in _INTERESTING or (node.get("name") == "on" and _true(node, *_AUTOMATIC))


_AUTOMATIC = ("automatic", "required")
"""The second is the older word (Pacemaker, fenced_commands.c: read_action_metadata)."""


def _true(node: etree._Element, *names: str) -> bool:
    """Whether one of the attributes is true, by what pcmk__xe_attr_is_true() takes for it."""
    return any(node.get(name, "").lower() in ("1", "true", "yes", "on", "y") for name in names)


def milliseconds(text: str | None) -> int:
    """A time as agents write it: seconds, or a number with its unit; 0 where there is none."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text or "")
    return round(float(match[1]) * _MILLISECONDS.get(match[2], 0)) if match else 0


def one_line(text: str) -> str:
    """Prose in one line, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE].rsplit(' ', 1)[0]} ..."


def _parameter(agent: str, node: etree._Element) -> Parameter:
    name = node.get("name", "")
    content = node.find("content")
    kind, default = "string", ""
    options: tuple[str, ...] = ()
    if content is not None:
        kind = content.get("type", "string")
        default = content.get("default", "")
        options = tuple(option.get("value", "") for option in content.iter("option"))
    return Parameter(
        name=name,
        kind=_believed(agent, name, kind, default),
        # What has a default is not missing when it is left out, whatever the agent calls it.
        required=node.get("required") == "1" and not default,
        unique=node.get("unique") == "1" or node.get("unique-group") is not None,
        default=one_line(default),
        about=one_line(node.findtext("shortdesc") or ""),
        deprecated=node.get("deprecated") in ("1", "true"),
        obsoletes=tuple((node.get("obsoletes") or "").split()),
        options=options,
    )


def _believed(agent: str, name: str, kind: str, default: str) -> str:
    """The declared kind, unless the agent itself contradicts it: a ``boolean`` with a path for its default is a text."""
    if (agent.rpartition(":")[2], name) in _DENIED_BY_DESCRIPTION:
        return "string"
    match kind:
        case "integer" | "second":
            return kind if not default or INTEGER.match(default) else "string"
        case "boolean":
            return kind if not default or default.lower() in TRUTH_WORDS else "string"
        case "time":
            return kind if not default or TIME.match(default) else "string"
        case "select":
            return kind
        case _:
            return "string"


def _action(node: etree._Element) -> Action:
    role = node.get("role", "")
    depth = node.get("depth", "0")
    return Action(
        name=node.get("name", ""),
        timeout_ms=milliseconds(node.get("timeout")),
        interval_ms=milliseconds(node.get("interval")),
        depth=int(depth) if depth.isdigit() else 0,
        role=_ROLES.get(role, role),
        automatic=node.get("name") == "on" and _true(node, *_AUTOMATIC),
        on_target=_true(node, "on_target"),
    )
