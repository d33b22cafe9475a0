from __future__ import annotations

import pytest

RUNNING = {"ActiveState": "active", "UnitFileState": "enabled", "LoadState": "loaded"}
STOPPED = {"ActiveState": "inactive", "UnitFileState": "disabled", "LoadState": "loaded"}


def unit(name: str, *, enabled: bool = True, running: bool | None = True, phase: int = 50) -> dict:
    return {"name": name, "daemon": "x", "enabled": enabled, "running": running, "phase": phase}


def test_a_running_unit_with_nothing_pending_is_left_alone(units):
    assert units.decide([unit("a")], [], {"a": RUNNING}, {}, []) == []


def test_a_stopped_unit_is_started_and_its_reload_forgotten(units):
    assert units.decide([unit("a")], ["a"], {"a": STOPPED}, {"a": "reload"}, []) == [
        ("a", "enable"),
        ("a", "start"),
        ("a", "forget"),
    ]


def test_the_least_that_was_asked_for(units):
    assert units.decide([unit("a")], ["a"], {"a": RUNNING}, {"a": "reload"}, []) == [("a", "reload")]


def test_held_back_until_all_members_have_the_file(units):
    assert (
        units.decide([unit("a")], ["a"], {"a": RUNNING}, {"a": "corosync-reload"}, ["corosync-reload"]) == []
    )


def test_what_pacemaker_runs_is_reloaded_where_it_runs_and_started_nowhere(units):
    clustered = unit("a", enabled=False, running=None)
    disabled = {**RUNNING, "UnitFileState": "disabled"}
    assert units.decide([clustered], ["a"], {"a": disabled}, {"a": "reload"}, []) == [("a", "reload")]
    assert units.decide([clustered], ["a"], {"a": STOPPED}, {"a": "reload"}, []) == [("a", "forget")]


def test_a_unit_that_must_not_run_is_stopped_and_disabled(units):
    assert units.decide([unit("a", enabled=False, running=False)], [], {"a": RUNNING}, {}, []) == [
        ("a", "disable"),
        ("a", "stop"),
    ]


def test_units_start_in_the_order_of_their_phases(units):
    steps = units.decide([unit("b", phase=20), unit("a", phase=10)], [], {"a": STOPPED, "b": STOPPED}, {}, [])
    assert [name for name, verb in steps if verb == "start"] == ["a", "b"]


def test_an_unlisted_reader_is_reloaded_only_where_it_runs(units):
    assert units.decide([], ["a"], {"a": STOPPED}, {"a": "reload"}, []) == [("a", "forget")]
    assert units.decide([], ["a"], {"a": STOPPED}, {"a": "restart"}, []) == [("a", "restart")]


def test_corosync_takes_a_new_key_by_reload(units):
    steps = units.decide(
        [unit("corosync.service")], [], {"corosync.service": RUNNING}, {"corosync.service": "restart"}, []
    )
    assert steps == [("corosync.service", "corosync-reload")]
    assert units.argv_of(*steps[0], []) == ["corosync-cfgtool", "-R"]


def test_kernel_settings_are_applied_from_our_file_alone(units):
    assert units.argv_of("systemd-sysctl.service", "restart", ["/etc/sysctl.d/60-hadeploy.conf"]) == [
        "/usr/lib/systemd/systemd-sysctl",
        "/etc/sysctl.d/60-hadeploy.conf",
    ]


def test_systemctl_show_is_read_in_the_order_of_the_question(systemd):
    text = "Id=a\nActiveState=active\nUnitFileState=\n\nId=b\nActiveState=inactive\nUnitFileState=enabled\n"
    states = systemd.parse_show(text, ["a", "b"])
    assert systemd.is_active(states["a"])
    assert not systemd.is_active(states["b"])
    assert systemd.is_enabled(states["b"])


@pytest.mark.parametrize(
    ("enabled", "state", "differs"),
    [
        (True, "enabled", False),
        (True, "static", False),
        (True, "disabled", True),
        (True, "", True),
        (False, "disabled", False),
        (False, "static", False),
        (False, "", False),
        (False, "enabled", True),
    ],
)
def test_enablement(systemd, enabled: bool, state: str, differs: bool):
    assert systemd.enablement_differs(enabled, {"UnitFileState": state}) is differs


MEMBERS = ["n1", "n2"]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", "corosync does not answer"),
        ("Nodes:            1\nQuorate:          No\n", "corosync sees 1 of 2 members"),
        ("Nodes:            2\nQuorate:          No\n", "corosync has no quorum"),
        ("Nodes:            2\nQuorate:          Yes\n", ""),
    ],
)
def test_corosync_membership(cluster, text: str, missing: str):
    assert cluster.lacking_in_corosync(text, MEMBERS) == missing


def answer(*, dc: str = 'present="true" with_quorum="true"', pending: str = "false") -> str:
    return (
        f"<crm_mon><summary><current_dc {dc}/></summary><nodes>"
        f'<node name="n1" online="true"/><node name="n2" online="true" pending="{pending}"/></nodes></crm_mon>'
    )


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("crm_mon: error", "Pacemaker does not answer"),
        (answer(dc='present="false"'), "Pacemaker has no controller yet"),
        (answer(dc='present="true" with_quorum="false"'), "Pacemaker has no quorum"),
        (answer(pending="true"), "Pacemaker does not see n2 online"),
        (answer(), ""),
    ],
)
def test_pacemaker_membership(crm_mon, text: str, missing: str):
    assert crm_mon.lacking(text, MEMBERS) == missing
