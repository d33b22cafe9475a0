"""Predicted recoveries against what was measured on real nodes, and against the formulas."""

from __future__ import annotations

import pytest

from hadeploy.design.durations import Duration, Durations
from hadeploy.design.recovery import Breakage, Mishap, Recovery
from hadeploy.proof.recovery import predict


def find(recoveries, text, service=None):
    found = [r for r in recoveries if str(r.mishap) == text and service in (None, r.service)]
    assert len(found) == 1, [str(r.mishap) for r in recoveries]
    return found[0]


def holds(recovery: Recovery, *measured: float) -> bool:
    return all(recovery.best_ms <= seconds * 1000 <= recovery.worst_ms for seconds in measured)


class TestAgainstMeasurements:
    """Outages that clients saw on containers, in seconds."""

    def test_two_members(self, design_of):
        found = predict(design_of("active-passive"))
        assert holds(find(found, "power-cut:n1"), 8.55, 9.5)
        assert holds(find(found, "power-cut:n2"), 8.0)
        assert holds(find(found, "hung-node:n2"), 10.4)

    def test_three_members(self, design_of):
        found = predict(design_of("n-plus-1"))
        assert holds(find(found, "power-cut:a1"), 8.4)
        assert holds(find(found, "hung-node:a2"), 11.4)

    def test_vrrp_at_100_ms(self, design_of):
        found = predict(design_of("active-active"))
        assert holds(find(found, "power-cut:lb1", "site-a"), 0.30, 0.35)
        assert holds(find(found, "daemon-crash:lb1:keepalived"), 0.22, 0.30)
        assert holds(find(found, "daemon-crash:lb2:haproxy"), 0.2)

    @pytest.mark.parametrize(("advert", "measured"), [("1s", (2.68, 2.71, 3.18)), ("200ms", (0.57, 0.58))])
    def test_vrrp_scales_with_its_adverts(self, design_of, advert, measured):
        found = predict(design_of("active-active", ("advert_interval: 100ms", f"advert_interval: {advert}")))
        assert holds(find(found, "power-cut:lb1", "site-a"), *measured)


