"""What a topology asks of agents, held against what the agents say of themselves."""

from __future__ import annotations

import pytest

from hadeploy.diagnostics import Severity
from hadeploy.spec.agents import advised_timeout, check_agents
from hadeploy.spec.catalogue import agent_names, find_agent, releases
from hadeploy.spec.load import load_topology

PASSWORD = "{env: HADEPLOY_IPMI_PASSWORD}"

OWN_AGENT = """\
a line that does not belong here
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="ledger" version="1">
  <shortdesc lang="en">Keeps
    the   ledger</shortdesc>
  <parameters>
    <parameter name="book" required="1" unique="1"><shortdesc>which book</shortdesc><content type="string"/></parameter>
    <parameter name="pages" required="1"><content type="integer" default="12"/></parameter>
    <parameter name="root"><content type="boolean" default="/var/lib/ledger"/></parameter>
  </parameters>
  <actions>
    <action name="start" timeout="90"/>
    <action name="stop" timeout="1m"/>
    <action name="monitor" depth="0" timeout="20s" interval="10s"/>
    <action name="monitor" depth="10" timeout="300s" interval="1h"/>
    <action name="meta-data" timeout="5s"/>
  </actions>
</resource-agent>
"""


def fencing(example: str, parameters: str, agent: str = "fence_ipmilan", release: str = "debian-12") -> str:
    """The example with one other fencing device for n2."""
    start, end = example.index("    ipmi-n2:"), example.index("virtual_addresses:")
    device = (
        f"    other-n2:\n      agent: {agent}\n      targets: [n2]\n      parameters: {{{parameters}}}\n\n"
    )
    return (example[:start] + device + example[end:]).replace("release: debian-12", f"release: {release}")


def member(example: str, agent: str, parameters: str = "", operations: str = "") -> str:
    """The example with one OCF member."""
    text = f"      - kind: ocf\n        name: thing\n        agent: {agent}\n"
    text += f"        parameters: {{{parameters}}}\n" if parameters else ""
    text += f"        operations: {{{operations}}}\n" if operations else ""
    return example.replace("    addresses: [web]\n", f"{text}    addresses: [web]\n")


@pytest.fixture
def check(tmp_path):
    """Findings of a text as (code, the text that begins at the place), and the findings themselves."""

    def run(text: str, ask=lambda _: None):
        file = tmp_path / "topology.yaml"
        file.write_text(text, encoding="utf-8")
        loaded, found = load_topology(file)
        assert loaded is not None, list(found)
        found = check_agents(loaded, ask)
        lines = text.splitlines()
        return [(f.code, lines[f.span.line - 1][f.span.column - 1 :]) for f in found], list(found)

    return run


APC = "ip: 10.71.9.5, username: admin, password: {env: PDU}"

