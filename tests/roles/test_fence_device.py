"""Fence devices are asked as Pacemaker's fencer asks them: by programs that answer as the fence agents' API says."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

pytestmark = pytest.mark.programs

METADATA = """<?xml version="1.0" ?>
<resource-agent name="{name}"><parameters>{parameters}</parameters><actions>{actions}</actions></resource-agent>"""

AGENT = """#!/usr/bin/python3
import json, sys, time
if len(sys.argv) > 1:
    print('''{metadata}''')
    sys.exit(0)
given = dict(line.rstrip("\\n").split("=", 1) for line in sys.stdin)
with open("{log}", "a") as log:
    log.write(json.dumps(given) + "\\n")
{answer}
"""

LIBRARY_ERROR = (
    "2026-11-30 16:00:00,123 ERROR: Failed: Unable to obtain correct plug status or plug is not available\n\n\n"
    "2026-11-30 16:00:00,123 ERROR: Please use '-h' for usage\n"
)
SWITCH = ("ip", "password", "plug")
BOARD = ("ip", "password")


class Agents:
    """A folder of agents, and what they were told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "asked"

    def make(
        self, name: str, answer: str, *, parameters=BOARD, actions=("on", "status", "monitor"), automatic="0"
    ) -> None:
        metadata = METADATA.format(
            name=name,
            parameters="".join(f'<parameter name="{each}"/>' for each in parameters),
            actions="".join(f'<action name="{each}" automatic="{automatic}"/>' for each in actions),
        )
        file = self.folder / name
        file.write_text(AGENT.format(metadata=metadata, log=self.log, answer=answer))
        file.chmod(0o755)

    @property
    def asked(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def agents(tmp_path: Path, fence_device, monkeypatch: pytest.MonkeyPatch) -> Agents:
    monkeypatch.setattr(fence_device, "AGENTS", str(tmp_path))
    monkeypatch.setattr(fence_device, "PAUSE_SECONDS", (0, 0))
    return Agents(tmp_path)


def device(name: str, agent: str, *, start: str = "20s", **parameters: str) -> str:
    pairs = "".join(
        f'<nvpair id="{name}-{key}" name="{key}" value="{value}"/>' for key, value in parameters.items()
    )
    return (
        f'<primitive id="{name}" class="stonith" type="{agent}"><instance_attributes id="{name}-p">{pairs}'
        f'</instance_attributes><operations><op id="{name}-s" name="start" interval="0s" timeout="{start}"/></operations>'
        "</primitive>"
    )


def cib(*devices: str, constraints: str = "", properties: str = "") -> str:
    return (
        f'<cib><configuration><crm_config><cluster_property_set id="o">{properties}</cluster_property_set></crm_config>'
        f"<resources>{''.join(devices)}</resources><constraints>{constraints}</constraints></configuration></cib>"
    )


def away(name: str, node: str) -> str:
    return f'<rsc_location id="location-{name}-{node}" rsc="{name}" node="{node}" score="-INFINITY"/>'


def judge(fence_device, xml: str, node: str, *devices: str, secrets=None, starts: bool = False):
    return fence_device.judged(xml, secrets or {}, node, list(devices), starts)


def test_every_device_that_cannot_be_used_is_named_with_the_agents_reason(agents, fence_device):
    agents.make("fence_bad", f"sys.stderr.write({LIBRARY_ERROR!r}); sys.exit(1)")
    agents.make("fence_good", "print('Status: ON'); sys.exit(0)")
    xml = cib(device("a", "fence_bad"), device("b", "fence_good"), device("c", "fence_bad"))
    answered, unchecked, refused = judge(fence_device, xml, "n2", "a", "b", "c")
    reason = "Unable to obtain correct plug status or plug is not available"
    assert (answered, unchecked, refused) == (["b"], [], [f"a: {reason}", f"c: {reason}"])


def test_a_target_that_is_off_means_that_the_device_works(agents, fence_device):
    agents.make("fence_off", "print('Status: OFF'); sys.exit(2)")
    assert judge(fence_device, cib(device("a", "fence_off")), "n2", "a") == (["a"], [], [])


def test_two_is_no_success_of_a_monitor(agents, fence_device):
    agents.make("fence_watch", "sys.exit(2)", actions=("on", "monitor"))
    _, _, refused = judge(fence_device, cib(device("a", "fence_watch")), "n2", "a")
    assert refused == ["a: the agent ended with 2 and gave no reason"]
    assert {each["action"] for each in agents.asked} == {"monitor"}


@pytest.mark.parametrize(
    ("constraints", "properties", "asks"),
    [
        ("", "", {"n1", "n2"}),
        (away("a", "n1"), "", {"n2"}),
        (away("a", "n1"), '<nvpair id="s" name="symmetric-cluster" value="false"/>', set()),
        (
            '<rsc_location id="l" rsc="a" node="n2" score="0"/>',
            '<nvpair id="s" name="symmetric-cluster" value="false"/>',
            {"n2"},
        ),
        ('<rsc_location id="cli-ban-a-on-n2" rsc="a" node="n2" score="-INFINITY"/>', "", {"n1", "n2"}),
    ],
)
def test_the_nodes_that_may_run_a_device_ask_it(agents, fence_device, constraints, properties, asks):
    agents.make("fence_good", "sys.exit(0)")
    xml = cib(device("a", "fence_good"), constraints=constraints, properties=properties)
    assert {node for node in ("n1", "n2") if judge(fence_device, xml, node, "a")[0]} == asks


def test_every_outlet_of_a_switch_is_asked_about(agents, fence_device):
    """Two devices of one level, each with its outlets: all that a fencing would need."""
    agents.make("fence_switch", "sys.exit(1 if given['plug'] == '3,4' else 0)", parameters=SWITCH)
    xml = cib(
        device(
            "left",
            "fence_switch",
            pcmk_host_list="n1,n2",
            pcmk_host_map="n1:1,2;n2:3,4",
            pcmk_off_timeout="9s",
        ),
        device("right", "fence_switch", pcmk_host_list="n1 n2", ip="192.0.2.1"),
    )
    answered, _, refused = judge(fence_device, xml, "n1", "left", "right")
    assert sorted(answered) == [
        "left (asked about n1)",
        "right (asked about n1)",
        "right (asked about n2)",
    ]
    assert refused == ["left: the agent ended with 1 and gave no reason (asked about n2)"]
    told = {(each["nodename"], each["plug"]) for each in agents.asked}
    assert told == {("n1", "1,2"), ("n2", "3,4"), ("n1", "n1"), ("n2", "n2")}
    assert not [each for each in agents.asked if any(key.startswith("pcmk_") for key in each)]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"pcmk_host_argument": "uuid"}, {"uuid": "n1"}),
        ({"pcmk_host_argument": "none"}, {}),
        ({"plug": "7"}, {"plug": "7"}),
        ({"plug": "dynamic"}, {"plug": "n1"}),
        ({"pcmk_status_action": "metadata"}, {"action": "metadata", "plug": "n1"}),
    ],
)
def test_parameters_are_told_as_the_fencer_tells_them(agents, fence_device, more, told):
    agents.make("fence_switch", "sys.exit(0)", parameters=SWITCH)
    xml = cib(device("a", "fence_switch", pcmk_host_list="n1", **more))
    assert judge(fence_device, xml, "n2", "a")[0] == ["a"]
    assert agents.asked == [{"action": "status", "nodename": "n1"} | told]


