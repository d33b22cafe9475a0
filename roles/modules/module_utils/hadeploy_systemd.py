"""How units of this host are."""

from __future__ import annotations

PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,RefuseManualStop,FragmentPath,DropInPaths"
ENABLED = ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated")
ACTIVE = ("active", "activating", "reloading", "refreshing")


def parse_show(text: str, units: list[str]) -> dict[str, dict[str, str]]:
    """Read ``systemctl show``: one block a unit, in the order of the question."""
    blocks = [block for block in text.strip().split("\n\n") if block.strip()]
    return {
        unit: dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        for unit, block in zip(units, blocks, strict=False)
    }


def show(module, units: list[str]) -> dict[str, dict[str, str]]:
    """States of units; a unit that systemd does not know has LoadState not-found."""
    if not units:
        return {}
    argv = [module.get_bin_path("systemctl", required=True), "show", f"--property={PROPERTIES}", "--", *units]
    _, out, _ = module.run_command(argv, check_rc=True)
    return parse_show(out, units)


def is_active(state: dict[str, str]) -> bool:
    """Whether it runs, or is about to."""
    return state.get("ActiveState") in ACTIVE


def runs(state: dict[str, str]) -> bool:
    """Whether something of it runs: of a oneshot that has done its work and stays active, nothing does."""
    return is_active(state) and state.get("SubState") != "exited"


def cannot_be_stopped(state: dict[str, str]) -> bool:
    """Whether systemd takes no stop from anybody: it ends with what pulled it in (sbd.service with corosync)."""
    return state.get("RefuseManualStop") == "yes"


def is_enabled(state: dict[str, str]) -> bool:
    """Whether it starts at boot."""
    return state.get("UnitFileState") in ENABLED


def enablement_differs(enabled: bool, state: dict[str, str]) -> bool:
    """Static units cannot be disabled, and units that do not exist are off already."""
    if enabled:
        return not is_enabled(state)
    return state.get("UnitFileState") in ("enabled", "enabled-runtime")


def wishes(unit: dict, state: dict[str, str]) -> list[str]:
    """What brings a unit from where it is to where it must be: of enable, disable, start, stop."""
    found = []
    if enablement_differs(unit["enabled"], state):
        found.append("enable" if unit["enabled"] else "disable")
    if unit["running"] is True and not is_active(state):
        found.append("start")
    if unit["running"] is False and is_active(state):
        found.append("stop")
    return found
