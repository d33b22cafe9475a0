# SPDX-License-Identifier: Apache-2.0
"""The compiled configuration in the live CIB: what is ours is as compiled, what Pacemaker, agents and operators own stays."""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

from ansible.module_utils.hadeploy_secret import put

PACEMAKER_OWNS = ("dc-version", "cluster-infrastructure", "cluster-name", "have-watchdog", "last-lrm-refresh")
OPERATOR_OWNS = ("maintenance-mode",)
OPERATOR_CONSTRAINTS = ("cli-ban-", "cli-prefer-", "cli-standby-")
DRBD_CONSTRAINTS = ("drbd-fence-by-handler-",)
"""Set by DRBD's fence-peer handler: without it a copy that missed writes could be promoted."""
SECRET_NAMES = "passw|secret|token|key|credential"
MOUNT = "Filesystem"
ON_ERRORS = "errors=remount-ro"
QUOTED = {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}
FALSE = ("false", "off", "no", "0", "")


def resolve(text: str, secrets: dict[str, str]) -> str:
    """Put values where placeholders stand, as XML attribute values."""
    return put(text, secrets, lambda value: escape(value, QUOTED))


def merge(live: ElementTree.Element, desired: ElementTree.Element) -> tuple[ElementTree.Element, list[str]]:
    """The live CIB with the compiled configuration in it, and what of the operators was kept."""
    new = copy.deepcopy(live)
    drift: list[str] = []
    wanted = desired.find("configuration")
    configuration = new.find("configuration")
    for section in list(configuration):
        ours = wanted.find(section.tag)
        if section.tag == "crm_config":
            _merge_properties(section, ours, drift)
        elif section.tag == "nodes":
            _merge_nodes(section, ours, drift, agents_attributes(desired))
        elif section.tag == "constraints":
            _merge_constraints(section, ours, drift, _resources(desired))
        elif ours is not None:
            wished = copy.deepcopy(ours)
            if section.tag == "resources":
                _keep_mounts(section, wished, drift)
            section[:] = list(wished)
        else:
            # An empty section is what Pacemaker leaves; it means the same as none.
            section[:] = []
    present = {section.tag for section in configuration}
    configuration.extend(copy.deepcopy(section) for section in wanted if section.tag not in present)
    if _schema(desired) > _schema(live):
        new.set("validate-with", desired.get("validate-with"))
    return new, drift


def _keep_mounts(live: ElementTree.Element, wished: ElementTree.Element, drift: list[str]) -> None:
    """A mount that an older version set up stays as it is, where only what it does on errors is new.

    A changed parameter is a restart of its whole service, which nobody asked for.
    """
    mounted = {each.get("id"): each for each in live.iter("primitive") if each.get("type") == MOUNT}
    for primitive in (each for each in wished.iter("primitive") if each.get("id") in mounted):
        attributes, pair = _option(primitive)
        before = _option(mounted[primitive.get("id")])[1]
        wish = (pair.get("value", "") if pair is not None else "").split(",")
        have = before.get("value", "").split(",") if before is not None else []
        if ON_ERRORS not in wish or [each for each in wish if each != ON_ERRORS] != have:
            continue
        if before is None:
            attributes.remove(pair)
        else:
            pair.set("value", before.get("value", ""))
        name = primitive.get("id")
        drift.append(
            f"{name} is mounted without {ON_ERRORS}, because a new option restarts its service (when that may be: crm_resource"
            f" --resource {name} --set-parameter options --parameter-value {','.join(wish)}; until then, on its node:"
            f" tune2fs -e remount-ro DEVICE, then mount -o remount,{ON_ERRORS} DIRECTORY)"
        )


def _option(
    primitive: ElementTree.Element,
) -> tuple[ElementTree.Element | None, ElementTree.Element | None]:
    """A mount's parameters, and the one that holds its options."""
    attributes = primitive.find("instance_attributes")
    pair = attributes.find("nvpair[@name='options']") if attributes is not None else None
    return attributes, pair


def _schema(cib: ElementTree.Element) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", cib.get("validate-with", "")))


def _merge_properties(
    section: ElementTree.Element, ours: ElementTree.Element | None, drift: list[str]
) -> None:
    """Sets in the order of the live one, so that Pacemaker's own order is not a difference."""
    wanted = {item.get("id"): item for item in (ours if ours is not None else ())}
    named = {pair.get("name") for item in wanted.values() for pair in item.iter("nvpair")}
    for existing in list(section):
        target = wanted.pop(existing.get("id"), None)
        pairs = {pair.get("name"): pair for pair in (target if target is not None else ())}
        kept = []
        for pair in existing:
            name = pair.get("name")
            if name in pairs:
                kept.append(_same_pair(pair, pairs.pop(name)))
            elif name in PACEMAKER_OWNS and name not in named:
                kept.append(pair)
            elif name in OPERATOR_OWNS and name not in named:
                kept.append(pair)
                if pair.get("value", "").lower() not in FALSE:
                    drift.append(f"the property {name} is {pair.get('value')}")
        existing[:] = [*kept, *(copy.deepcopy(pair) for pair in pairs.values())]
        if not len(existing):
            section.remove(existing)
    section.extend(copy.deepcopy(item) for item in wanted.values())


