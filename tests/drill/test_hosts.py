"""Real hosts, without any: what is asked of them over SSH, and what is refused before."""

from __future__ import annotations

import pytest

from hadeploy.app.drill import DrillRequest, prepare_drill
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill import hosts_world
from hadeploy.drill.errors import DrillError
from hadeploy.drill.hosts_world import HostsWorld
from hadeploy.run import drill_hand
from hadeploy.run.ask import Answer, Reach
from hadeploy.run.drill_hand import agent_input

ALL = ("power-cut", "service-crash", "daemon-crash", "backend-death", "link-cut")
CUT = Mishap(Breakage.POWER_CUT, "n1")
RING = Mishap(Breakage.LINK_CUT, "n1", "ring")


@pytest.fixture
def asked(monkeypatch):
    """What went over SSH: (host, argv); ``answers`` are given in turn, then success."""
    calls, answers = [], []

    def ask(questions, _stdin):
        ((host, (_, argv)),) = questions.items()
        calls.append((host, argv))
        return {host: answers.pop(0) if answers else Answer()}

    monkeypatch.setattr(hosts_world, "ask_hosts", ask)
    return calls, answers


def world(design, allowed=ALL):
    return HostsWorld(
        design, [Reach(member.name, member.management_address) for member in design.members], allowed
    )


class TestWhatIsDone:
    def test_power_is_cut_by_a_peer_through_the_fence_device(self, design_of, asked):
        hosts = world(design_of("active-passive"))
        hosts.strike(CUT)
        hosts.restore(CUT)
        assert asked[0] == [
            ("n2", ("python3", "-", "power", "off", "n1", "ipmi-n1")),
            ("n2", ("python3", "-", "power", "on", "n1", "ipmi-n1")),
        ]

    def test_another_peer_is_asked_where_the_first_cannot(self, design_of, asked):
        calls, answers = asked
        answers.append(Answer(error="no route to host"))
        world(design_of("n-plus-1")).restore(Mishap(Breakage.POWER_CUT, "a1"))
        assert [host for host, _ in calls] == ["a2", "s1"]

    def test_a_group_that_does_not_come_leaves_no_constraint_behind(self, design_of, asked):
        calls, answers = asked
        answers += [Answer(), Answer(error="Timeout occurred")]
        with pytest.raises(DrillError, match="Timeout occurred"):
            world(design_of("active-passive")).bring_home("web", "n1")
        assert [argv[1] for _, argv in calls] == ["--move", "--wait", "--clear"]

    def test_where_nobody_can_a_person_is_told(self, design_of, asked):
        asked[1].append(Answer(error="no route to host"))
        with pytest.raises(DrillError) as error:
            world(design_of("active-passive")).restore(CUT)
        assert "n2: n2: no route to host" in error.value.message
        assert error.value.mend == "switch n1 on by hand"

    def test_a_link_is_cut_for_a_while(self, design_of, asked):
        hosts = world(design_of("active-passive"))
        hosts.strike(RING)
        hosts.restore(RING)
        assert [argv[2:] for _, argv in asked[0]] == [("cut", "ring0", "120"), ("mend",)]

    def test_a_link_is_cut_at_the_interface_of_that_node(self, design_of, asked):
        own = ("addresses: {lan: 10.71.1.11", "interfaces: {ring: ens19}\n    addresses: {lan: 10.71.1.11")
        world(design_of("active-passive", own)).strike(RING)
        assert [argv[2:] for _, argv in asked[0]] == [("cut", "ens19", "120")]

    def test_a_crash_is_not_undone(self, design_of, asked):
        hosts = world(design_of("active-passive"))
        crash = Mishap(Breakage.DAEMON_CRASH, "n1", "corosync")
        hosts.strike(crash)
        hosts.restore(crash)
        assert asked[0] == [("n1", ("python3", "-", "kill", "corosync.service"))]


