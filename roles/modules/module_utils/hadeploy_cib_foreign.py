# SPDX-License-Identifier: Apache-2.0
"""What of a live CIB is neither the topology's nor was: it stays, and is named. Where both cannot be, a person decides.

What hadeploy wrote is remembered on the members. Of a cluster that an earlier version set up, its inverse patches say what
was added (Pacemaker Explained, CIB patches: to undo an addition is to delete it).
"""

from __future__ import annotations

import copy
import json
import os
import re
import tempfile
import xml.etree.ElementTree as ElementTree

from ansible.module_utils.hadeploy_cib_merge import (
    DRBD_CONSTRAINTS,
    OPERATOR_CONSTRAINTS,
    OPERATOR_OWNS,
    PACEMAKER_OWNS,
    canonical,
)
from ansible.module_utils.hadeploy_owned import load_owned
from ansible.module_utils.hadeploy_pending import memory_file, sync_directory
from ansible.module_utils.hadeploy_shown import difference

MEMORY = "cib-owned.json"
MEMBERSHIP = "/etc/corosync/corosync.conf"
"""A host whose memory has this file is a member of a cluster of hadeploy."""

OBJECTS = ("resources", "constraints", "fencing-topology", "tags", "acls", "alerts")
SETS = ("crm_config", "rsc_defaults", "op_defaults")
RESOURCES = ("primitive", "group", "clone", "master", "bundle", "template")
OPERATORS_META = ("target-role", "is-managed", "maintenance")
"""What an operator says of a resource at run time (pcs resource disable, unmanage), where the topology says nothing."""

UNDONE = "-leaving-target-role"
"""Ends the id of what hadeploy itself says of a resource before it removes it."""

NOT_SAID = {"target-role": "started", "is-managed": "true", "maintenance": "false"}


