#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Bring the live CIB to the compiled one, in one transaction, keeping what is not ours."""

from __future__ import annotations

DOCUMENTATION = r"""
module: hadeploy_cib
short_description: Verify and apply Pacemaker's configuration as one patch
description:
  - Compares the compiled CIB with the live one and sends the difference as one patch.
  - Keeps resources, constraints, properties, alerts, tags and ACLs that are not hadeploy's, and names them as RV(notes).
    Where one has the name of an object of the topology, the apply is refused until it is accepted.
  - Keeps what Pacemaker writes itself (dc-version and its like) and what operators decide at run time (standby and
    maintenance of nodes, maintenance-mode, constraints left by C(crm_resource --move) and C(--ban)); the latter is
    reported as RV(drift). So are the constraints by which DRBD keeps an outdated copy from being promoted.
  - Parameters that are secrets are not in the CIB, which daemons log and which the group haclient may read. It says C(lrm://),
    and Pacemaker reads their values from files of root's own, which are in the bundle of each host.
  - Stores the inverse patch under C(/var/lib/hadeploy/cib-rollback).
  - The action plugin of the same name reads the CIB from the project and resolves its secrets.
version_added: 0.1.0
options:
  state:
    description:
      - C(observed) compares.
      - C(verified) runs Pacemaker's own checks on the compiled CIB, and on what it would make of the live one where a
        cluster runs.
      - C(present) applies the difference and waits until the cluster is settled.
      - C(remembered) notes on a host what of the cluster's configuration is hadeploy's, once it was applied.
    type: str
    choices: [observed, verified, present, remembered]
    required: true
  xml:
    description: The compiled CIB, with placeholders of secrets.
    type: str
    default: ""
  secrets:
    description: Values of the placeholders.
    type: dict
    default: {}
  key:
    description: Name of a long and random secret; a revision that it makes of the others says when one of them has changed.
    type: str
    default: ""
  printed:
    description: Secrets whose parameters become commands that print them, by the secret's name, with C(name) and C(value).
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
  moved:
    description: With C(present), what C(observed) returned as RV(moved), which has been looked at.
    type: list
    elements: dict
    default: []
  accepted:
    description: Ids of resources and constraints, and names of properties, that are not hadeploy's and may be replaced.
    type: list
    elements: str
    default: []
  timeout:
    description: How long the cluster may take to settle, in seconds.
    type: int
    default: 180
  run:
    description: Which run this is a step of; said by the action plugin.
    type: str
    default: ""
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
moved:
  description: Parameters whose directory is another in the compiled CIB than in the live one, or in the last one of a cluster
    that does not run.
  type: list
  elements: dict
  returned: state is observed
devices:
  description: Fence devices that the cluster does not have with these agents, parameters and places.
  type: list
  elements: str
  returned: state is observed
drift:
  description: What operators decided at run time, kept as it is.
  type: list
  elements: str
  returned: state is observed or present
notes:
  description: What is not hadeploy's and is kept.
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

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.hadeploy_check import verdict
from ansible.module_utils.hadeploy_cib_foreign import claims, keys_of, owned_keys, save, with_foreign
from ansible.module_utils.hadeploy_cib_leaving import active, leaving, stopped_first
from ansible.module_utils.hadeploy_cib_merge import canonical, masked, merge, resolve
from ansible.module_utils.hadeploy_cib_places import moved, stored
from ansible.module_utils.hadeploy_crm_mon import (
    failed_devices,
    lacking,
    only_pending,
    refused,
    strangers,
    unwell,
)
from ansible.module_utils.hadeploy_fence_agent import changed_devices
from ansible.module_utils.hadeploy_lock import RUN, under_lock
from ansible.module_utils.hadeploy_secret import kept_apart, opened

ONLINE_SECONDS = 60
POLL_SECONDS = 0.2
SLICE_SECONDS = 5
"""Between two looks at whether what is still waited for can end at all."""

ROLLBACK = "/var/lib/hadeploy/cib-rollback"
ROLLBACKS_KEPT = 20
ATTEMPTS = 4
FOREIGN = "APPLY093"


class Cib:
    """The live CIB and the tools around it."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.secrets = module.params["secrets"]
        self.placeholders = ElementTree.fromstring(module.params["xml"])
        desired = ElementTree.fromstring(module.params["xml"])
        key = self.secrets.get(module.params["key"], "")
        kept_apart(desired, self.secrets, key, module.params["printed"])
        whole = ElementTree.tostring(desired, encoding="unicode")
        self.desired = ElementTree.fromstring(resolve(whole, self.secrets))
        self.notes: list[str] = []
        self.ours = {element.get("id") for element in self.desired.iter("primitive")}

    def program(self, *argv: str) -> tuple[int, str, str]:
        """Run one of Pacemaker's tools; 127 where it is not installed."""
        path = self.module.get_bin_path(argv[0])
        if path is None:
            return 127, "", f"{argv[0]} is not installed"
        return self.module.run_command([path, *argv[1:]], environ_update={"LC_ALL": "C"})

    def merged(self, live: ElementTree.Element) -> tuple[ElementTree.Element, list[str]]:
        """The live CIB with the compiled one in it, a person's own too, and what of operators was kept."""
        whole, notes = with_foreign(live, self.desired, self.owned(live))
        new, drift = merge(live, whole)
        self.notes = notes
        return new, drift

    def owned(self, live: ElementTree.Element) -> set[str]:
        """What of the live CIB is hadeploy's."""
        return owned_keys(live, self.desired, ROLLBACK)

    def see_claims(self, live: ElementTree.Element) -> None:
        """Refuse to replace or remove what is a person's own, until it was accepted by name."""
        found = claims(live, self.desired, self.owned(live))
        unasked = {name: lines for name, lines in found.items() if name not in self.module.params["accepted"]}
        if not unasked:
            return
        words = [
            f"{FOREIGN} the cluster has a configuration that is not hadeploy's, which the topology would replace or remove:"
        ]
        for name, lines in unasked.items():
            text = masked("\n".join(lines), self.secrets, self.placeholders)
            words += [f"  {name}:", *(f"    {line}" for line in text.splitlines())]
        names = ", ".join(f'"{name}"' for name in unasked)
        words += [
            "  Give it another name in the topology, or accept that it is replaced: "
            + " ".join(f"--take-over-object {name}" for name in unasked),
            f"  With plain ansible-playbook: -e '{{\"hadeploy_take_over_objects\": [{names}]}}'",
        ]
        self.fail("\n".join(words))

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
            _write_private(staged, ElementTree.tostring(without_status(element), encoding="unicode"))
            for check in self.module.params["checks"]:
                argv = [part.replace("{staged}", staged) for part in check["argv"]]
                code, out, err = self.program(*argv)
                if code == 127 and self.module.check_mode:
                    missing.append(argv[0])
                    continue
                words = masked(f"{out}\n{err}".replace(folder, "").strip(), self.secrets, self.placeholders)
                if not verdict(check, code, words):
                    self.fail(f"{argv[0]} refuses the CIB (exit {code}):\n{words}")
        return missing

    def patch(self, patch: str) -> tuple[int, str]:
        """Send a patch to the cluster; its exit code and words."""
        with tempfile.TemporaryDirectory(prefix="hadeploy-cib-", dir="/run") as folder:
            path = os.path.join(folder, "patch.xml")
            _write_private(path, patch)
            code, out, err = self.program("cibadmin", "--patch", "--sync-call", "--xml-file", path)
        return code, f"{out}\n{err}".strip()

    def devices(self, live: ElementTree.Element | None) -> list[str]:
        """Fence devices that the cluster does not have like that."""
        known = None if live is None else live.find("configuration")
        return changed_devices(known, self.desired.find("configuration"))

    def given_up(self, crm_mon: str) -> set[str]:
        """Resources that Pacemaker does not try again by itself: refused by their agent, or a fence device that failed."""
        failed = failed_devices(crm_mon, self.ours)
        return {*refused(crm_mon, self.ours), *(name for name, stopped in failed.items() if stopped)}

    def monitor(self) -> str:
        """What the cluster looks like now, as XML."""
        code, out, err = self.program("crm_mon", "--one-shot", "--output-as=xml", "--inactive")
        if code != 0:
            self.fail(f"crm_mon failed: {err.strip()}")
        return out

    def fail(self, message: str, **result: object) -> None:
        """End the task; no invocation, since it would repeat the CIB."""
        self.module.fail_json(msg=message, invocation={}, **result)


