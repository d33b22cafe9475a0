# SPDX-License-Identifier: Apache-2.0
"""Resources that leave the configuration: stopped while the cluster still knows in which order, and removed afterwards.

A resource that is removed while it runs is stopped as an orphan, without its constraints: DRBD below a mounted filesystem
cannot be, and a stop that fails is answered with fencing.
"""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ElementTree


def leaving(live: ElementTree.Element, new: ElementTree.Element) -> tuple[set[str], list[str]]:
    """Primitives that leave, and what to stop for that: the outermost elements that leave with all that they hold.

    Fence devices are no services; Pacemaker needs no order for them.
    """
    staying = {each.get("id") for each in new.iterfind("configuration/resources//primitive")}
    gone = {
        each.get("id", "")
        for each in live.iterfind("configuration/resources//primitive")
        if each.get("id") not in staying and each.get("class") != "stonith"
    }
    resources = live.find("configuration/resources")
    return gone, [] if resources is None else list(_outermost(resources, gone))


def _outermost(parent: ElementTree.Element, gone: set[str]):
    for each in parent:
        held = {primitive.get("id") for primitive in each.iter("primitive")}
        if held and held <= gone:
            yield each.get("id", "")
        elif held & gone:
            yield from _outermost(each, gone)


def stopped_first(live: ElementTree.Element, names: list[str]) -> ElementTree.Element:
    """The live configuration, with these told to stop."""
    new = copy.deepcopy(live)
    for each in new.iterfind("configuration/resources//*[@id]"):
        if each.get("id") in names:
            _set_stopped(each)
    return new


def _set_stopped(resource: ElementTree.Element) -> None:
    name = resource.get("id", "")
    attributes = resource.find("meta_attributes")
    if attributes is None:
        attributes = ElementTree.Element("meta_attributes", {"id": f"{name}-leaving"})
        resource.insert(0, attributes)
    pair = attributes.find("nvpair[@name='target-role']")
    if pair is None:
        pair = ElementTree.SubElement(
            attributes, "nvpair", {"id": f"{name}-leaving-target-role", "name": "target-role"}
        )
    pair.set("value", "Stopped")


def active(crm_mon: str, names: set[str]) -> list[str]:
    """Which of these run somewhere, with where."""
    found = {}
    for resource in ElementTree.fromstring(crm_mon).iterfind("./resources//resource"):
        name = resource.get("id", "").partition(":")[0]
        if name in names and resource.get("active") == "true" and resource.get("role") != "Stopped":
            nodes = (node.get("name", "") for node in resource.iterfind("node"))
            found.setdefault(name, set()).update(nodes)
    return [f"{name} on {', '.join(sorted(hosts))}" for name, hosts in sorted(found.items())]
