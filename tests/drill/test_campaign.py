"""A drill in a world that is made up: time passes only where the world says so."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from hadeploy.design.durations import Durations
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill import campaign as campaign_module
from hadeploy.drill.campaign import Campaign, holders_of, run_campaign
from hadeploy.drill.cases import choose, hold_of, homes
from hadeploy.drill.drill import wait_until
from hadeploy.drill.judgement import judge_verdict
from hadeploy.drill.lab_world import LabWorld, fault_of, unit_of
from hadeploy.drill.ownership import OwnerSample, Ownership
from hadeploy.drill.records import Records, judge_records
from hadeploy.drill.verdict import Outage, PowerEvent, Verdict
from hadeploy.lab.errors import LabError
from hadeploy.lab.observer import OwnerObservation, Probe, ProbeObservation
from hadeploy.lab.plan import LabPlan
from hadeploy.lab.state import LabState, Process
from hadeploy.lab.writer import Acknowledgement
from hadeploy.plan.status import AddressStatus, GroupStatus, Status
from hadeploy.proof.recovery import every_mishap, predict

WEB = "10.71.1.100"


class FakeWatch:
    def __init__(self, world):
        self._world = world
        self.owners = ()
        self.probes = ()

    def __enter__(self):
        self._world.watching = True
        return self

    def served(self):
        return {"web": True}

    def __exit__(self, *_):
        self._world.watching = False
        at = 1000.0
        self.owners = (OwnerObservation(at, WEB, frozenset({"n1"})),)
        ticks = [at + 0.02 * number for number in range(2 + round(self._world.outage / 0.02))]
        self.probes = tuple(
            ProbeObservation(tick, "web", tick in (ticks[0], ticks[-1]), 0.01, "n1") for tick in ticks
        )


class FakeWriter:
    """Has had some records acknowledged, and finds some."""

    name = "data"

    def __init__(self, world, acknowledged, found):
        self._world = world
        self._found = found
        self.acknowledged = tuple(Acknowledgement(number, 1.0 * number) for number in acknowledged)

    def found(self, node):
        self._world.done.append(f"read on {node}")
        return self._found

    def __enter__(self):
        self._world.done.append("write")

    def __exit__(self, *_):
        self._world.done.append("written")


class FakeWorld:
    """Everything is done at once; strikes and restores are written down."""

    name = "lab"
    sees_fencing = False

    def __init__(self, design):
        self.design = design
        self.done = []
        self.outage = 0.0
        self.fail = {}
        self.problems = ()
        self.problems_after_rescue = ()
        self.places = {}
        self.watching = False
        self.impossible = ""
        self.kept = {}

    def status(self):
        groups = [
            GroupStatus(g.name, self.places.get(g.name, "n1"), ())
            for g in self.design.cluster.resources.groups
        ]
        addresses = [
            AddressStatus(v.name, v.address, (self.places.get(v.group, "n1"),))
            for v in self.design.virtual_addresses
        ]
        return Status("x", "p", True, "n1", (), tuple(addresses), tuple(groups), (), (), tuple(self.problems))

    def why_not(self, mishap):
        return self.impossible

    def strike(self, mishap):
        self.done.append(f"strike {mishap}")
        assert self.watching
        if str(mishap) in self.fail:
            raise self.fail[str(mishap)]

    def restore(self, mishap):
        self.done.append(f"restore {mishap}")

    def watch(self, addresses, probes):
        return FakeWatch(self)

    def power_events(self, since):
        return []

    def writers(self):
        return {name: FakeWriter(self, *kept) for name, kept in self.kept.items()}

    def rescue(self):
        self.done.append("rescue")
        self.problems = self.problems_after_rescue

    def bring_home(self, group, member):
        self.done.append(f"home {group} {member}")
        self.places[group] = member


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Holds and polls cost no time."""
    monkeypatch.setattr("hadeploy.drill.drill.time.sleep", lambda _: None)


@pytest.fixture
def world(design_of):
    return FakeWorld(design_of("active-passive"))


def campaign_of(world, **changes):
    campaign = Campaign(
        world.design, world, (Probe("web", WEB, 80),), world.status, Durations(), recovery_seconds=0.01
    )
    return replace(campaign, **changes)


