# SPDX-License-Identifier: Apache-2.0
"""What left the design: its units end, it is seen to run nowhere, and only then its files go. Data is never removed."""

from __future__ import annotations

import os
import time

from ansible.module_utils.hadeploy_files import is_unit_file, removal_diff
from ansible.module_utils.hadeploy_foreign import make_way_for_removal
from ansible.module_utils.hadeploy_kept import kept_of
from ansible.module_utils.hadeploy_objects import known_objects, stays
from ansible.module_utils.hadeploy_owned import leftovers, load_owned, save_owned, unit_of
from ansible.module_utils.hadeploy_pending import sync_directory
from ansible.module_utils.hadeploy_rules import FORMER_UNIT, RULES, forget, hand_back
from ansible.module_utils.hadeploy_systemd import cannot_be_stopped, is_active, is_enabled, runs, show

POLL_SECONDS = 0.5

HOSTED = 25
"""Phase of hosted services: where load balancers send clients to them, they are replaced host by host."""

STOPS = {
    "volume": "umount /dev/drbd{minor}; drbdadm down {name}",
    "database": "runuser -u postgres -- /usr/lib/postgresql/{version}/bin/pg_ctl stop -D {data}",
}
"""How a person stops what should have been stopped by the cluster."""


def remove_units(module) -> dict:
    """Stop and disable units that left the design, the last started first."""
    owned, which = load_owned(), module.params["which"]
    gone = [
        name
        for name in leftovers(owned, module.params["files"], module.params["units"])["units"]
        if which == "all" or (owned["units"][name].get("phase") == HOSTED) == (which == "hosted")
    ]
    states = show(module, gone)
    given_back = FORMER_UNIT in gone
    gone = [name for name in gone if not cannot_be_stopped(states.get(name, {})) and name != FORMER_UNIT]
    ended = _end_units(module, gone, states)
    if not given_back:
        return ended
    # Stopping Debian's unit would flush every table of the host.
    if not module.check_mode:
        forget(module)
        hand_back()
    return {**ended, "changed": True, "removed": [*ended["removed"], "table inet hadeploy"]}


def _end_units(module, gone: list[str], states: dict[str, dict[str, str]]) -> dict:
    verbs = [
        (verb, name)
        for name in gone
        for verb, needed in (
            (
                "stop",
                is_active(states.get(name, {})) and not cannot_be_stopped(states.get(name, {})),
            ),
            ("disable", is_enabled(states.get(name, {}))),
        )
        if needed
    ]
    removed = [f"{verb} {name}" for verb, name in verbs]
    if not module.check_mode:
        for verb, name in verbs:
            module.run_command(
                [module.get_bin_path("systemctl", required=True), verb, "--", name], check_rc=True
            )
        if gone:
            # One that ended badly while it was stopped would stay in `systemctl --failed`, where nobody would fix it.
            module.run_command([module.get_bin_path("systemctl", required=True), "reset-failed", "--", *gone])
            owned = load_owned()
            owned["units"] = {name: entry for name, entry in owned["units"].items() if name not in gone}
            save_owned(owned)
    return {"changed": bool(removed), "removed": removed, "diff": _words_diff("units", removed)}


def waiting_for_the_cluster(module, left: dict) -> set[str]:
    """Files of units that only end with the cluster (SBD): off at boot already, they run on until it is next stopped."""
    readers = {path: unit_of(path, "") for path in left["files"]}
    readers = {path: unit for path, unit in readers.items() if unit and unit not in left["units"]}
    states = show(module, sorted(set(readers.values())))
    return {
        path
        for path, unit in readers.items()
        if cannot_be_stopped(states.get(unit, {})) and is_active(states.get(unit, {}))
    }