def _same_pair(live: ElementTree.Element, wanted: ElementTree.Element) -> ElementTree.Element:
    """An id says nothing: the live one stays, whoever chose it."""
    pair = copy.deepcopy(live)
    pair.set("value", wanted.get("value", ""))
    return pair


def agents_attributes(desired: ElementTree.Element) -> set[str]:
    """What an agent keeps of each member's data (ocf_heartbeat_pgsql(7)): no operator decided it."""
    return {
        f"{primitive.get('id')}-data-status"
        for primitive in desired.iter("primitive")
        if primitive.get("type") == "pgsql"
    }


def _merge_nodes(
    section: ElementTree.Element, ours: ElementTree.Element | None, drift: list[str], told: set[str]
) -> None:
    """Node ids and attributes set at run time stay; utilization is ours. Of those in ``told`` nothing is said."""
    wanted = {node.get("uname"): node for node in (ours if ours is not None else ())}
    for node in section:
        name = node.get("uname")
        if name not in wanted:
            drift.append(
                f"{name} is known to the cluster, but no member (forget it: crm_node --remove {name})"
            )
            continue
        drift += [
            f"{name} has the attribute {pair.get('name')}={pair.get('value')}"
            for pair in node.iterfind("instance_attributes/nvpair")
            if pair.get("value", "").lower() not in FALSE and pair.get("name") not in told
        ]
        for utilization in node.findall("utilization"):
            node.remove(utilization)
        node.extend(copy.deepcopy(list(wanted.pop(name))))
    section.extend(copy.deepcopy(node) for node in wanted.values())


def _resources(desired: ElementTree.Element) -> set[str]:
    """Ids that a constraint may name."""
    return {element.get("id", "") for element in desired.iterfind("configuration/resources//*[@id]")}


def _merge_constraints(
    section: ElementTree.Element, ours: ElementTree.Element | None, drift: list[str], resources: set[str]
) -> None:
    """What is kept of others goes with the resource that it is about: the schema refuses one that names nothing."""
    others = [item for item in section if item.get("rsc") is None or item.get("rsc") in resources]
    fences = [item for item in others if item.get("id", "").startswith(DRBD_CONSTRAINTS)]
    drift += [
        f"the constraint {item.get('id')} keeps a copy of {item.get('rsc')} that missed writes from being promoted"
        " (it goes by itself once that copy is up to date)"
        for item in fences
    ]
    kept = [item for item in others if item.get("id", "").startswith(OPERATOR_CONSTRAINTS)]
    drift += [
        f"the constraint {item.get('id')} was left by a move or ban of {item.get('rsc')}"
        f" (drop it: crm_resource --clear --resource {item.get('rsc')})"
        for item in kept
    ]
    known = {item.get("id"): item for item in (ours if ours is not None else ())}
    # In the order of the live section, new ones last: the order of constraints means nothing.
    order = [item.get("id") for item in section]
    items = [known.pop(identity) for identity in order if identity in known]
    section[:] = copy.deepcopy([*items, *known.values()]) + kept + fences


def canonical(element: ElementTree.Element) -> str:
    """Pretty text with sorted attributes, for comparison and for people."""
    found = copy.deepcopy(element)
    for each in found.iter():
        each.text = each.tail = None
        ordered = sorted(each.attrib.items())
        each.attrib.clear()
        each.attrib.update(ordered)
    ElementTree.indent(found)
    return ElementTree.tostring(found, encoding="unicode") + "\n"


def masked(text: str, secrets: dict[str, str], placeholders: ElementTree.Element) -> str:
    """Hide values of secrets, wherever they stand, and whatever the live CIB holds in the same attributes."""
    for value in sorted(secrets.values(), key=len, reverse=True):
        quoted = escape(value, QUOTED)
        if quoted:
            text = text.replace(f'"{quoted}"', '"(secret)"')
    secret_ids = {
        pair.get("id") for pair in placeholders.iter("nvpair") if "@@hadeploy:" in pair.get("value", "")
    }
    for identity in secret_ids:
        text = re.sub(
            rf'(<nvpair id="{re.escape(identity)}" name="[^"]*" value=)"[^"]*"', r'\1"(secret)"', text
        )
    # The live CIB may still hold a secret that the compiled one no longer names.
    return re.sub(
        rf'(<nvpair id="[^"]*" name="[^"]*(?:{SECRET_NAMES})[^"]*" value=)"[^"]*"', r'\1"(secret)"', text
    )