CASES = [
    # (agent, parameters, what is found and the text at its place)
    (
        "fence_ipmilan",
        f"ip: 10.71.9.1, username: admin, password: {PASSWORD}, lanplus: true, method: onoff",
        [],
    ),
    ("fence_ipmilan", "ip: 10.71.9.1, lan_plus: true", [("SPEC061", "lan_plus: true")]),
    ("fence_ipmilan", "ip: 10.71.9.1, lanplus: maybe", [("SPEC063", "lanplus: maybe")]),
    ("fence_ipmilan", "ip: 10.71.9.1, lanplus: 'ON'", []),
    ("fence_ipmilan", "ip: 10.71.9.1, ipport: rmcp", [("SPEC063", "ipport: rmcp")]),
    ("fence_ipmilan", "ip: 10.71.9.1, ipport: true", [("SPEC063", "ipport: true")]),
    ("fence_ipmilan", "ip: 10.71.9.1, power_wait: 5s", [("SPEC063", "power_wait: 5s")]),
    ("fence_ipmilan", "ip: 10.71.9.1, method: kick", [("SPEC063", "method: kick")]),
    ("fence_ipmilan", "ip: 10.71.9.1, method: CYCLE", []),
    ("fence_ipmilan", "ipaddr: 10.71.9.1", [("SPEC064", "ipaddr: ")]),
    ("fence_ipmilan", "ip: 10.71.9.1, login: a, username: a", [("SPEC064", "login: a")]),
    ("fence_ipmilan", "ip: 10.71.9.1, ipmitool_path: yes", []),
    ("fence_ipmilan", "ip: 10.71.9.1, action: reboot", [("SPEC065", "action: reboot")]),
    ("fence_ipmilan", "ip: 10.71.9.1, pcmk_host_list: n2", [("SPEC065", "pcmk_host_list: n2")]),
    ("fence_ipmilan", "ip: 10.71.9.1, pcmk_action_limit: 2, pcmk_monitor_retries: 3", []),
    ("fence_ipmilan", "ip: 10.71.9.1, pcmk_monitor_retries: often", [("SPEC063", "pcmk_monitor_retries: ")]),
    ("fence_ipmilan", "ip: 10.71.9.1, pcmk_delay_maxx: 5s", [("SPEC061", "pcmk_delay_maxx: ")]),
    # The outlet is Pacemaker's to fill in; a secret counts as present; old names fulfil what new ones ask.
    ("fence_apc", APC, []),
    ("fence_apc", "ip: 10.71.9.5, password: {env: PDU}", [("SPEC062", "parameters: ")]),
    ("fence_apc", "ip: '', username: a", [("SPEC062", "parameters: ")]),
    ("fence_apc", "ip: 10.71.9.5, username: {file: user}, password: {vault: pdu}", []),
    (
        "fence_apc",
        "ipaddr: 10.71.9.5, login: a, passwd: {env: PDU}",
        [("SPEC064", "ipaddr"), ("SPEC064", "login"), ("SPEC064", "passwd")],
    ),
    ("fence_virsh", "username: root", [("SPEC062", "parameters: ")]),
]


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
@pytest.mark.parametrize(("agent", "parameters", "expected"), CASES)
def test_fencing_parameters(example, check, agent, parameters, expected, release):
    found, _ = check(fencing(example("active-passive"), parameters, agent, release))
    assert [code for code, _ in found] == [code for code, _ in expected]
    assert all(text.startswith(wanted) for (_, text), (_, wanted) in zip(found, expected, strict=True)), found


OCF_CASES = [
    ("ocf:heartbeat:Filesystem", "device: /dev/sdb, directory: /srv, fstype: ext4", []),
    (
        "ocf:heartbeat:Filesystem",
        "device: /dev/sdb, directoy: /srv",
        [("SPEC062", "parameters"), ("SPEC062", "parameters"), ("SPEC061", "directoy: ")],
    ),
    ("ocf:heartbeat:Filesystem", "", [("SPEC062", "ocf:heartbeat:Filesystem")] * 3),
    # What the description names is right, whatever the declared kind says.
    ("ocf:heartbeat:Filesystem", "device: a, directory: /s, fstype: xfs, force_unmount: safe", []),
    (
        "ocf:heartbeat:Filesystem",
        "device: a, directory: /s, fstype: xfs, run_fsck: no",
        [],
    ),
    (
        "ocf:heartbeat:Filesystem",
        "device: a, directory: /s, fstype: xfs, fast_stop: no",
        [("SPEC121", "fast_stop")],
    ),
    ("ocf:linbit:drbd", "drbd_resource: r0, wfc_timeout: soon", [("SPEC063", "wfc_timeout: soon")]),
    ("ocf:linbit:drbd", "drbd_resource: r0, unfence_extra_args: --quiet", []),
    ("ocf:pacemaker:ping", "host_list: 10.71.1.1, dampen: 5s", []),
    ("ocf:pacemaker:ping", "host_list: 10.71.1.1, trace_ra: 1", []),
    ("ocf:pacemaker:Dummy", "", []),
]


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
@pytest.mark.parametrize(("agent", "parameters", "expected"), OCF_CASES)
def test_resource_parameters(example, check, agent, parameters, expected, release):
    text = member(example("active-passive"), agent, parameters).replace("debian-12", release)
    found, _ = check(text)
    assert [code for code, _ in found] == [code for code, _ in expected]
    assert all(text.startswith(wanted) for (_, text), (_, wanted) in zip(found, expected, strict=True)), found