class TestFormulas:
    def test_token_grows_with_the_third_member(self, design_of):
        terms = {t.name: t for t in find(predict(design_of("n-plus-1")), "power-cut:a1").terms}
        assert terms["token lost"].worst_ms == 1650
        assert terms["consensus"].expected_ms == 1980

    def test_only_the_member_with_the_head_start_is_waited_for(self, design_of):
        found = predict(design_of("active-passive"))
        names = [[t.name for t in find(found, f"power-cut:{node}").terms] for node in ("n1", "n2")]
        assert "head start of n1" in names[0]
        assert not [name for name in names[1] if name.startswith("head start")]

    def test_what_stands_on_another_waits_for_its_start(self, design_of):
        stacked = design_of(
            "n-plus-1",
            ("    prefers: a2", "    prefers: a1\n    on_top_of: [app-a]"),
            ("slots: 1", "slots: 2"),
        )
        names = [t.name for t in find(predict(stacked), "power-cut:a1", "app-b").terms]
        starts = [name.removeprefix("start ") for name in names if name.startswith("start ")]
        assert starts == ["app-a-server", "app-a-address", "app-b-server", "app-b-address"]
        alone = [t.name for t in find(predict(stacked), "power-cut:a1", "app-a").terms]
        assert "start app-b-server" not in alone

    def test_a_volume_does_not_shift_where_members_stand(self, design_of):
        found = find(predict(design_of("active-passive-drbd")), "power-cut:n1")
        paths = {term.name: term.path for term in found.terms if term.name.startswith("start ")}
        assert paths["start web-server"] == ("services", "web", "members", 0, "operations", "start")
        assert paths["start data-filesystem"] == ()

    def test_priority_is_a_head_start_too(self, design_of):
        design = design_of(
            "active-passive", ("    addresses: [web]", "    addresses: [web]\n    priority: 10")
        )
        terms = {t.name: t for t in find(predict(design), "power-cut:n2").terms}
        assert terms["head start of n2"].expected_ms == 4000

    def test_a_hung_member_is_switched_off_first(self, design_of):
        found = predict(design_of("active-passive"))
        hung, dead = (find(found, f"{kind}:n2") for kind in ("hung-node", "power-cut"))
        assert hung.expected_ms - dead.expected_ms == 2000 + 2 * 300

    def test_a_crashed_daemon_may_be_back_before_anybody_decides(self, design_of):
        crash = find(predict(design_of("active-passive")), "daemon-crash:n1:corosync")
        assert crash.best_ms == 0
        assert crash.expected_ms < find(predict(design_of("active-passive")), "hung-node:n2").expected_ms

    def test_a_cycle_is_one_order_and_one_wait(self, design_of):
        cycling = design_of("active-passive", ("ip: 10.71.9.112", "ip: 10.71.9.112\n        method: cycle"))
        plain, cycled = (
            next(t for t in find(predict(each), "hung-node:n2").terms if t.name.startswith("fence"))
            for each in (design_of("active-passive"), cycling)
        )
        assert plain.expected_ms - cycled.expected_ms == 2000 + 3 * 300

    def test_power_wait_is_the_one_that_is_written(self, design_of):
        design = design_of("active-passive", ("ip: 10.71.9.112", "ip: 10.71.9.112\n        power_wait: 5"))
        plain = find(predict(design_of("active-passive")), "hung-node:n2")
        assert find(predict(design), "hung-node:n2").expected_ms == plain.expected_ms + 2 * 3000

    def test_the_poll_follows_a_short_start_timeout(self, design_of):
        design = design_of(
            "active-passive", ("        port: 80", "        port: 80\n        operations: {start: 5s}")
        )
        terms = {t.name: t for t in find(predict(design), "power-cut:n2").terms}
        assert terms["start web-server"].best_ms == 500

    def test_what_stands_on_a_crashed_service_is_stopped_and_started_too(self, design_of):
        names = [
            t.name for t in find(predict(design_of("active-passive")), "service-crash:n1:web-server").terms
        ]
        assert names == [
            "monitor of web-server",
            "decision",
            "stop web-address",
            "stop web-server",
            "start web-server",
            "start web-address",
        ]

    def test_an_agent_that_nobody_measured_is_bounded_by_its_timeout(self, design_of):
        agent = "      - {kind: ocf, name: db, agent: 'ocf:heartbeat:pgsql'}\n    addresses: [web]"
        found = predict(design_of("active-passive", ("    addresses: [web]", agent)))
        term = next(t for t in find(found, "power-cut:n2").terms if t.name == "start db")
        assert (term.expected_ms, term.worst_ms) == (12_000, 120_000)

    def test_measurements_come_before_estimates(self, design_of):
        durations = Durations(
            (
                Duration("start web-server", (2040, 2060, 2200), "2026-11-21"),
                Duration("fence fence_ipmilan off", (2900, 3000), "2026-11-21"),
            )
        )
        terms = {
            t.name: t for t in find(predict(design_of("active-passive"), durations), "power-cut:n2").terms
        }
        assert terms["start web-server"].expected_ms == 2060
        assert terms["fence n2 by ipmi-n2"].worst_ms == 4500


class TestVolumes:
    def test_promotion_and_mount_come_before_the_service(self, design_of):
        names = [t.name for t in find(predict(design_of("active-passive-drbd")), "power-cut:n2").terms]
        assert names[-4:] == [
            "promote data",
            "start data-filesystem",
            "start web-server",
            "start web-address",
        ]

    def test_a_link_that_notices_late_delays_the_promotion(self, design_of):
        slow = design_of(
            "active-passive-drbd", ("    disks:", "    timing: {ping_interval: 60s}\n    disks:")
        )
        quick = design_of("active-passive-drbd")
        late, soon = (
            next(t for t in find(predict(d), "power-cut:n2").terms if t.name == "promote data")
            for d in (slow, quick)
        )
        assert late.expected_ms > soon.expected_ms
        assert late.worst_ms > 50_000


