#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Bring the live CIB to the compiled one, in one transaction, keeping what is not ours."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_cib
short_description: Verify and apply Pacemaker's configuration as one patch
description:
  - Compares the compiled CIB with the live one and sends the difference as one patch.
  - Keeps what Pacemaker writes itself (dc-version and its like) and what operators decide at run time (standby and
    maintenance of nodes, maintenance-mode, constraints left by C(crm_resource --move) and C(--ban)); the latter is
    reported as RV(drift). So are the constraints by which DRBD keeps an outdated copy from being promoted.
  - Stores the inverse patch under C(/var/lib/hadeploy/cib-rollback).
  - The action plugin of the same name reads the CIB from the project and resolves its secrets.
version_added: 0.1.0
options:
  state:
    description:
      - C(observed) compares.
      - C(verified) runs Pacemaker's own checks on the compiled CIB; no cluster need run.
      - C(present) applies the difference and waits until the cluster is settled.
    type: str
    choices: [observed, verified, present]
    required: true
  xml:
    description: The compiled CIB, with placeholders of secrets.
    type: str
    default: ""
  secrets:
    description: Values of the placeholders.
    type: dict
    default: {}
  checks:
    description: Programs that must find the compiled CIB valid.
    type: list
    elements: dict
    default: []
  members:
    description: All members; each must be online before anything is applied.
    type: list
    elements: str
    default: []
  timeout:
    description: How long the cluster may take to settle, in seconds.
    type: int
    default: 180
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    description: The difference of both XML texts, with secrets masked.
author:
  - hadeploy contributors
"""

EXAMPLES = r"""
- name: Apply the CIB
  hadeploy_cib:
    state: present
"""

RETURN = r"""
pending:
  description: Whether the live CIB differs, a resource is refused by its agent, or Pacemaker does not run.
  type: bool
  returned: state is observed
drift:
  description: What operators decided at run time, kept as it is.
  type: list
  elements: str
  returned: state is observed or present
told:
  description: Resources that their agent had refused and is asked about again.
  type: list
  elements: str
  returned: state is present
rollback:
  description: Where the inverse patch is.
  type: str
  returned: when something was applied
"""

import copy
import os
import re
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

from ansible.module_utils.basic import AnsibleModule

ONLINE_SECONDS = 60
POLL_SECONDS = 0.2
ROLLBACK = "/var/lib/hadeploy/cib-rollback"
ROLLBACKS_KEPT = 20
ATTEMPTS = 4

PACEMAKER_OWNS = ("dc-version", "cluster-infrastructure", "cluster-name", "have-watchdog", "last-lrm-refresh")
OPERATOR_OWNS = ("maintenance-mode",)
OPERATOR_CONSTRAINTS = ("cli-ban-", "cli-prefer-", "cli-standby-")
DRBD_CONSTRAINTS = ("drbd-fence-by-handler-",)
"""Set by DRBD's fence-peer handler: without it a copy that missed writes could be promoted."""

SECRET_NAMES = "passw|secret|token|key|credential"
FALSE = ("false", "off", "no", "0", "")

REFUSALS = ("2", "3", "4", "5", "6")
"""An agent's exit codes for: this cannot work here (arguments, unimplemented, permissions, not installed, not configured)."""