def test_mends_name_what_to_write(example, check):
    _, found = check(
        fencing(example("active-passive"), "ip: 10.71.9.1, lan_plus: 1, login: a, method: kick, action: off")
    )
    mends = {finding.code: finding.mend for finding in found}
    assert mends["SPEC061"] == "did you mean lanplus?"
    assert mends["SPEC064"] == "write username"
    assert mends["SPEC063"] == "one of: onoff, cycle"
    assert "pcmk_reboot_action" in mends["SPEC065"]
    assert {finding.code for finding in found if not finding.is_error} == {"SPEC064"}


NAMES = [
    ("fence_ipmlan", "SPEC066", "fence_ipmilan"),
    ("fence_impilan", "SPEC066", "fence_ipmilan"),
    ("ocf:heartbeat:ipaddr2", "SPEC066", "ocf:heartbeat:IPaddr2"),
    ("ocf:heartbeat:Filesytem", "SPEC066", "ocf:heartbeat:Filesystem"),
    ("ocf:heartbeat:drbd", "SPEC066", "ocf:linbit:drbd"),
    ("ocf:hartbeat:nginx", "SPEC066", "ocf:heartbeat:nginx"),
    # Names of one's own are no slips.
    ("ocf:example:nginx", "SPEC067", ""),
    ("ocf:heartbeat:ledger", "SPEC067", ""),
    ("fence_ilo9", "SPEC067", ""),
    ("fence_warehouse", "SPEC067", ""),
]


@pytest.mark.parametrize(("agent", "code", "meant"), NAMES)
def test_agents_that_no_package_brings(example, check, agent, code, meant):
    text = example("active-passive")
    text = fencing(text, "x: 1", agent) if agent.startswith("fence_") else member(text, agent, "x: 1")
    found, findings = check(text)
    assert found == [(code, agent)]
    assert findings[0].is_error == (code == "SPEC066")
    assert meant in findings[0].mend


def test_an_agent_of_another_release_is_told(example, check):
    assert find_agent("debian-12", "fence_ovm") is None
    _, (finding,) = check(fencing(example("active-passive"), "ip: 10.71.9.1", "fence_ovm"))
    assert (finding.code, finding.severity) == ("SPEC067", Severity.WARNING)
    assert "debian-13" in finding.detail


def test_an_installed_agent_is_asked(example, check):
    asked = []

    def ask(name: str) -> str:
        asked.append(name)
        return OWN_AGENT

    text = member(
        example("active-passive"),
        "ocf:example:ledger",
        "pagess: 3, pages: many, root: /srv",
        "start: 30s, stop: 60s, monitor: 20s",
    )
    found, findings = check(text, ask)
    assert asked == ["ocf:example:ledger"]
    assert found == [
        ("SPEC062", text.splitlines()[findings[0].span.line - 1].strip()),
        ("SPEC061", "pagess: 3, pages: many, root: /srv}"),
        ("SPEC063", "pages: many, root: /srv}"),
        ("SPEC060", "start: 30s, stop: 60s, monitor: 20s}"),
    ]
    assert findings[0].detail == "which book"


def test_advice_known_here_alone_must_be_written(example, check):
    """Left out, the compiled timeout is Pacemaker's default: what is built does not depend on who builds it."""
    text = member(example("active-passive"), "ocf:example:ledger", "book: a")
    found, findings = check(text, lambda _: OWN_AGENT)
    assert {at for _, at in found} == {"ocf:example:ledger"}
    assert [(f.code, f.mend) for f in findings] == [("SPEC060", "start: 90s"), ("SPEC060", "stop: 60s")]
    assert advised_timeout("debian-12", "ocf:example:ledger", "start") == 20_000


@pytest.mark.parametrize(
    "answer", ["", "usage: ledger {start|stop}", "<x/>", "<?xml version='1.0'?><resource-agent>"]
)
def test_an_agent_that_does_not_describe_itself(example, check, answer):
    found, findings = check(member(example("active-passive"), "ocf:example:ledger", "x: 1"), lambda _: answer)
    assert found == [("SPEC067", "ocf:example:ledger")]
    assert not findings[0].is_error