def see_stopped(module) -> dict:
    """Asked on every host before a file is removed on any: what stopped here may still run there.

    The run that told the cluster may have ended before the cluster was settled, so what is about to stop is waited for.
    """
    deadline = time.monotonic() + module.params["timeout"]
    while (found := _still_running(module)) != ([], []) and time.monotonic() < deadline:
        if module.check_mode:
            return {"changed": False, "told": []}
        time.sleep(POLL_SECONDS)
    units, objects = found
    told: list[str] = []
    words = [
        f"{unit} still runs, although it left the topology: its files stay until it is stopped"
        f" (systemctl stop {unit}). Then apply again"
        for unit in units
    ]
    for each in objects:
        if each["kind"] == "volume" and _brought_down(module, each, told):
            continue
        words.append(
            f"{each['kind']} {each['name']} still runs, although it left the topology: its files stay until it is stopped"
            f" ({STOPS[each['kind']].format(**each)}). Then apply again"
        )
    if words:
        module.fail_json(msg="\n".join(words), invocation={})
    return {"changed": bool(told), "told": told}


def _still_running(module) -> tuple[list[str], list[dict]]:
    """Units and objects whose files left the design, and that run."""
    owned = load_owned()
    files, units = module.params["files"], module.params["units"]
    staying = {unit["name"] for unit in units} | {file["unit"] for file in files}
    gone = leftovers(owned, files, units)["files"]
    readers = {owned["files"][path].get("unit", "") for path in gone} - staying - {""}
    states = show(module, sorted(readers))
    return (
        [unit for unit in sorted(readers) if runs(states.get(unit, {}))],
        [each for each in known_objects(gone, module.params["host"]) if each["running"]],
    )


def _brought_down(module, volume: dict, told: list[str]) -> bool:
    """A volume that was brought up and never given to Pacemaker: DRBD takes none down that is mounted."""
    drbdadm = module.get_bin_path("drbdadm")
    if drbdadm is None:
        return False
    module.run_command([drbdadm, "down", volume["name"]], environ_update={"LC_ALL": "C"})
    if os.path.exists(f"/sys/block/drbd{volume['minor']}/size"):
        return False
    told.append(f"{volume['name']} taken down")
    return True


def remove_files(module) -> dict:
    """Remove the files of what left the design, and take units out of the boot that could not be stopped."""
    left = leftovers(load_owned(), module.params["files"], module.params["units"])
    states = show(module, left["units"])
    ended = _end_units(
        module, [name for name in left["units"] if cannot_be_stopped(states.get(name, {}))], states
    )
    waiting = waiting_for_the_cluster(module, {**left, "units": []})
    gone = [path for path in left["files"] if path not in waiting]
    there = [path for path in gone if os.path.lexists(path)]
    objects = known_objects(gone, module.params["host"])
    notes = make_way_for_removal(module, there, load_owned())
    notes += [
        f"{path} was removed; what was there before is kept in {copies[-1]}, and is not put back"
        for path in there
        if (copies := kept_of(path))
    ]
    for words in notes:
        module.warn(words)
    result = {
        "changed": bool(there) or ended["changed"],
        "notes": notes,
        "removed": [*ended["removed"], *there],
        "stays": stays(objects, there),
        "diff": [*ended["diff"], *map(removal_diff, there)],
    }
    for path in sorted(waiting):
        module.warn(
            f"{unit_of(path, '')} ends when the cluster is next stopped here: {path} stays until then"
        )
    if not module.check_mode:
        _remove_files(module, gone)
        if any(is_unit_file(path) for path in there):
            systemctl = module.get_bin_path("systemctl", required=True)
            module.run_command([systemctl, "daemon-reload"], check_rc=True)
    return result


def _words_diff(header: str, words: list[str]) -> list[dict[str, str]]:
    if not words:
        return []
    after = "".join(f"{word}\n" for word in words)
    return [{"before_header": header, "after_header": header, "before": "", "after": after}]


def _remove_files(module, paths: list[str]) -> None:
    """Remove what an earlier bundle brought, and forget it."""
    for path in paths:
        try:
            if os.path.isfile(path) or os.path.islink(path):
                os.unlink(path)
                sync_directory(os.path.dirname(path))
        except OSError as error:
            module.fail_json(msg=f"{path} could not be removed: {error}", invocation={})
    if RULES in paths:
        forget(module)
    if paths:
        owned = load_owned()
        owned["files"] = {path: entry for path, entry in owned["files"].items() if path not in paths}
        save_owned(owned)
