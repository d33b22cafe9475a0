# SPDX-License-Identifier: Apache-2.0
"""What C(crm_mon --output-as=xml) says of the cluster."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

REFUSALS = ("2", "3", "4", "5", "6")
"""An agent's exit codes for: this cannot work here (arguments, unimplemented, permissions, not installed, not configured)."""


def lacking(text: str, members: list[str]) -> str:
    """What C(crm_mon --output-as=xml) says is not there yet; empty when all is."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return "Pacemaker does not answer"
    dc = root.find("./summary/current_dc")
    if dc is None or dc.get("present") != "true":
        return "Pacemaker has no controller yet"
    if dc.get("with_quorum") != "true":
        return "Pacemaker has no quorum"
    online = {
        node.get("name")
        for node in root.iterfind("./nodes/node")
        if node.get("online") == "true" and node.get("pending") != "true"
    }
    missing = [member for member in members if member not in online]
    return f"Pacemaker does not see {', '.join(missing)} online" if missing else ""


def unwell(crm_mon: str, resources: set[str]) -> list[str]:
    """Resources of ours that failed, with the agent's reason."""
    root = ElementTree.fromstring(crm_mon)
    reasons = {
        failure.get("op_key", "").rsplit("_", 2)[0]: failure.get("exitreason")
        or failure.get("exitstatus", "")
        for failure in root.iterfind("./failures/failure")
    }
    found = []
    for resource in root.iterfind("./resources//resource"):
        name = resource.get("id", "").partition(":")[0]
        stopped = resource.get("active") == "false" and name in reasons
        if name in resources and (resource.get("failed") == "true" or stopped):
            found.append(f"{name} failed: {reasons.get(name) or 'no reason given'}")
    return sorted(set(found))


def refused(crm_mon: str, resources: set[str]) -> dict[str, str]:
    """Resources of ours that run nowhere because their agent refuses, with its word: Pacemaker counts that as no failure.

    It asks no second time either, whatever was installed or put right since, unless it is told to.
    """
    root = ElementTree.fromstring(crm_mon)
    words = {
        history.get("id", ""): operation.get("rc_text", "")
        for history in root.iterfind("./node_history/node/resource_history")
        for operation in history.iterfind("operation_history")
        if operation.get("rc") in REFUSALS
    }
    stopped = {
        resource.get("id", "").partition(":")[0]
        for resource in root.iterfind("./resources//resource")
        if resource.get("active") == "false"
    }
    return {name: words[name] for name in sorted(stopped & words.keys() & resources)}


def failed_devices(crm_mon: str, resources: set[str]) -> dict[str, bool]:
    """Fence devices of ours that have failed, and whether Pacemaker has given each up.

    Where a failed start is not fatal (C(start-failure-is-fatal)) it tries one again and again; else only once it is told to.
    """
    root = ElementTree.fromstring(crm_mon)
    counted = {
        history.get("id", "")
        for history in root.iterfind("./node_history/node/resource_history")
        if history.get("fail-count", "0") != "0"
    }
    found = {}
    for resource in root.iterfind("./resources//resource"):
        name, stopped = resource.get("id", ""), resource.get("active") == "false"
        if name not in resources or not resource.get("resource_agent", "").startswith("stonith:"):
            continue
        if resource.get("failed") == "true" or (stopped and name in counted):
            found[name] = stopped
    return found


def only_pending(words: str, resources: set[str]) -> bool:
    """Whether all that C(crm_resource --wait) still waits for are operations of these resources."""
    operations = re.findall(r"^\s*Action \d+: (\S+)_[a-z]+_\d+\s", words, re.MULTILINE)
    return bool(operations) and set(operations) <= resources


def strangers(crm_mon: str, members: list[str]) -> list[str]:
    """Who is online in the cluster and no member of the topology."""
    root = ElementTree.fromstring(crm_mon)
    online = (node for node in root.iterfind("./nodes/node") if node.get("online") == "true")
    return sorted(name for node in online if (name := node.get("name", "")) not in members)