def without_status(element: ElementTree.Element) -> ElementTree.Element:
    """The configuration alone: to crm_verify, what runs of a clone that leaves is one resource on two nodes, an error."""
    judged = copy.deepcopy(element)
    for status in judged.findall("status"):
        status[:] = []
    return judged


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
        last = stored()
        moves = [] if last is None else moved(last, cib.placeholders)
        if last is not None:
            cib.see_claims(last)
        return {
            "changed": False,
            "pending": True,
            "drift": [],
            "moved": moves,
            "devices": cib.devices(None),
        }
    others = strangers(cib.monitor(), cib.module.params["members"])
    if others:
        # Left out of the membership while it runs, it and the others would take each other for lost, and fence.
        cib.fail(
            f"{', '.join(others)} runs in this cluster, but is no member of the topology: take it out of service first "
            f"(there: systemctl disable --now pacemaker corosync), then apply again"
        )
    cib.see_claims(live)
    new, drift = cib.merged(live)
    return {
        "changed": False,
        "notes": cib.notes,
        "pending": bool(cib.difference(live, new)) or bool(cib.given_up(cib.monitor())),
        "drift": drift,
        "moved": moved(live, cib.placeholders),
        "devices": cib.devices(live),
    }


def verify(cib: Cib) -> dict:
    """Judge the compiled CIB before any daemon is touched; secrets stay placeholders.

    Where a cluster runs, what is applied is the live CIB with the compiled one in it: a refusal of that must not come after
    files were written.
    """
    unchecked = cib.verify(cib.placeholders)
    live = cib.query()
    if live is not None:
        cib.verify(cib.merged(live)[0])
    return {"changed": False, "unchecked": unchecked}