RING = Mishap(Breakage.LINK_CUT, "n1", "ring")
LAN = Mishap(Breakage.LINK_CUT, "n1", "lan")
STANDBY = Mishap(Breakage.POWER_CUT, "n2")
CRASH = Mishap(Breakage.SERVICE_CRASH, "", "web-server")


class TestCampaign:
    def test_each_is_struck_and_restored_in_turn(self, world):
        outcome = run_campaign(campaign_of(world), (RING, STANDBY), lambda _: None)
        assert world.done == [
            "strike link-cut:n1:ring",
            "restore link-cut:n1:ring",
            "strike power-cut:n2",
            "restore power-cut:n2",
        ]
        assert outcome.held

    def test_a_crash_strikes_where_the_service_is(self, world):
        world.places["web"] = "n2"
        run_campaign(campaign_of(world), (CRASH,), lambda _: None)
        assert world.done[0] == "strike service-crash:n2:web-server"

    def test_what_would_not_end_is_left_out(self, world):
        outcome = run_campaign(campaign_of(world), (LAN,), lambda _: None)
        assert world.done == []
        assert "as long as it is held" in outcome.findings[0].skipped

    def test_unless_it_was_asked_for(self, world):
        outcome = run_campaign(campaign_of(world, endless=True), (LAN,), lambda _: None)
        assert world.done == ["strike link-cut:n1:lan", "restore link-cut:n1:lan"]
        assert [each.inside for each in outcome.findings[0].comparisons] == [None]

    def test_an_outage_where_none_was_predicted(self, world):
        world.outage = 3.0
        outcome = run_campaign(campaign_of(world), (STANDBY,), lambda _: None)
        assert not outcome.held
        (comparison,) = outcome.findings[0].comparisons
        assert comparison.inside is False
        assert any("load of this machine" in remark for remark in outcome.findings[0].remarks)

    def test_records_are_made_all_the_while_and_looked_for_where_the_service_is_afterwards(self, world):
        world.kept = {"web": ((1, 2, 4), (1, 2, 3, 4))}
        (finding,) = run_campaign(campaign_of(world), (STANDBY,), lambda _: None).findings
        assert world.done == ["write", "strike power-cut:n2", "restore power-cut:n2", "written", "read on n1"]
        assert finding.verdict.records == (Records("data", 3, (), 2.0, 1),)
        assert finding.held

    def test_an_acknowledged_record_that_is_gone_is_a_fault(self, world):
        world.kept = {"web": ((1, 2, 3), (1, 3))}
        (finding,) = run_campaign(campaign_of(world), (STANDBY,), lambda _: None).findings
        assert finding.faults == ("data has lost 1 of 3 acknowledged records: 2",)
        assert not finding.held

    def test_an_interrupt_mends_what_was_broken(self, world):
        world.fail["link-cut:n1:ring"] = KeyboardInterrupt()
        outcome = run_campaign(campaign_of(world), (RING, STANDBY), lambda _: None)
        assert world.done == ["strike link-cut:n1:ring", "restore link-cut:n1:ring"]
        assert outcome.interrupted
        assert not outcome.held

    def test_a_strike_that_fails_half_way_is_mended_too(self, world):
        world.fail["link-cut:n1:ring"] = LabError("LAB012", "nft failed")
        outcome = run_campaign(campaign_of(world), (RING, STANDBY), lambda _: None)
        assert world.done[:3] == ["strike link-cut:n1:ring", "restore link-cut:n1:ring", "rescue"]
        assert outcome.findings[0].faults == ("nft failed",)
        assert not outcome.held

    def test_a_cluster_that_a_person_can_put_right_is_drilled_on(self, world):
        world.problems = ("n2 is offline",)
        outcome = run_campaign(campaign_of(world), (RING, STANDBY), lambda _: None)
        assert world.done == ["rescue", "strike power-cut:n2", "restore power-cut:n2"]
        assert "n2 is offline" in outcome.findings[0].faults[0]
        assert outcome.stopped == ""

    def test_one_that_stays_broken_ends_it(self, world):
        world.problems = world.problems_after_rescue = ("n2 is offline",)
        outcome = run_campaign(campaign_of(world), (RING, STANDBY), lambda _: None)
        assert world.done == ["rescue"]
        assert "n2 is offline" in outcome.stopped
        assert len(outcome.findings) == 1

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_an_interrupt_waits_for_the_mending(self, world, number):
        def restore(mishap):
            signal.raise_signal(number)
            world.done.append(f"restored {mishap}")

        world.restore = restore
        before = signal.getsignal(number)
        outcome = run_campaign(campaign_of(world), (RING, STANDBY), lambda _: None)
        assert world.done == ["strike link-cut:n1:ring", "restored link-cut:n1:ring"]
        assert outcome.interrupted
        assert signal.getsignal(number) is before

    def test_what_a_world_cannot_do_is_told(self, world):
        world.impossible = "a hang cannot be undone from afar"
        outcome = run_campaign(campaign_of(world), (RING,), lambda _: None)
        assert outcome.findings[0].skipped == "a hang cannot be undone from afar"
        assert world.done == []

    def test_progress_is_told(self, world):
        told = []
        run_campaign(campaign_of(world), (RING,), told.append)
        assert [progress.doing for progress in told] == [
            "waiting until all is well",
            "struck; clients are watching",
            "done",
        ]
        assert told[-1].finding is not None

    def test_services_start_from_home(self, design_of):
        world = FakeWorld(design_of("n-plus-1"))
        world.places.update({"app-a": "s1", "app-b": "a2"})
        run_campaign(campaign_of(world), (Mishap(Breakage.POWER_CUT, "s1"),), lambda _: None)
        assert world.done[0] == "home app-a a1"