def test_validate_asks_the_agents_of_this_machine(example, findings, monkeypatch):
    from hadeploy.run import agents

    monkeypatch.setattr(agents, "ask_agent", lambda name: OWN_AGENT if name == "ocf:example:ledger" else None)
    text = member(example("active-passive"), "ocf:example:ledger", "bok: a", "start: 90s, stop: 60s")
    assert [code for code, _, _ in findings(text)] == ["SPEC062", "SPEC061"]


def test_agents_of_packages_are_not_asked(example, check):
    def ask(name: str) -> str:
        raise AssertionError(name)

    assert check(example("active-passive"), ask) == ([], [])


def test_operations_shorter_than_advised(example, check):
    found, (finding,) = check(
        member(
            example("active-passive"),
            "ocf:heartbeat:Filesystem",
            "device: a, directory: /s, fstype: xfs",
            "start: 60s, stop: 59s, monitor: 40s",
        )
    )
    assert found == [("SPEC060", "stop: 59s, monitor: 40s}")]
    assert finding.mend == "stop: 60s, or leave it out"


ADVICE = [
    ("ocf:heartbeat:IPaddr2", (20, 20, 20, 20, 20)),
    ("ocf:heartbeat:Filesystem", (60, 60, 40, 20, 20)),
    ("ocf:heartbeat:nginx", (40, 60, 30, 20, 20)),
    ("ocf:heartbeat:pgsql", (120, 120, 30, 120, 120)),
    ("ocf:heartbeat:exportfs", (40, 120, 20, 20, 20)),
    ("ocf:linbit:drbd", (240, 100, 20, 90, 90)),
    ("systemd:nginx", (100, 100, 100, 100, 100)),
    ("fence_ipmilan", (60, 60, 60, 60, 60)),
    ("ocf:example:ledger", (20, 20, 20, 20, 20)),
]


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
@pytest.mark.parametrize(("agent", "seconds"), ADVICE)
def test_advised_timeouts(release, agent, seconds):
    actions = ("start", "stop", "monitor", "promote", "demote")
    assert tuple(advised_timeout(release, agent, action) // 1000 for action in actions) == seconds


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
def test_the_catalogue_is_whole(release):
    """Every agent can be read back, is brought by a package, and no deprecated name is left without its successor."""
    names = agent_names(release)
    assert list(names) == sorted(set(names))
    assert len([name for name in names if name.startswith("fence_")]) > 80
    assert len([name for name in names if name.startswith("ocf:")]) > 150
    for name in names:
        agent = find_agent(release, name)
        assert agent is not None
        assert agent.name == name
        assert agent.package
        if name.startswith("ocf:"):
            assert agent.timeout_ms("start"), name
        for parameter in agent.parameters:
            assert parameter.kind in {"string", "integer", "boolean", "second", "time", "select"}
            followed = agent.successor(parameter.name) or "deprecated; use" in parameter.about
            assert not parameter.deprecated or followed, (name, parameter.name)
            assert len(parameter.about) <= 104
            assert "\n" not in parameter.about


@pytest.mark.parametrize("release", ["debian-12", "debian-13"])
def test_no_agent_is_refused_its_own_defaults(release):
    """Every default of every agent passes for a value: what the catalogue believes of kinds is not too strict."""
    from hadeploy.spec.parameters import check_parameters
    from hadeploy.spec.source import SourceMap

    for name in agent_names(release):
        agent = find_agent(release, name)
        assert agent is not None
        written = {parameter.name: parameter.default for parameter in agent.parameters if parameter.default}
        found = list(check_parameters(agent, None, name, written, SourceMap("x"), ()))
        assert [finding for finding in found if finding.code in ("SPEC061", "SPEC063")] == []


def test_every_release_of_a_topology_has_a_catalogue():
    from typing import get_args

    from hadeploy.spec.topology import TopologyBase

    annotation = TopologyBase.model_fields["release"].annotation
    assert set(get_args(annotation)) == set(releases())
    assert all(find_agent(release, "pacemaker-fenced") for release in releases())


def test_what_is_not_in_the_catalogue():
    assert find_agent("debian-12", "fence_ipmi") is None
    assert find_agent("debian-12", "") is None
    assert find_agent("debian-99", "fence_ipmilan") is None