def load() -> set[str] | None:
    """What hadeploy wrote, as keys; None where nothing is remembered."""
    try:
        with open(memory_file(MEMORY), encoding="utf-8") as stream:
            return set(json.load(stream)["objects"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(keys: set[str]) -> None:
    """Replace the memory in one step, on disk before this returns."""
    path = memory_file(MEMORY)
    directory = os.path.dirname(path)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    descriptor, fresh = tempfile.mkstemp(prefix=".cib-owned-", dir=directory)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump({"version": 1, "objects": sorted(keys)}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(fresh, path)
    sync_directory(directory)


def keys_of(cib: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """Every object and setting of a configuration by its key, C(section/id) or C(section/name)."""
    found: dict[str, ElementTree.Element] = {}
    for section in cib.find("configuration"):
        if section.tag == "resources":
            found |= {f"resources/{each.get('id')}": each for each in section.iter() if each.tag in RESOURCES}
        elif section.tag in OBJECTS:
            found |= {f"{section.tag}/{each.get('id')}": each for each in section}
        elif section.tag in SETS:
            found |= {f"{section.tag}/#{each.get('id')}": each for each in section}
            found |= {f"{section.tag}/{each.get('name')}": each for each in section.iter("nvpair")}
    return found


def owned_keys(live: ElementTree.Element, desired: ElementTree.Element, rollbacks: str) -> set[str]:
    """What is hadeploy's: as remembered, else as inverse patches of an earlier version tell; nothing in a foreign cluster."""
    remembered = load()
    if remembered is not None:
        return remembered
    if MEMBERSHIP not in load_owned()["files"]:
        return set()
    ids = _added(rollbacks)
    return {*keys_of(desired), *(key for key, each in keys_of(live).items() if each.get("id") in ids)}


def _added(folder: str) -> set[str]:
    """Ids of what patches added, as far as their inverses are kept."""
    found: set[str] = set()
    try:
        names = os.listdir(folder)
    except OSError:
        return found
    for name in names:
        try:
            patch = ElementTree.parse(os.path.join(folder, name)).getroot()
        except (OSError, ElementTree.ParseError):
            continue
        for change in patch.iter("change"):
            if change.get("operation") == "delete":
                found |= set(re.findall(r"@id='([^']*)'\]$", change.get("path", "")))
    return found


def with_foreign(
    live: ElementTree.Element, desired: ElementTree.Element, owned: set[str]
) -> tuple[ElementTree.Element, list[str]]:
    """The compiled configuration together with what is a person's own in the live one, and sentences about it."""
    new, notes = copy.deepcopy(desired), []
    wanted = keys_of(desired)
    ids = {each.get("id") for each in desired.iter() if each.get("id")}
    configuration = new.find("configuration")
    for section in live.find("configuration"):
        if section.tag in OBJECTS:
            kept = [each for each in section if _stays(section.tag, each, wanted, owned, ids)]
            if kept:
                _insert(_section(configuration, section.tag), section, kept)
            notes += [_named(each) for each in kept]
        elif section.tag in SETS:
            notes += _keep_settings(section, configuration, wanted, owned)
    _drop_dangling(new, notes)
    return new, notes + _keep_decisions(live, new)


def _stays(
    tag: str,
    each: ElementTree.Element,
    wanted: dict[str, ElementTree.Element],
    owned: set[str],
    ids: set[str | None],
) -> bool:
    """Whether it is a person's own; not where something in it is the topology's, which can be in one place alone."""
    key = f"{tag}/{each.get('id')}"
    if key in wanted or key in owned:
        return False
    if tag == "constraints" and each.get("id", "").startswith((*OPERATOR_CONSTRAINTS, *DRBD_CONSTRAINTS)):
        return False
    return not ids & {
        inner.get("id") for inner in each.iter() if inner.tag not in ("resource_ref", "obj_ref", "role")
    }


def _section(configuration: ElementTree.Element, tag: str) -> ElementTree.Element:
    found = configuration.find(tag)
    return ElementTree.SubElement(configuration, tag) if found is None else found


def _insert(target: ElementTree.Element, live: ElementTree.Element, kept: list[ElementTree.Element]) -> None:
    """Where they are in the live section: after what is before them there."""
    order = [each.get("id") for each in live]
    for each in kept:
        before = set(order[: order.index(each.get("id"))])
        places = [number for number, item in enumerate(target) if item.get("id") in before]
        target.insert(places[-1] + 1 if places else 0, copy.deepcopy(each))


def _keep_settings(
    section: ElementTree.Element,
    configuration: ElementTree.Element,
    wanted: dict[str, ElementTree.Element],
    owned: set[str],
) -> list[str]:
    notes = []
    for existing in section:
        known = f"{section.tag}/#{existing.get('id')}" in {*wanted, *owned}
        pairs = [
            pair
            for pair in existing.iter("nvpair")
            if not {f"{section.tag}/{pair.get('name')}"} & {*wanted, *owned}
            and not (section.tag == "crm_config" and pair.get("name") in (*PACEMAKER_OWNS, *OPERATOR_OWNS))
        ]
        whole = not known and section.tag != "crm_config"
        if not pairs and not whole:
            continue
        target = _section(configuration, section.tag)
        ours = next((each for each in target if each.get("id") == existing.get("id")), None)
        if whole and ours is None:
            target.append(copy.deepcopy(existing))
            pairs = list(existing.iter("nvpair"))
        else:
            if ours is None:
                ours = ElementTree.SubElement(target, existing.tag, dict(existing.attrib))
            ours.extend(copy.deepcopy(pair) for pair in pairs)
        notes += [f"{section.tag}: {pair.get('name')} is not hadeploy's, and is kept" for pair in pairs]
    return notes


def _named(each: ElementTree.Element) -> str:
    return f"{each.tag} {each.get('id')} in the cluster's configuration is not hadeploy's, and is kept"


def _drop_dangling(new: ElementTree.Element, notes: list[str]) -> None:
    """What names a resource that is no more: the schema would refuse all of the configuration for it."""
    known = {each.get("id") for each in new.iterfind("configuration/resources//*[@id]")}
    tags = {each.get("id") for each in new.iterfind("configuration/tags/tag")}
    constraints = new.find("configuration/constraints")
    for each in list(constraints) if constraints is not None else []:
        named = {each.get(key) for key in ("rsc", "with-rsc", "first", "then")}
        named |= {inner.get("id") for inner in each.iter("resource_ref")}
        missing = sorted(named - {None} - known - tags)
        if missing and _named(each) in notes:
            constraints.remove(each)
            notes[notes.index(_named(each))] = (
                f"{each.tag} {each.get('id')} is not hadeploy's, and goes with {', '.join(missing)}, which it names"
            )
    everything = {each.get("id") for each in new.iter() if each.tag != "obj_ref"}
    for tag in list(new.iterfind("configuration/tags/tag")):
        for reference in [inner for inner in tag if inner.get("id") not in everything]:
            tag.remove(reference)
        if not len(tag):
            new.find("configuration/tags").remove(tag)


def _keep_decisions(live: ElementTree.Element, new: ElementTree.Element) -> list[str]:
    """A resource that an operator stopped or took out of the cluster's hands is not started by an apply of something else."""
    notes = []
    before = {
        each.get("id"): each for each in live.find("configuration/resources") or () for each in each.iter()
    }
    for each in (
        list(new.find("configuration/resources").iter())
        if new.find("configuration/resources") is not None
        else []
    ):
        if each.tag not in RESOURCES or each.get("id") not in before:
            continue
        said = {pair.get("name") for pair in each.iterfind("meta_attributes/nvpair")}
        for attributes in before[each.get("id")].findall("meta_attributes"):
            for pair in attributes.findall("nvpair"):
                name, value = pair.get("name", ""), pair.get("value", "")
                if name not in OPERATORS_META or name in said or pair.get("id", "").endswith(UNDONE):
                    continue
                _add_meta(each, before[each.get("id")], attributes).append(copy.deepcopy(pair))
                if value.lower() != NOT_SAID[name]:
                    notes.append(
                        f"{each.get('id')} has {name}={value}, as somebody set it at run time, and keeps it (undo it:"
                        f" crm_resource --resource {each.get('id')} --meta --delete-parameter {name})"
                    )
    return notes


def _add_meta(
    each: ElementTree.Element, before: ElementTree.Element, attributes: ElementTree.Element
) -> ElementTree.Element:
    """The set of the live resource that an operator's word is in, at its place there."""
    ours = next(
        (item for item in each.findall("meta_attributes") if item.get("id") == attributes.get("id")), None
    )
    if ours is None:
        ours = ElementTree.Element("meta_attributes", dict(attributes.attrib))
        earlier = {item.get("id") for item in list(before)[: list(before).index(attributes)]}
        places = [number for number, item in enumerate(each) if item.get("id") in earlier]
        each.insert(places[-1] + 1 if places else 0, ours)
    return ours


def claims(live: ElementTree.Element, desired: ElementTree.Element, owned: set[str]) -> dict[str, list[str]]:
    """What of a person's own would be replaced or removed: by name, as a person is asked about it."""
    found: dict[str, list[str]] = {}
    there, wanted = keys_of(live), keys_of(desired)
    inside = {
        each.get("id"): top for top in live.find("configuration/resources") or () for each in top.iter()
    }
    ids = {each.get("id") for each in desired.iter() if each.get("id")}
    for key, each in there.items():
        section, _, name = key.partition("/")
        if key in owned or name.startswith("#") or name in PACEMAKER_OWNS or name in OPERATOR_OWNS:
            continue
        if key in wanted:
            before, after = canonical(each), canonical(wanted[key])
            same = each.get("value") == wanted[key].get("value") if each.tag == "nvpair" else before == after
            if not same:
                found[name] = difference(before, after, (f"{key} (there now)", f"{key} (of the topology)"))
        elif section == "resources":
            top = inside.get(each.get("id"))
            if top is not None and not _stays(section, top, wanted, owned, ids):
                found[name] = [f"{each.tag} {name} is in {top.get('id')}, and would be stopped and removed"]
    return found