def resolve(text: str, secrets: dict[str, str]) -> str:
    """Put values where placeholders stand, as XML attribute values."""
    for name, value in secrets.items():
        text = text.replace(
            f"@@hadeploy:{name}@@", escape(value, {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
        )
    return text


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
            _merge_constraints(section, ours, drift)
        elif ours is not None:
            section[:] = copy.deepcopy(list(ours))
        else:
            # An empty section is what Pacemaker leaves; it means the same as none.
            section[:] = []
    present = {section.tag for section in configuration}
    configuration.extend(copy.deepcopy(section) for section in wanted if section.tag not in present)
    if _schema(desired) > _schema(live):
        new.set("validate-with", desired.get("validate-with"))
    return new, drift


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


def _merge_constraints(
    section: ElementTree.Element, ours: ElementTree.Element | None, drift: list[str]
) -> None:
    fences = [item for item in section if item.get("id", "").startswith(DRBD_CONSTRAINTS)]
    drift += [
        f"the constraint {item.get('id')} keeps a copy of {item.get('rsc')} that missed writes from being promoted"
        " (it goes by itself once that copy is up to date)"
        for item in fences
    ]
    kept = [item for item in section if item.get("id", "").startswith(OPERATOR_CONSTRAINTS)]
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
        quoted = escape(value, {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
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


def is_error_free(check: dict, code: int, words: str) -> bool:
    """Whether a check's outcome means valid."""
    return code in check["accept"] and not any(
        re.search(pattern, words) for pattern in check["reject_output"]
    )


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


def absent_members(crm_mon: str, members: list[str]) -> list[str]:
    """Members that the cluster does not see online, or all where it has no quorum."""
    root = ElementTree.fromstring(crm_mon)
    dc = root.find("./summary/current_dc")
    if dc is None or dc.get("with_quorum") != "true":
        return list(members)
    online = {
        node.get("name")
        for node in root.iterfind("./nodes/node")
        if node.get("online") == "true" and node.get("pending") != "true"
    }
    return [member for member in members if member not in online]


def strangers(crm_mon: str, members: list[str]) -> list[str]:
    """Who is online in the cluster and no member of the topology."""
    root = ElementTree.fromstring(crm_mon)
    online = (node for node in root.iterfind("./nodes/node") if node.get("online") == "true")
    return sorted(name for node in online if (name := node.get("name", "")) not in members)


class Cib:
    """The live CIB and the tools around it."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.secrets = module.params["secrets"]
        self.placeholders = ElementTree.fromstring(module.params["xml"])
        self.desired = ElementTree.fromstring(resolve(module.params["xml"], self.secrets))
        self.ours = {element.get("id") for element in self.desired.iter("primitive")}

    def program(self, *argv: str) -> tuple[int, str, str]:
        """Run one of Pacemaker's tools; 127 where it is not installed."""
        path = self.module.get_bin_path(argv[0])
        if path is None:
            return 127, "", f"{argv[0]} is not installed"
        return self.module.run_command([path, *argv[1:]], environ_update={"LC_ALL": "C"})

    def query(self) -> ElementTree.Element | None:
        """The live CIB, or None where Pacemaker does not run."""
        code, out, _ = self.program("cibadmin", "--query")
        return ElementTree.fromstring(out) if code == 0 else None

    def difference(self, old: ElementTree.Element, new: ElementTree.Element) -> str:
        """Pacemaker's own patch from one to the other; empty where they are the same."""
        with tempfile.TemporaryDirectory(prefix="hadeploy-cib-", dir="/run") as folder:
            names = []
            for name, element in (("old", old), ("new", new)):
                names.append(os.path.join(folder, name))
                _write_private(names[-1], ElementTree.tostring(element, encoding="unicode"))
            code, out, err = self.program(
                "crm_diff", "--original", names[0], "--new", names[1], "--no-version"
            )
        if code not in (0, 1):
            self.fail(f"crm_diff failed: {err.strip()}")
        return out.strip()

    def diff(self, live: ElementTree.Element | None, new: ElementTree.Element) -> dict[str, str]:
        """Both configurations as a person may see them."""
        before = "" if live is None else canonical(live.find("configuration"))
        after = canonical(new.find("configuration"))
        before, after = (masked(text, self.secrets, self.placeholders) for text in (before, after))
        return {
            "before_header": "CIB (live)",
            "after_header": "CIB (compiled)",
            "before": before,
            "after": after,
        }

    def verify(self, element: ElementTree.Element) -> list[str]:
        """Checks that could not run, because their program is not installed yet."""
        missing = []
        with tempfile.TemporaryDirectory(prefix="hadeploy-cib-", dir="/run") as folder:
            staged = os.path.join(folder, "cib.xml")
            _write_private(staged, ElementTree.tostring(element, encoding="unicode"))
            for check in self.module.params["checks"]:
                argv = [part.replace("{staged}", staged) for part in check["argv"]]
                code, out, err = self.program(*argv)
                if code == 127 and self.module.check_mode:
                    missing.append(argv[0])
                    continue
                words = f"{out}\n{err}".replace(folder, "").strip()
                if not is_error_free(check, code, words):
                    self.fail(f"{argv[0]} refuses the CIB (exit {code}); nothing was changed.\n{words}")
        return missing

    def monitor(self) -> str:
        """What the cluster looks like now, as XML."""
        code, out, err = self.program("crm_mon", "--one-shot", "--output-as=xml", "--inactive")
        if code != 0:
            self.fail(f"crm_mon failed: {err.strip()}")
        return out

    def fail(self, message: str, **result: object) -> None:
        """End the task; no invocation, since it would repeat the CIB."""
        self.module.fail_json(msg=message, invocation={}, **result)


def _write_private(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def store_rollback(patch: str, epoch: str, directory: str = ROLLBACK) -> str:
    """Keep the inverse patch; the oldest ones go."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    base = path = os.path.join(directory, f"{stamp}-epoch-{epoch}")
    number = 1
    while os.path.exists(f"{path}.xml"):
        number += 1
        path = f"{base}-{number}"
    _write_private(f"{path}.xml", patch + "\n")
    kept = sorted(os.listdir(directory))
    for name in kept[:-ROLLBACKS_KEPT]:
        os.unlink(os.path.join(directory, name))
    return f"{path}.xml"


def observe(cib: Cib) -> dict:
    """Whether there is anything to apply."""
    live = cib.query()
    if live is None:
        return {"changed": False, "pending": True, "drift": []}
    others = strangers(cib.monitor(), cib.module.params["members"])
    if others:
        # Left out of the membership while it runs, it and the others would take each other for lost, and fence.
        cib.fail(
            f"{', '.join(others)} runs in this cluster, but is no member of the topology: take it out of service first "
            f"(there: systemctl disable --now pacemaker corosync), then apply again; nothing was changed"
        )
    new, drift = merge(live, cib.desired)
    pending = bool(cib.difference(live, new)) or bool(refused(cib.monitor(), cib.ours))
    return {"changed": False, "pending": pending, "drift": drift}


def verify(cib: Cib) -> dict:
    """Judge the compiled CIB before any daemon is touched; secrets stay placeholders."""
    return {"changed": False, "unchecked": cib.verify(cib.placeholders)}


def establish(cib: Cib) -> dict:
    """Apply the difference; where somebody else changed the CIB meanwhile, look again."""
    if not cib.module.check_mode:
        _await_members(cib)
    live = cib.query()
    if live is None:
        if not cib.module.check_mode:
            cib.fail("Pacemaker does not answer here: nothing was changed")
        return {"changed": True, "drift": [], "diff": cib.diff(None, cib.desired)}
    new, drift = merge(live, cib.desired)
    patch = cib.difference(live, new)
    again = refused(cib.monitor(), cib.ours)
    result = {
        "changed": bool(patch or again),
        "drift": drift,
        "told": [f"{name} probed again" for name in again],
    }
    if patch:
        result["diff"] = cib.diff(live, new)
        cib.verify(new)
    if cib.module.check_mode or not result["changed"]:
        return result
    if patch:
        result["rollback"] = _apply(cib, live, new, patch)
    for name in again:
        cib.program("crm_resource", "--cleanup", f"--resource={name}")
    _settle(cib, result)
    return result


def _await_members(cib: Cib) -> None:
    """Wait until all members are online: an apply that was interrupted may have started Pacemaker moments ago.

    Its first election takes dc-deadtime (20 s) where the members start at different times.
    """
    deadline = time.monotonic() + ONLINE_SECONDS
    while True:
        code, out, err = cib.program("crm_mon", "--one-shot", "--output-as=xml", "--inactive")
        absent = absent_members(out, cib.module.params["members"]) if code == 0 else []
        if code == 0 and not absent:
            return
        if time.monotonic() > deadline:
            why = (
                f"{', '.join(absent)} not online, or no quorum"
                if absent
                else f"Pacemaker does not answer here: {err.strip()}"
            )
            cib.fail(f"the CIB is not applied: {why}, after {ONLINE_SECONDS} s; nothing was changed")
        time.sleep(POLL_SECONDS)


def _apply(cib: Cib, live: ElementTree.Element, new: ElementTree.Element, patch: str) -> str:
    rollback = store_rollback(cib.difference(new, live), live.get("epoch", "0"))
    words = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(0.5 * attempt)
            live = cib.query() or live
            new, _ = merge(live, cib.desired)
            patch = cib.difference(live, new)
            if not patch:
                return rollback
        with tempfile.TemporaryDirectory(prefix="hadeploy-cib-", dir="/run") as folder:
            path = os.path.join(folder, "patch.xml")
            _write_private(path, patch)
            code, out, err = cib.program("cibadmin", "--patch", "--sync-call", "--xml-file", path)
        words = f"{out}\n{err}".strip()
        if code != 0:
            continue
        after = cib.query()
        if after is not None and not cib.difference(after, merge(after, cib.desired)[0]):
            return rollback
    cib.fail(
        f"the CIB could not be applied in {ATTEMPTS} attempts: {words or 'it changes again after each patch'}"
    )
    return rollback


def patience(desired: ElementTree.Element, least: int) -> int:
    """Seconds until a cluster that does not settle is given up: not before its longest operation would be."""
    units = {"ms": 0.001, "s": 1, "": 1, "min": 60, "h": 3600}
    found = (re.fullmatch(r"(\d+)([a-z]*)", operation.get("timeout", "")) for operation in desired.iter("op"))
    longest = max((int(each.group(1)) * units.get(each.group(2), 1) for each in found if each), default=0)
    return max(least, int(longest) + 60)


def _settle(cib: Cib, result: dict) -> None:
    timeout = patience(cib.desired, cib.module.params["timeout"])
    code, out, err = cib.program("crm_resource", "--wait", f"--timeout={timeout}")
    if code != 0:
        cib.fail(
            f"the CIB is applied, but the cluster is not settled after {timeout} s:\n{out.strip()}\n{err.strip()}",
            **result,
        )
    seen = cib.monitor()
    failed = unwell(seen, cib.ours) + [f"{name}: {word}" for name, word in refused(seen, cib.ours).items()]
    if failed:
        cib.fail("\n".join(["the CIB is applied, but:", *failed]), **result)


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["observed", "verified", "present"], "required": True},
            "xml": {"type": "str", "default": ""},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "checks": {"type": "list", "elements": "dict", "default": []},
            "members": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 180},
        },
        supports_check_mode=True,
    )
    act = {"observed": observe, "verified": verify, "present": establish}[module.params["state"]]
    result = act(Cib(module))
    for decision in result.get("drift", ()):
        module.warn(f"kept as it is: {decision}")
    module.exit_json(invocation={"module_args": {"state": module.params["state"]}}, **result)


if __name__ == "__main__":
    main()
