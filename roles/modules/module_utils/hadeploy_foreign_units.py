# SPDX-License-Identifier: Apache-2.0
"""What a person has decided about the units of a bundle: masked, started, disabled, or changed by files of their own."""

from __future__ import annotations

from ansible.module_utils.hadeploy_systemd import is_active

PACEMAKERS = "/50-pacemaker.conf"
"""What Pacemaker itself lays beside a unit while it runs it."""

VENDORS = ("/usr/", "/lib/", "/run/systemd/generator")


def look(units: list[dict], states: dict[str, dict[str, str]], ours: set[str], remembered: dict) -> dict:
    """C(foreign) may be accepted, C(blocked) must be undone, C(notes) are only said.

    Args:
        units: of the bundle.
        states: what systemd says of them.
        ours: paths of files that are hadeploy's, or will be.
        remembered: units that earlier applies enabled or started.
    """
    foreign, blocked, notes = [], [], []
    for unit in units:
        name, state = unit["name"], states.get(unit["name"], {})
        if state.get("LoadState") == "masked":
            if unit["enabled"] or unit["running"] is True:
                blocked.append(
                    f"{name} is masked, so that it cannot start. Unmask it: systemctl unmask {name}"
                )
            continue
        if unit["running"] is False and is_active(state):
            foreign.append(
                {
                    "unit": name,
                    "lines": [
                        f"{name} runs, and would be stopped, because the topology's services take its place"
                    ],
                }
            )
        if name in remembered and unit["enabled"] and state.get("UnitFileState") == "disabled":
            notes.append(f"{name} was disabled since hadeploy enabled it: it is enabled again")
    for name, state in states.items():
        fragment = state.get("FragmentPath", "")
        if fragment and not fragment.startswith(VENDORS) and fragment not in ours:
            notes.append(
                f"{name} is defined by {fragment}, which is not hadeploy's: it stays, and may change what runs"
            )
        notes += [
            f"{name} is changed by {path}, which is not hadeploy's: it stays, and may change what runs"
            for path in state.get("DropInPaths", "").split()
            if not path.startswith(VENDORS) and not path.endswith(PACEMAKERS) and path not in ours
        ]
    return {"foreign": foreign, "blocked": blocked, "notes": notes}