class TestCases:
    def test_all_by_default_and_a_crash_once(self, design_of):
        found, findings = choose(design_of("active-passive"), ())
        assert not findings.has_errors
        assert [str(mishap) for mishap in found if mishap.breakage is Breakage.SERVICE_CRASH] == [
            "service-crash:web-server"
        ]
        assert len(found) == 15

    @pytest.mark.parametrize(
        ("wish", "count"),
        [("power-cut", 2), ("power-cut:n1", 1), ("daemon-crash:n1", 2), ("service-crash", 1)],
    )
    def test_by_name(self, design_of, wish, count):
        assert len(choose(design_of("active-passive"), (wish,))[0]) == count

    def test_an_unknown_one_names_the_known(self, design_of):
        (finding,) = choose(design_of("active-passive"), ("power-cut:n9",))[1]
        assert finding.code == "DRILL002"
        assert "power-cut:n1" in finding.mend

    def test_only_services_with_a_home_are_brought_there(self, design_of):
        assert homes(design_of("n-plus-1")) == {"app-a": "a1", "app-b": "a2"}
        assert homes(design_of("active-passive")) == {}

    def test_a_failover_is_held_until_another_serves(self, world):
        mishap = Mishap(Breakage.POWER_CUT, "n1")
        predicted = [r for r in predict(world.design, None, {"web": "n1"}) if r.mishap == mishap]
        hold = hold_of(world.design, mishap, predicted)
        assert hold.until is not None
        assert not hold.until(world.status())
        world.places["web"] = "n2"
        assert hold.until(world.status())

    def test_units_are_those_of_the_design(self, design_of):
        design = design_of("active-passive")
        crash = Mishap(Breakage.SERVICE_CRASH, "n1", "web-server")
        assert unit_of(design, crash) == "hadeploy-nginx@web-server.service"
        assert unit_of(design, Mishap(Breakage.DAEMON_CRASH, "n1", "corosync")) == "corosync.service"

    @pytest.mark.parametrize("pattern", ["active-passive", "active-active", "n-plus-1"])
    def test_every_mishap_can_be_brought_about_in_a_lab(self, design_of, pattern):
        design = design_of(pattern)
        for mishap in every_mishap(design):
            assert fault_of(design, mishap).name