def test_a_service_without_a_monitor_is_never_mended(design_of):
    design = design_of(
        "active-passive", ("        port: 80", "        port: 80\n        operations: {monitor_interval: 0s}")
    )
    assert "no recurring monitor" in find(predict(design), "service-crash:n1:web-server").endless


class TestNothingMoves:
    def test_one_of_two_links(self, design_of):
        found = predict(design_of("active-passive"), holders={"web": "n1"})
        assert find(found, "link-cut:n1:ring").terms == ()
        assert find(found, "power-cut:n2").terms == ()
        assert find(found, "isolation:n2").endless == ""
        assert find(found, "isolation:n2").terms == ()

    def test_the_network_of_the_clients(self, design_of):
        found = predict(design_of("active-passive"), holders={"web": "n1"})
        assert find(found, "link-cut:n1:lan").endless
        assert find(found, "isolation:n1").endless

    def test_the_loser_of_a_race_is_fenced(self, design_of):
        found = predict(design_of("active-passive"), holders={"web": "n2"})
        assert find(found, "isolation:n2").terms == find(found, "hung-node:n2").terms

    def test_a_lonely_third_is_fenced(self, design_of):
        found = predict(design_of("n-plus-1"), holders={"app-a": "a1", "app-b": "a2"})
        assert find(found, "isolation:a1", "app-a").expected_ms > 0
        assert find(found, "isolation:a1", "app-b").terms == ()

    def test_a_dead_backend(self, design_of):
        holders = {"site-a": "lb1", "site-b": "lb2"}
        found = predict(design_of("active-active"), holders=holders)
        assert find(found, "backend-death:lb1:hadeploy-nginx@web", "site-a").terms == ()

    def test_a_dead_member_is_a_silent_server_of_the_others(self, design_of):
        found = predict(design_of("active-active"), holders={"site-a": "lb1", "site-b": "lb2"})
        other = find(found, "power-cut:lb1", "site-b")
        assert not other.may_move
        assert other.worst_ms == 500 + 500 + 500
        assert find(found, "power-cut:lb1", "site-a").worst_ms == 1500

    def test_who_sticks_to_a_silent_server_waits_until_it_is_given_up(self, design_of):
        design = design_of(
            "active-active",
            ("      check: {path: /healthz", "      balance: source\n      check: {path: /healthz"),
        )
        found = predict(design, holders={"site-a": "lb1", "site-b": "lb2"})
        assert find(found, "power-cut:lb1", "site-b").expected_ms == 1500

    def test_no_promise_is_made_of_a_hung_vrrp_master(self, design_of):
        found = predict(design_of("active-active"))
        assert find(found, "hung-node:lb1", "site-a").unpromised
        assert find(found, "hung-node:lb1", "site-a").worst_ms > 5000

    def test_the_only_backend(self, design_of):
        design = design_of("active-active", ("        web2: {node: lb2, port: 8080}\n", ""))
        assert find(predict(design), "backend-death:lb1:hadeploy-nginx@web", "site-a").expected_ms == 200


def test_every_member_may_hold_a_service(design_of):
    found = predict(design_of("n-plus-1"))
    holders = {
        r.mishap.member for r in found if r.service == "app-a" and r.mishap.breakage is Breakage.POWER_CUT
    }
    assert holders == {"a1", "s1"}


def test_a_mishap_is_written_as_it_is_asked_for():
    assert str(Mishap(Breakage.DAEMON_CRASH, "n1", "corosync")) == "daemon-crash:n1:corosync"
    assert str(Mishap(Breakage.POWER_CUT, "n1")) == "power-cut:n1"
