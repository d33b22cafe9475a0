"""A status section for a CIB, as Pacemaker's daemons would have written it.

The scheduler judges configuration and status together. Simulating a cold start to obtain a status costs seconds at 16
members and grows with their square, so the status is written here from a placement alone. Whether it is what the
daemons would have written, the scheduler itself says: on a healthy status it must not want to do anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from lxml import etree

from hadeploy.proof.scheduler_job import PROMOTED

EPOCH = 1_800_000_000
"""The moment at which every simulation takes place, in seconds: a fixed one, so that equal input gives equal output."""

FAILED_BEFORE_S = 10
"""How long before that moment a resource failed: within every failure-timeout."""

OK = 0
FAILED = 1
NOT_RUNNING = 7
RUNNING_PROMOTED = 8
DEFAULT_TIMEOUT_MS = 20_000

UNFENCED = "node-unfenced"
"""When a member was given access; 0 or none where it was not yet (Pacemaker, pcmk__node_unfenced)."""

_UNITS_MS = {"ms": 1, "s": 1000, "": 1000, "min": 60_000, "m": 60_000, "h": 3_600_000}
_UUID = "00000000-0000-4000-8000-000000000000"


BEST_COPY = 10_000
"""Promotion score of a copy that is as good as can be: ocf:linbit:drbd's own (adjust_master_score)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A recurring monitor; milliseconds. ``role`` is empty where it is for any, ``parameters`` are its own."""

    interval_ms: int
    timeout_ms: int
    role: str = ""
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Primitive:
    """What the history of a resource needs: its kind, its parameters' digest, its monitors, its failure limit.

    Attributes:
        name: resource id.
        group: id of its group, or empty.
        attributes: class, provider and type as in the CIB.
        parameters: instance attributes, the same on all members.
        by_node: further ones of single members.
        monitors: recurring ones.
        threshold: failures after which it leaves a member; 1 where none is set.
        promotable_on: members on which an instance of its clone may be promoted; empty for what is no such clone.
    """

    name: str
    group: str
    attributes: tuple[tuple[str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    monitors: tuple[Operation, ...]
    threshold: int
    promotable_on: tuple[str, ...] = ()
    by_node: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    def on(self, node: str) -> Primitive:
        """The same with the parameters that it has on one member."""
        own = tuple(pair for name, pairs in self.by_node if name == node for pair in pairs)
        return replace(self, parameters=self.parameters + own) if own else self


@dataclass(frozen=True, slots=True)
class ResourceFailure:
    """A resource that failed on a member so often that it must leave it."""

    resource: str
    node: str


class StatusWriter:
    """Writes whole CIBs: one configuration with many statuses.

    Each member's healthy history is printed once, so that a further status costs a concatenation of texts.
    """

    def __init__(self, cib: str, schema: str = "") -> None:
        """Read a configuration; its status, if any, is left out.

        Args:
            cib: the compiled CIB.
            schema: to claim in place of its own, for a scheduler that does not know that one yet.
        """
        root = etree.fromstring(cib.encode())
        if schema:
            root.set("validate-with", schema)
        self.nodes: dict[str, str] = {
            str(node.attrib["uname"]): str(node.attrib["id"])
            for node in root.iterfind("configuration/nodes/node")
        }
        self.primitives: dict[str, Primitive] = {primitive.name: primitive for primitive in _primitives(root)}
        self._unfenced = any(_meta(each, "provides") == "unfencing" for each in root.iter("primitive"))
        for status in root.findall("status"):
            root.remove(status)
        if "have-quorum" in root.attrib:
            del root.attrib["have-quorum"]
        text = etree.tostring(root, encoding="unicode").rstrip()
        start = text.index("<cib ") + len("<cib ")
        self._head = text[:start]
        self._tail = text[start:].removesuffix("</cib>")
        self._histories: dict[tuple[str, frozenset[str]], str] = {}

    def unprobed(self) -> str:
        """All members online and nothing known of any resource: what the scheduler sees at a cold start."""
        attributes = {node: self._attributes(node, (), joined=False) for node in self.nodes}
        states = (self._state(node, lost=False, inner=attributes[node]) for node in self.nodes)
        return self._cib(states, quorate=True)

    def status(
        self,
        placement: Mapping[str, str],
        *,
        lost: Collection[str] = (),
        quorate: bool = True,
        failures: Iterable[ResourceFailure] = (),
    ) -> str:
        """The CIB of the moment after a failure.

        Args:
            placement: resource -> member that runs it.
            lost: members that are not heard any more; what ran there is still believed to run.
            quorate: whether the side that judges has quorum.
            failures: resources that failed, each on the member that runs it.
        """
        failed = tuple(failures)
        states = []
        for node in self.nodes:
            running = frozenset(name for name, place in placement.items() if place == node)
            broken = tuple(failure.resource for failure in failed if failure.node == node)
            attributes = "" if node in lost else self._attributes(node, broken)
            inner = attributes + self._history(node, running, broken)
            states.append(self._state(node, lost=node in lost, inner=inner))
        return self._cib(states, quorate=quorate)

    def _cib(self, states: Iterable[str], *, quorate: bool) -> str:
        head = f'have-quorum="{int(quorate)}" execution-date="{EPOCH}" '
        return f"{self._head}{head}{self._tail}<status>{''.join(states)}</status></cib>\n"

    def _state(self, node: str, *, lost: bool, inner: str) -> str:
        """A member that is lost was expected to stay, so Pacemaker calls it unclean and fences it."""
        seen = ("false", "offline", "down") if lost else ("true", "online", "member")
        return (
            f'<node_state id="{self.nodes[node]}" uname="{node}" in_ccm="{seen[0]}" crmd="{seen[1]}"'
            f' join="{seen[2]}" expected="member">{inner}</node_state>'
        )

    def _attributes(self, node: str, broken: tuple[str, ...], *, joined: bool = True) -> str:
        """Failure counts and promotion scores are attributes of a member; every copy of a volume is taken to be whole.

        Args:
            node: whose.
            broken: resources that failed there.
            joined: whether it was given access to what fencing takes, where that is a step of its own (unfencing).
        """
        identity = f"status-{self.nodes[node]}"
        pairs = [
            f'<nvpair id="{identity}-{UNFENCED}" name="#{UNFENCED}" value="{EPOCH - FAILED_BEFORE_S}"/>'
            for _ in range(self._unfenced and joined)
        ]
        pairs += [
            f'<nvpair id="{identity}-master-{name}" name="master-{name}" value="{BEST_COPY}"/>'
            for name, primitive in self.primitives.items()
            if node in primitive.promotable_on
        ]
        if not broken and not pairs:
            return ""
        for name in broken:
            primitive = self.primitives[name]
            interval = primitive.monitors[0].interval_ms if primitive.monitors else 0
            task = f"{name}#monitor_{interval}"
            for kind, value in (
                ("fail-count", primitive.threshold),
                ("last-failure", EPOCH - FAILED_BEFORE_S),
            ):
                attribute = f"{kind}-{task}"
                pairs.append(f'<nvpair id="{identity}-{kind}-{name}" name="{attribute}" value="{value}"/>')
        return (
            f'<transient_attributes id="{self.nodes[node]}"><instance_attributes id="{identity}">'
            f"{''.join(pairs)}</instance_attributes></transient_attributes>"
        )

    def _history(self, node: str, running: frozenset[str], broken: tuple[str, ...]) -> str:
        key = (node, running)
        if broken:
            return self._write_history(node, running, broken)
        if key not in self._histories:
            self._histories[key] = self._write_history(node, running, ())
        return self._histories[key]

    def _write_history(self, node: str, running: frozenset[str], broken: tuple[str, ...]) -> str:
        instances = {name.partition(":")[0] for name in running}
        promoted = {name.partition(":")[0] for name in running if name.endswith(" promoted")}
        resources = "".join(
            _resource_history(
                primitive.on(node),
                running=primitive.name in instances,
                failed=primitive.name in broken,
                promoted=primitive.name in promoted,
            )
            for primitive in self.primitives.values()
        )
        return f'<lrm id="{self.nodes[node]}"><lrm_resources>{resources}</lrm_resources></lrm>'


def _primitives(root: etree._Element) -> Iterable[Primitive]:
    for element in root.iterfind("configuration/resources//primitive"):
        parent = element.getparent()
        group = parent if parent is not None and parent.tag == "group" else None
        clone = parent if parent is not None and parent.tag == "clone" else None
        threshold = _meta(element, "migration-threshold") or (
            _meta(group, "migration-threshold") if group is not None else None
        )
        yield Primitive(
            name=str(element.attrib["id"]),
            group=str(group.attrib["id"]) if group is not None else "",
            attributes=tuple(
                (name, str(element.attrib[name]))
                for name in ("class", "provider", "type")
                if name in element.attrib
            ),
            parameters=_pairs(element),
            monitors=tuple(
                Operation(
                    milliseconds(str(operation.attrib["interval"])),
                    milliseconds(operation.get("timeout", f"{DEFAULT_TIMEOUT_MS}ms")),
                    operation.get("role", ""),
                    _pairs(operation),
                )
                for operation in element.iterfind("operations/op")
                if operation.attrib["name"] == "monitor" and milliseconds(str(operation.attrib["interval"]))
            ),
            threshold=int(threshold) if threshold and threshold.isdigit() else 1,
            promotable_on=_promotable_on(root, clone) if clone is not None else (),
            by_node=_by_node(element),
        )


def _pairs(element: etree._Element) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted(
            (str(pair.attrib["name"]), str(pair.attrib["value"]))
            for holder in element.iterfind("instance_attributes")
            if holder.find("rule") is None
            for pair in holder.iterfind("nvpair")
        )
    )


def _by_node(element: etree._Element) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Sets whose rule names one member, which is the only kind that is compiled."""
    return tuple(
        (
            str(expression.attrib["value"]),
            tuple(
                (str(pair.attrib["name"]), str(pair.attrib["value"])) for pair in holder.iterfind("nvpair")
            ),
        )
        for holder in element.iterfind("instance_attributes")
        if (expression := holder.find("rule/expression[@attribute='#uname']")) is not None
    )


def _promotable_on(root: etree._Element, clone: etree._Element) -> tuple[str, ...]:
    """Members that hold a copy: those that no constraint keeps from running or from being promoted."""
    if _meta(clone, "promotable") != "true":
        return ()
    banned = {
        location.get("node")
        for location in root.iterfind("configuration/constraints/rsc_location")
        if location.get("rsc") == clone.get("id") and location.get("score") == "-INFINITY"
    }
    names = (str(node.attrib["uname"]) for node in root.iterfind("configuration/nodes/node"))
    return tuple(name for name in names if name not in banned)


def _meta(element: etree._Element, name: str) -> str | None:
    pair = element.find(f"meta_attributes/nvpair[@name='{name}']")
    return None if pair is None else pair.get("value")


def milliseconds(text: str) -> int:
    """Read a time in Pacemaker's notation; a bare number counts seconds."""
    found = re.fullmatch(r"(\d+)\s*([a-z]*)", text.strip())
    if found is None or found[2] not in _UNITS_MS:
        raise ValueError(f"not a time: {text}")
    return int(found[1]) * _UNITS_MS[found[2]]


def _resource_history(primitive: Primitive, *, running: bool, failed: bool, promoted: bool) -> str:
    attributes = "".join(f' {name}="{value}"' for name, value in primitive.attributes)
    if not running:
        operations = _operation(
            primitive, "last_0", "monitor", 0, NOT_RUNNING, 1, parameters_digest(primitive)
        )
    else:
        last = "promote" if promoted else "start"
        operations = _operation(primitive, "last_0", last, 0, OK, 2, parameters_digest(primitive))
        for call, monitor in enumerate(primitive.monitors, start=3):
            if monitor.role and (monitor.role in PROMOTED) != promoted:
                continue
            well = RUNNING_PROMOTED if promoted else OK
            digest = parameters_digest(primitive, monitor.timeout_ms, monitor.parameters)
            identity = f"monitor_{monitor.interval_ms}"
            if failed:
                operations += _operation(
                    primitive, "last_failure_0", "monitor", monitor.interval_ms, FAILED, call + 1, digest
                )
            operations += _operation(primitive, identity, "monitor", monitor.interval_ms, well, call, digest)
    return f'<lrm_resource id="{primitive.name}"{attributes}>{operations}</lrm_resource>'


def _operation(
    primitive: Primitive, identity: str, task: str, interval_ms: int, code: int, call: int, digest: str
) -> str:
    expected = code if code in (NOT_RUNNING, RUNNING_PROMOTED) else OK
    transition = f"{call}:1:{expected}:{_UUID}"
    changed = EPOCH - (FAILED_BEFORE_S if code == FAILED else 60 * FAILED_BEFORE_S)
    return (
        f'<lrm_rsc_op id="{primitive.name}_{identity}" operation_key="{primitive.name}_{task}_{interval_ms}"'
        f' operation="{task}" crm_feature_set="3.15.0" transition-key="{transition}"'
        f' transition-magic="0:{code};{transition}" call-id="{call}" rc-code="{code}" op-status="0"'
        f' interval="{interval_ms}" last-rc-change="{changed}" op-digest="{digest}"/>'
    )


def parameters_digest(
    primitive: Primitive, timeout_ms: int | None = None, more: tuple[tuple[str, str], ...] = ()
) -> str:
    """The digest by which Pacemaker tells that a running resource's definition is still the one it was started with.

    MD5 over the sorted parameters as one XML element; a recurring operation's timeout belongs to them.
    """
    pairs = dict(primitive.parameters + more)
    if timeout_ms is not None:
        pairs["CRM_meta_timeout"] = str(timeout_ms)
    entities = {'"': "&quot;", "'": "&apos;"}
    attributes = "".join(f' {name}="{escape(value, entities)}"' for name, value in sorted(pairs.items()))
    text = f" <parameters{attributes}/>\n"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