def verdict_of(outage=0.0, failed=0, **changes):
    wish = {
        "fault": "x",
        "victim": "n1",
        "injected_at": 10.0,
        "restored_at": 20.0,
        "ownership": {WEB: Ownership(WEB, ("n1",), 0.0, (), 10)},
        "outages": {"web": Outage("web", outage, failed, 100, ("n1",), over=True)},
        "power": (),
        "before": {"group web": "n1", "address web": "n1"},
        "after": {"group web": "n1", "address web": "n1"},
        "takeover_at": {},
    }
    return Verdict(**{**wish, **changes})


def judged(design, mishap, verdict, *, holder="n1", sees_fencing=True):
    predicted = {r.service: r for r in predict(design, None, {"web": holder}) if r.mishap == mishap}
    return judge_verdict(design, mishap, verdict, predicted, sees_fencing=sees_fencing, load=0.1)


class TestJudgement:
    CUT = Mishap(Breakage.POWER_CUT, "n1")
    MOVED = {"group web": "n2", "address web": "n2"}
    FENCED = (PowerEvent(15.0, "n1", "on", "done"),)

    def test_a_failover_as_predicted(self, design_of):
        verdict = verdict_of(9.5, 300, after=self.MOVED, takeover_at={WEB: 19.0}, power=self.FENCED)
        assert judged(design_of("active-passive"), self.CUT, verdict).held

    @pytest.mark.parametrize("seconds", [5.0, 40.0])
    def test_a_failover_that_is_too_quick_or_too_slow(self, design_of, seconds):
        verdict = verdict_of(seconds, 300, after=self.MOVED, takeover_at={WEB: 19.0}, power=self.FENCED)
        found = judged(design_of("active-passive"), self.CUT, verdict)
        assert not found.held
        assert found.faults == ()

    def test_a_takeover_before_the_fencing(self, design_of):
        verdict = verdict_of(9.5, 300, after=self.MOVED, takeover_at={WEB: 14.0}, power=self.FENCED)
        assert judged(design_of("active-passive"), self.CUT, verdict).faults == (
            "web was taken over before n1 was fenced",
        )

    def test_two_owners(self, design_of):
        double = (OwnerSample(12.0, WEB, frozenset({"n1", "n2"})),)
        verdict = verdict_of(ownership={WEB: Ownership(WEB, ("n1",), 0.0, double, 10)})
        (fault,) = judged(design_of("active-passive"), RING, verdict).faults
        assert "n1 and n2 at once for 0.02 s, 2.0 s after the strike" in fault

    def test_a_hung_vrrp_holder_may_answer_until_it_is_thawed(self, design_of):
        address = "10.72.1.100"
        mishap = Mishap(Breakage.HUNG_NODE, "lb1")
        for at, count in ((12.0, 0), (21.0, 1)):
            double = tuple(
                OwnerSample(at + 0.02 * number, address, frozenset({"lb1", "lb2"})) for number in range(12)
            )
            verdict = verdict_of(
                ownership={address: Ownership(address, (), 0.0, double, 9)}, outages={}, before={}, after={}
            )
            assert len(judged(design_of("active-active"), mishap, verdict).faults) == count

    @pytest.mark.parametrize(("samples", "faults"), [(3, 0), (12, 1)])
    def test_an_address_that_goes_home_is_let_go_at_the_first_advert(self, design_of, samples, faults):
        address = "10.72.1.100"
        double = tuple(
            OwnerSample(30.0 + 0.02 * number, address, frozenset({"lb1", "lb2"})) for number in range(samples)
        )
        verdict = verdict_of(
            ownership={address: Ownership(address, (), 0.0, double, 9)}, outages={}, before={}, after={}
        )
        found = judged(design_of("active-active"), Mishap(Breakage.POWER_CUT, "lb1"), verdict)
        assert len(found.faults) == faults
        assert len(found.remarks) == 1 - faults

    def test_what_moved_without_need(self, design_of):
        found = judged(design_of("active-passive"), RING, verdict_of(after=self.MOVED))
        assert sorted(found.faults) == [
            "address web moved from n1 to n2 without need",
            "group web moved from n1 to n2 without need",
        ]

    def test_a_service_that_never_comes_back(self, design_of):
        outage = Outage("web", 9.0, 100, 200, (), over=False)
        found = judged(design_of("active-passive"), self.CUT, verdict_of(outages={"web": outage}))
        assert "web is not served again" in found.faults
        assert [each.inside for each in found.comparisons] == [False]

    def test_a_busy_observer_is_told_of(self, design_of):
        found = judged(design_of("active-passive"), RING, verdict_of(stall=0.7))
        assert any("0.70 s" in remark for remark in found.remarks)