def test_an_agent_that_does_not_answer_is_bounded_and_ends(agents, fence_device):
    agents.make("fence_slow", "time.sleep(60)")
    began = time.monotonic()
    _, _, refused = judge(
        fence_device,
        cib(*(device(f"d{n}", "fence_slow", start="1s") for n in range(4))),
        "n1",
        "d0",
        "d1",
        "d2",
        "d3",
    )
    assert refused == [f"d{n}: the agent did not answer within 1 s" for n in range(4)]
    assert time.monotonic() - began < 6, "they are asked at once, and each is bounded"


def test_a_controller_that_serves_one_session_is_asked_once_more(agents, fence_device):
    agents.make("fence_busy", f"sys.exit(0 if sum(1 for _ in open({str(agents.log)!r})) > 1 else 1)")
    assert judge(fence_device, cib(device("a", "fence_busy")), "n1", "a")[0] == ["a"]


def test_a_secret_is_on_no_command_line_and_in_no_reason(agents, fence_device):
    agents.make(
        "fence_tells",
        "mine = open('/proc/self/cmdline').read()\n"
        "sys.stderr.write(f\"argv has it: {given['password'] in mine}; no login with {given['password']}\"); sys.exit(1)",
    )
    xml = cib(device("a", "fence_tells", password="@@hadeploy:a.password@@"))
    _, _, refused = judge(fence_device, xml, "n1", "a", secrets={"a.password": "hush, it's secret"})
    assert refused == ["a: argv has it: False; no login with (secret)"]
    written = cib(device("a", "fence_tells", password="in clear"))
    assert judge(fence_device, written, "n1", "a")[2] == ["a: argv has it: False; no login with (secret)"]