def establish(cib: Cib) -> dict:
    """Apply the difference; where somebody else changed the CIB meanwhile, look again."""
    if not cib.module.check_mode:
        _await_members(cib)
    live = cib.query()
    if live is None:
        if not cib.module.check_mode:
            cib.fail("the CIB is not applied: Pacemaker does not answer here")
        return {"changed": True, "drift": [], "diff": cib.diff(None, cib.desired)}
    _see_that_places_were_compared(cib, live)
    cib.see_claims(live)
    new, drift = cib.merged(live)
    patch = cib.difference(live, new)
    seen = cib.monitor()
    failing = set(failed_devices(seen, cib.ours))
    changed = set(cib.devices(live))
    again = sorted(cib.given_up(seen))
    result = {
        "changed": bool(patch or again),
        "drift": drift,
        "notes": cib.notes,
        "told": [f"{name} tried again" for name in again],
    }
    if patch:
        result["diff"] = cib.diff(live, new)
        cib.verify(new)
    if cib.module.check_mode or not result["changed"]:
        return result
    if patch:
        # Known as ours before it is there: what of it leaves with a later topology is removed, whenever this run ends.
        save({*cib.owned(live), *keys_of(cib.desired)})
        former = live
        live = _stop_leaving(cib, live, new, result)
        new, _ = cib.merged(live)
        result["rollback"] = _apply(cib, live, new, cib.difference(live, new), former)
    for name in again:
        cib.program("crm_resource", "--cleanup", f"--resource={name}")
    # What failed before and stays as it was is no outcome of this apply: the status at the end of the run tells of it.
    _settle(cib, result, known=failing - changed)
    if patch:
        remember(cib)
    # Only now: a try with the former parameters may have ended after the new ones were there.
    for name in sorted(failing & changed):
        cib.program("crm_resource", "--cleanup", f"--resource={name}")
    return result


def remember(cib: Cib) -> dict:
    """What is hadeploy's once the CIB is applied, on this host."""
    if not cib.module.check_mode:
        save(set(keys_of(cib.desired)))
    return {"changed": False}


def _stop_leaving(
    cib: Cib, live: ElementTree.Element, new: ElementTree.Element, result: dict
) -> ElementTree.Element:
    """Stop what leaves while its constraints are there; the live CIB afterwards."""
    gone, names = leaving(live, new)
    if not active(cib.monitor(), gone):
        return live
    words = ""
    for attempt in range(ATTEMPTS):
        time.sleep(0.5 * attempt)
        live = cib.query() or live
        patch = cib.difference(live, stopped_first(live, names))
        if not patch:
            break
        code, words = cib.patch(patch)
        if code == 0:
            break
    else:
        cib.fail(f"the CIB could not be applied in {ATTEMPTS} attempts: {words}")
    result["told"] = [*(f"{name} stopped before it leaves" for name in names), *result["told"]]
    _wait(cib, result)
    left = active(cib.monitor(), gone)
    if left:
        cib.fail(
            f"the CIB is not applied: {'; '.join(left)} does not stop, and would be stopped without its order once it is no"
            " longer in the CIB. See crm_mon (maintenance mode, a failed stop), then apply again",
            **result,
        )
    return cib.query() or live