LOST = Records("data", 100, (98, 99, 100), 5.0, 0, lost_seconds=3.5)


@pytest.mark.parametrize(
    ("protocol", "bandwidth", "faults", "told"),
    [
        ("C", 2**20, ["data has lost 3 of 100 acknowledged records: 98, 99, 100"], "3 lost, none"),
        ("A", 2**20, [], "3 lost (3.50 s of them; the design bounds it by 4 s), none"),
        ("A", 0, [], "3 lost (3.50 s of them; nothing bounds it), none"),
        (
            "A",
            2**30,
            [
                "data has lost 3 of 100 acknowledged records, 3.50 s of them where 3.001 s is the bound: 98, 99, 100"
            ],
            "3 lost (3.50 s of them; the design bounds it by 3.001 s), none",
        ),
    ],
)
def test_what_is_lost_is_held_against_what_the_protocol_promises(
    design_of, protocol, bandwidth, faults, told
):
    design = design_of("active-passive-drbd")
    volumes = tuple(
        replace(volume, protocol=protocol, send_buffer=2**20, bandwidth=bandwidth)
        for volume in design.volumes
    )
    finding = judged(replace(design, volumes=volumes), STANDBY, verdict_of(records=(LOST,)))
    assert [fault for fault in finding.faults if "lost" in fault] == faults
    assert f"data: 100 records acknowledged, {told} for 5.0 s at the longest" in finding.remarks


@pytest.mark.parametrize(
    ("breakage", "faults"),
    [
        (Breakage.POWER_CUT, ["data has lost 3 of 100 acknowledged records: 98, 99, 100"]),
        (Breakage.ISOLATION, []),
    ],
)
def test_a_primary_that_does_not_wait_may_lose_what_it_takes_until_it_is_shot(design_of, breakage, faults):
    """A power cut of the same member leaves nothing to take: protocol C has no excuse then."""
    design = design_of("active-passive-drbd", ("protocol: C", "protocol: C\n    fencing: resource-only"))
    finding = judged(design, Mishap(breakage, "n1"), verdict_of(records=(LOST,)))
    assert [fault for fault in finding.faults if "lost" in fault] == faults


def test_the_span_of_what_is_lost():
    acknowledged = [Acknowledgement(number, 0.5 * number) for number in range(1, 8)]
    assert judge_records("data", acknowledged, {1, 2, 3, 4, 9}).lost_seconds == 1.0
    assert judge_records("data", acknowledged, range(1, 10)).lost_seconds == 0.0


def test_holders(world):
    world.places["web"] = "n2"
    assert holders_of(world.design, world.status()) == {"web": "n2"}
    assert campaign_module.RECOVERY_SECONDS > 60


@pytest.mark.parametrize(("took", "pause"), [(0.1, 0.3), (3.0, 6.0), (30.0, 10.0)])
def test_members_that_are_slow_to_answer_are_asked_less_often(monkeypatch, took, pause):
    clock = {"now": 0.0}
    pauses = []

    def status():
        clock["now"] += took
        return len(pauses) == 2

    monkeypatch.setattr("hadeploy.drill.drill.time.monotonic", lambda: clock["now"])
    monkeypatch.setattr("hadeploy.drill.drill.time.sleep", pauses.append)
    assert wait_until(status, bool, 600, "well")
    assert pauses == pytest.approx([pause, pause])


@pytest.mark.parametrize(("accelerator", "seconds"), [("tcg", 900), ("kvm", 180), ("", 180)])
def test_emulated_machines_are_waited_for_longer(design_of, accelerator, seconds):
    plan = LabPlan("x", (), (), ())
    state = LabState(plan, Process(1, "0"), accelerator=accelerator)
    assert LabWorld(state, design_of("active-passive")).recovery_seconds == seconds