class TestWhatIsNot:
    @pytest.mark.parametrize(
        ("mishap", "allowed", "words"),
        [
            (CUT, ("link-cut",), "does not allow power-cut"),
            (Mishap(Breakage.LINK_CUT, "n1", "lan"), ALL, "SSH comes over"),
            (Mishap(Breakage.HUNG_NODE, "n1"), ALL, "hung host"),
            (Mishap(Breakage.ISOLATION, "n1"), ALL, "isolated host"),
            (CUT, ALL, ""),
        ],
    )
    def test_what_cannot_be_undone_is_not_begun(self, design_of, mishap, allowed, words):
        reason = world(design_of("active-passive"), allowed).why_not(mishap)
        assert words in reason
        assert bool(reason) == bool(words)

    def test_without_fencing_there_is_no_power_switch(self, design_of):
        assert "no power switch" in world(design_of("active-active")).why_not(
            Mishap(Breakage.POWER_CUT, "lb1")
        )

    def test_a_topology_must_allow_it(self, design_of, tmp_path):
        design_of("active-passive")
        _, findings = prepare_drill(DrillRequest(tmp_path / "topology.yaml", hosts=True))
        assert [finding.code for finding in findings] == ["DRILL005"]

    @pytest.mark.parametrize("value", ["1", '"true"', "maybe", "yes"])
    def test_only_true_is_true(self, design_of, tmp_path, value):
        design_of("active-passive")
        text = (tmp_path / "topology.yaml").read_text(encoding="utf-8") + f"drill: {{allowed: {value}}}\n"
        (tmp_path / "topology.yaml").write_text(text, encoding="utf-8")
        _, findings = prepare_drill(DrillRequest(tmp_path / "topology.yaml", hosts=True))
        assert [finding.code for finding in findings] == ["SPEC121"]

    def test_a_probe_of_nothing(self, design_of, tmp_path):
        design_of("active-passive")
        text = (tmp_path / "topology.yaml").read_text(
            encoding="utf-8"
        ) + "drill: {probes: {nowhere: {port: 1}}}\n"
        (tmp_path / "topology.yaml").write_text(text, encoding="utf-8")
        _, findings = prepare_drill(DrillRequest(tmp_path / "topology.yaml", lab=True))
        assert [(finding.code, finding.summary) for finding in findings] == [
            ("SPEC030", "there is no virtual address nowhere")
        ]


RESOURCES = """<resources>
 <primitive id="ipmi-n1" class="stonith" type="fence_ipmilan"><instance_attributes id="a">
  <nvpair id="1" name="ip" value="192.0.2.1"/><nvpair id="2" name="password" value="s3cret"/>
  <nvpair id="3" name="pcmk_host_list" value="n1"/><nvpair id="4" name="pcmk_delay_base" value="2s"/>
 </instance_attributes></primitive>
 <primitive id="pdu" class="stonith" type="fence_apc"><instance_attributes id="b">
  <nvpair id="5" name="pcmk_host_map" value="n1:3;n2:4"/><nvpair id="6" name="ip" value="192.0.2.2"/>
 </instance_attributes></primitive>
 <primitive id="hidden" class="stonith" type="fence_apc"><instance_attributes id="c">
  <nvpair id="7" name="password" value="lrm://"/></instance_attributes></primitive>
 <primitive id="web" class="systemd" type="web"/>
</resources>"""
PLAIN = "<resource-agent><parameters><parameter name='ip'/></parameters></resource-agent>"
WITH_PLUG = "\n<resource-agent><parameters><parameter name='plug'/><parameter name='ip'/></parameters></resource-agent>"


class TestTheHand:
    def test_what_is_pacemakers_own_is_left_out(self):
        assert agent_input(RESOURCES, PLAIN, "ipmi-n1", "n1", "off") == (
            "action=off\nnodename=n1\nip=192.0.2.1\npassword=s3cret\n"
        )

    def test_outlets_follow_the_host_map(self):
        assert "plug=3\n" in agent_input(RESOURCES, WITH_PLUG, "pdu", "n1", "on")

    def test_a_machine_is_its_own_outlet_without_a_map(self):
        assert "plug=n9\n" in agent_input(RESOURCES, WITH_PLUG, "ipmi-n1", "n9", "on")

    def test_a_parameter_that_is_in_a_file_is_read_there(self, tmp_path, monkeypatch):
        monkeypatch.setattr(drill_hand, "SECRETS", tmp_path)
        (tmp_path / "hidden").mkdir()
        (tmp_path / "hidden" / "password").write_text(" s3=cret # {{x}}\n", encoding="utf-8")
        assert "password= s3=cret # {{x}}\n" in agent_input(RESOURCES, PLAIN, "hidden", "n1", "off")

    @pytest.mark.parametrize("device", ["web", "nothing"])
    def test_what_is_no_usable_device(self, device):
        with pytest.raises(LookupError):
            agent_input(RESOURCES, PLAIN, device, "n1", "off")
