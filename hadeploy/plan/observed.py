"""What was seen on the members, typed: the parsers of the daemons' own reports."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from hadeploy.observe.facts import HostFacts
from hadeploy.observe.report import parse_report, read_facts
from hadeploy.plan.replication import CopyView, parse_drbd


@dataclass(frozen=True, slots=True)
class FenceEvent:
    """One line of Pacemaker's fencing history."""

    target: str
    action: str
    status: str
    origin: str
    completed: str


@dataclass(frozen=True, slots=True)
class ClusterView:
    """The cluster as one member's crm_mon tells it.

    Attributes:
        dc: the designated controller, empty when there is none.
        quorate: whether this partition has quorum.
        nodes: node -> ``online``, ``offline``, ``standby``, ``maintenance``, ``pending`` or ``unclean``.
        resources: resource -> (node, state); node empty when it runs nowhere.
        failures: resource -> the reason of its last failed operation.
        fencing: newest first.
        fencing_enabled: the cluster property.
        attributes: node -> attributes, by which agents tell what they see.
    """

    dc: str = ""
    quorate: bool = False
    nodes: Mapping[str, str] = field(default_factory=dict)
    resources: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    fencing: tuple[FenceEvent, ...] = ()
    fencing_enabled: bool = False
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceView:
    """The quorum device as one member sees it.

    Attributes:
        state: of the connection, in corosync-qdevice-tool's words (``Connected`` ...); empty where it does not run.
        tls: whether the connection is encrypted.
        votes: what the device gives to this member's side.
    """

    state: str = ""
    tls: bool = False
    votes: int = 0


@dataclass(frozen=True, slots=True)
class HostView:
    """One member as it was seen over SSH.

    Attributes:
        host: member name.
        error: why it could not be asked; empty when it answered.
        addresses: addresses on its interfaces, without prefix length.
        facts: the host itself, apart from its daemons.
        units: unit -> ``active``, ``inactive``, ``failed`` ...
        cluster: what its crm_mon says, None where Pacemaker does not run.
        servers: (backend, server) -> HAProxy's state of it (``UP``, ``DOWN`` ...).
        pending: what an interrupted apply left to do.
        device: the quorum device as it sees it, None where it was not asked.
        copies: minor number -> replicated volume as DRBD sees it here.
        kept_wal: directories of WAL that was kept before an instance followed another.
    """

    host: str
    error: str = ""
    addresses: frozenset[str] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict)
    cluster: ClusterView | None = None
    servers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    device: DeviceView | None = None
    copies: Mapping[int, CopyView] = field(default_factory=dict)
    kept_wal: tuple[str, ...] = ()
    facts: HostFacts = field(default_factory=HostFacts)


def parse_host(host: str, text: str, asked_at: float | None = None, told_at: float | None = None) -> HostView:
    """Read what the probe printed on a member; see :func:`hadeploy.observe.report.read_facts` for the times."""
    report = parse_report(text)
    if report is None:
        return HostView(host, error="its answer is not understood")
    facts = read_facts(report, asked_at, told_at)
    crm_mon = report.get("crm_mon", "")
    return HostView(
        host=host,
        addresses=facts.addresses,
        units=dict(report.get("units", {})),
        cluster=parse_crm_mon(crm_mon) if crm_mon else None,
        servers=parse_haproxy_statistics(report.get("haproxy", "")),
        pending=tuple(report.get("pending", ())),
        device=parse_device(**report["device"]) if report.get("device") else None,
        copies=parse_drbd(**report["drbd"]) if report.get("drbd") else {},
        kept_wal=tuple(report.get("kept_wal", ())),
        facts=facts,
    )


def parse_device(quorum: str, connection: str) -> DeviceView:
    """Read ``corosync-quorumtool -s`` and ``corosync-qdevice-tool -s -v``.

    The device's row has the votes that it counts for here (``0 Qdevice (votes 1)`` where it is lost), and a member's own row
    says whether it has them: alive (A), voting (V); the half that the arbiter did not choose has ``NV``.
    """
    row = re.search(r"^\s*0\s+(\d+)\s+Qdevice\s*$", quorum, re.MULTILINE)
    own = re.search(r"^\s*\d+\s+\d+\s+([A-Z,]+)\s+\S+ \(local\)", quorum, re.MULTILINE)
    casts = own is not None and own[1].split(",")[:2] == ["A", "V"]
    state = re.search(r"^State:\s+(.+?)\s*$", connection, re.MULTILINE)
    tls = re.search(r"^TLS active:\s+Yes", connection, re.MULTILINE)
    return DeviceView(
        state=state[1] if state else "",
        tls=tls is not None,
        votes=int(row[1]) if row and casts else 0,
    )


def parse_crm_mon(xml: str) -> ClusterView | None:
    """Read ``crm_mon --output-as=xml``; None when it is not that (Pacemaker is not up)."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError:
        return None
    dc = root.find("./summary/current_dc")
    options = root.find("./summary/cluster_options")
    if dc is None:
        return None
    return ClusterView(
        dc=dc.get("name", ""),
        quorate=dc.get("with_quorum") == "true",
        nodes={node.get("name", ""): _node_state(node) for node in root.iterfind("./nodes/node")},
        resources={
            resource.get("id", ""): _resource_state(resource)
            for resource in root.iterfind("./resources//resource")
        },
        failures={
            _resource_of(failure.get("op_key", "")): (
                failure.get("exitreason") or failure.get("exitstatus") or ""
            )
            for failure in root.iterfind("./failures/failure")
        },
        fencing=tuple(
            FenceEvent(
                event.get("target", ""),
                event.get("action", ""),
                event.get("status", ""),
                event.get("origin", ""),
                event.get("completed", ""),
            )
            for event in root.iterfind("./fence_history/fence_event")
        ),
        fencing_enabled=options is not None and options.get("stonith-enabled") == "true",
        attributes={
            node.get("name", ""): {
                attribute.get("name", ""): attribute.get("value", "")
                for attribute in node.iterfind("attribute")
            }
            for node in root.iterfind("./node_attributes/node")
        },
    )


def _resource_of(op_key: str) -> str:
    return op_key.rsplit("_", 2)[0]


def _node_state(node: etree._Element) -> str:
    for state in ("unclean", "pending", "maintenance", "standby"):
        if node.get(state) == "true":
            return state
    return "online" if node.get("online") == "true" else "offline"


def _resource_state(resource: etree._Element) -> tuple[str, str]:
    node = resource.find("./node")
    if resource.get("failed") == "true":
        state = "failed"
    elif resource.get("active") == "true":
        state = resource.get("role", "Started")
    else:
        state = "Stopped"
    return (node.get("name", "") if node is not None else ""), state


def parse_haproxy_statistics(text: str) -> dict[tuple[str, str], str]:
    """Read ``show stat`` of HAProxy's socket: the servers only, not the summary rows."""
    if not text.startswith("# "):
        return {}
    rows = csv.DictReader(io.StringIO(text[2:]))
    return {
        (row["pxname"], row["svname"]): row["status"].split(" ")[0]
        for row in rows
        if row["svname"] not in ("FRONTEND", "BACKEND") and row["check_status"]
    }
