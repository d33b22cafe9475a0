"""Devices that cut a node off from its storage: the cluster gives the access back, before anything else happens there."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml
from lxml import etree

from hadeploy.daemons.pacemaker import share as pacemaker
from hadeploy.proof.job import JobOutcome
from hadeploy.proof.scheduler_job import read_decision
from hadeploy.proof.scheduler_status import StatusWriter
from hadeploy.spec.catalogue import agent_names, find_agent
from hadeploy.spec.catalogue.metadata import parse_metadata
from tests.rules.test_rules import CASES, make_case

METADATA = """<?xml version="1.0"?><resource-agent name="fence_own"><parameters/><actions>
<action name="on" {attributes}/><action name="off"/><action name="monitor"/></actions></resource-agent>"""


@pytest.fixture
def fabric(tmp_path):
    """active-passive with fence_scsi in one level with each BMC."""
    case = yaml.safe_load((CASES / "HA180.yml").read_text(encoding="utf-8"))
    return make_case(tmp_path, case["base"], case["both"], case["holds"]).design


def cib(design):
    return pacemaker.cluster_information_base(design).xml


def test_only_what_cuts_off_provides_unfencing(fabric):
    root = etree.fromstring(cib(fabric))
    provides = {
        each.get("id"): [
            pair.get("value") for pair in each.iterfind("meta_attributes/nvpair[@name='provides']")
        ]
        for each in root.iterfind(".//primitive[@class='stonith']")
    }
    assert provides == {"scsi": ["unfencing"], "ipmi-n1": [], "ipmi-n2": []}
    assert root.find(".//nvpair[@name='fence-reaction']").get("value") == "panic"


def test_power_alone_provides_nothing(two_nodes):
    root = etree.fromstring(cib(two_nodes))
    assert root.find(".//nvpair[@name='provides']") is None
    assert root.find(".//nvpair[@name='fence-reaction']") is None


def test_a_device_that_works_on_its_target_is_not_kept_from_it(tmp_path):
    """Unfencing is done by the node itself, whose pacemaker-fenced forgets what may not run there."""
    case = yaml.safe_load((CASES / "HA180.yml").read_text(encoding="utf-8"))
    each = {
        f"fencing.devices.scsi-{name}": case["both"]["fencing.devices.scsi"]
        | {"targets": [name], "delay": delay}
        for name, delay in (("n1", "5s"), ("n2", "0s"))
    }
    levels = {"fencing.levels": {name: [[f"scsi-{name}", f"ipmi-{name}"]] for name in ("n1", "n2")}}
    design = make_case(tmp_path, case["base"], each, levels, {"objectives.rto": None}).design
    banned = [
        x.get("rsc")
        for x in etree.fromstring(cib(design)).iter("rsc_location")
        if x.get("score") == "-INFINITY"
    ]
    assert sorted(banned) == ["ipmi-n1", "ipmi-n2"]


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
def test_the_catalogue_knows_them(release):
    agents = (find_agent(release, name) for name in agent_names(release))
    cutting = {agent.name: agent.unfencing.on_target for agent in agents if agent.unfencing is not None}
    assert cutting.pop("fence_scsi") is cutting.pop("fence_mpath") is True
    assert not any(cutting.values())
    assert {"fence_brocade", "fence_cisco_mds", "fence_ifmib", "fence_sanbox2"} <= cutting.keys()


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('automatic="1" on_target="1"', (True, True)),
        ('required="true"', (True, False)),
        ('automatic="0"', None),
    ],
)
def test_metadata_in_old_and_new_words(attributes, expected):
    found = parse_metadata("fence_own", METADATA.format(attributes=attributes)).unfencing
    assert (None if found is None else (found.automatic, found.on_target)) == expected


def simulated(text: str, *more: str) -> str:
    told = subprocess.run(
        ["crm_simulate", "--xml-pipe", *more],
        input=text,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return told.stdout


@pytest.mark.native
def test_every_node_is_unfenced_before_anything_starts(fabric):
    steps = [
        line for line in simulated(StatusWriter(cib(fabric)).unprobed(), "-S").splitlines() if " * " in line
    ]
    steps = steps[next(i for i, line in enumerate(steps) if "action:" in line) :]
    for node in ("n1", "n2"):
        unfenced = next(i for i, line in enumerate(steps) if re.search(rf"Fencing {node} \(on\)", line))
        touched = [i for i, line in enumerate(steps) if re.search(rf"Resource action: .* on {node}$", line)]
        assert touched
        assert unfenced < min(touched)


@pytest.mark.native
def test_one_that_was_unfenced_is_left_alone_and_a_lost_one_is_fenced(fabric):
    place = {"web-server": "n1", "web-address": "n1", "scsi": "n1", "ipmi-n1": "n2", "ipmi-n2": "n1"}
    writer = StatusWriter(cib(fabric))

    def decision(text: str):
        return read_decision(JobOutcome(0, simulated(text, "--run", "--output-as=xml"), "", 0.0))

    idle = decision(writer.status(place))
    assert (idle.fences, idle.actions) == ((), ())
    assert [fence.node for fence in decision(writer.status(place, lost=["n1"])).fences] == ["n1"]
    assert decision(writer.unprobed()).fences == ()


@pytest.mark.native
def test_pacemaker_takes_it(fabric, parser_host):
    base = pacemaker.cluster_information_base(fabric)
    for check in base.checks:
        good, said = parser_host.judge(check, base.xml)
        assert good, said