def test_a_line_break_in_a_value_is_refused_and_never_told(agents, fence_device):
    agents.make("fence_good", "sys.exit(0)")
    xml = cib(device("a", "fence_good", password="@@hadeploy:p@@"))
    _, _, refused = judge(fence_device, xml, "n1", "a", secrets={"p": "x\naction=off"})
    assert refused == ["a: the value of password has a line break"]
    assert agents.asked == []


@pytest.mark.parametrize("name", ["action", "option"])
def test_a_device_is_never_told_to_do_anything(agents, fence_device, name):
    agents.make("fence_good", "sys.exit(0)")
    xml = cib(device("a", "fence_good", pcmk_host_list="n1", **{name: "off"}))
    assert judge(fence_device, xml, "n2", "a")[0] == ["a"]
    assert agents.asked == [{"action": "status", "nodename": "n1"}]


def test_a_status_that_would_fence_is_refused_and_never_told(agents, fence_device):
    agents.make("fence_good", "sys.exit(0)")
    xml = cib(device("a", "fence_good", pcmk_host_list="n1", pcmk_status_action="reboot"))
    refused = ["a: pcmk_status_action is reboot, which does more than ask"]
    assert judge(fence_device, xml, "n2", "a") == ([], [], refused)
    assert agents.asked == []


def test_what_cannot_be_asked_yet_is_said(agents, fence_device):
    agents.make("fence_fabric", "sys.exit(1)", automatic="1")
    xml = cib(device("a", "fence_fabric"), device("b", "fence_missing"))
    answered, unchecked, refused = judge(fence_device, xml, "n1", "a", "b", starts=True)
    assert (answered, refused) == ([], [])
    assert unchecked == [
        "a: fence_fabric answers once the cluster runs",
        "b: fence_missing is not installed yet",
    ]
    assert judge(fence_device, xml, "n1", "a", starts=False)[2], "it runs: the device is asked"


def test_only_devices_that_the_cluster_has_not_like_that_are_pending(fence_agent):
    before = cib(device("a", "fence_x", ip="1"), device("b", "fence_x", ip="2"), constraints=away("b", "n1"))

    def pending(after: str) -> list[str]:
        trees = (ElementTree.fromstring(text).find("configuration") for text in (before, after))
        return fence_agent.changed_devices(*trees)

    assert pending(before) == []
    assert pending(before.replace('value="2"', 'value="3"')) == ["b"]
    assert pending(before.replace(away("b", "n1"), "")) == ["b"], "another node may run it"
    assert (
        pending(
            before.replace("</constraints>", '<rsc_location id="cli-ban" rsc="a" node="n1"/></constraints>')
        )
        == []
    )
    assert pending(cib(device("a", "fence_y", ip="1"), device("c", "fence_x"))) == ["a", "c"]
    assert fence_agent.changed_devices(None, ElementTree.fromstring(before).find("configuration")) == [
        "a",
        "b",
    ]