def _see_that_places_were_compared(cib: Cib, live: ElementTree.Element) -> None:
    """A host that was made anew has joined a cluster whose configuration it could not know when all was looked at."""
    unseen = [each for each in moved(live, cib.placeholders) if each not in cib.module.params["moved"]]
    if unseen:
        words = ", ".join(f"{each['resource']} ({each['parameter']} is {each['old']})" for each in unseen)
        cib.fail(
            f"the CIB is not applied: the cluster has {words}, and would have another directory there. The host that was asked"
            " did not know that yet, so nobody has looked at what is in it. Apply again: it is looked at then"
        )


def _await_members(cib: Cib) -> None:
    """Wait until all members are online: an apply that was interrupted may have started Pacemaker moments ago.

    Its first election takes dc-deadtime (20 s) where the members start at different times.
    """
    deadline = time.monotonic() + ONLINE_SECONDS
    while True:
        _, out, _ = cib.program("crm_mon", "--one-shot", "--output-as=xml", "--inactive")
        missing = lacking(out, cib.module.params["members"])
        if not missing:
            return
        if time.monotonic() > deadline:
            cib.fail(f"the CIB is not applied: {missing}, after {ONLINE_SECONDS} s")
        time.sleep(POLL_SECONDS)


def _apply(
    cib: Cib, live: ElementTree.Element, new: ElementTree.Element, patch: str, former: ElementTree.Element
) -> str:
    rollback = store_rollback(cib.difference(new, former), former.get("epoch", "0"))
    words = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(0.5 * attempt)
            live = cib.query() or live
            new, _ = cib.merged(live)
            patch = cib.difference(live, new)
            if not patch:
                return rollback
        code, words = cib.patch(patch)
        if code != 0:
            continue
        after = cib.query()
        if after is not None and not cib.difference(after, cib.merged(after)[0]):
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


def _wait(cib: Cib, result: dict) -> str:
    """Wait for the cluster; not for fence devices that fail again and again, since that never ends. What it then looks like."""
    timeout = patience(cib.desired, cib.module.params["timeout"])
    deadline = time.monotonic() + timeout
    while True:
        left = max(1, min(SLICE_SECONDS, int(deadline - time.monotonic())))
        code, out, err = cib.program("crm_resource", "--wait", f"--timeout={left}")
        seen = cib.monitor()
        failing = set(failed_devices(seen, cib.ours))
        if code == 0 or only_pending(out + err, failing):
            return seen
        if time.monotonic() > deadline:
            cib.fail(
                f"the CIB is applied, but the cluster is not settled after {timeout} s:\n{out.strip()}\n{err.strip()}",
                **result,
            )


def _settle(cib: Cib, result: dict, known: set[str]) -> None:
    """Wait for the cluster. Devices that failed before this apply (``known``) are not held against it."""
    seen = _wait(cib, result)
    failed = unwell(seen, cib.ours - known)
    failed += [f"{name}: {word}" for name, word in refused(seen, cib.ours - known).items()]
    if failed:
        cib.fail("\n".join(["the CIB is applied, but:", *failed]), **result)


STATES = {"observed": observe, "verified": verify, "present": establish, "remembered": remember}


def main() -> None:
    """Module entry."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": list(STATES), "required": True},
            "xml": {"type": "str", "default": ""},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "printed": {"type": "dict", "default": {}},
            "key": {"type": "str", "default": "", "no_log": False},
            "checks": {"type": "list", "elements": "dict", "default": []},
            "members": {"type": "list", "elements": "str", "default": []},
            "moved": {"type": "list", "elements": "dict", "default": []},
            "accepted": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 180},
            **RUN,
        },
        supports_check_mode=True,
    )
    module.params["secrets"] = opened(module.params["secrets"])
    under_lock(module)
    result = STATES[module.params["state"]](Cib(module))
    for decision in result.get("drift", ()):
        module.warn(f"kept as it is: {decision}")
    for words in result.get("notes", ()):
        module.warn(words)
    module.exit_json(invocation={"module_args": {"state": module.params["state"]}}, **result)


if __name__ == "__main__":
    main()
