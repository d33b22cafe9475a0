"""What a topology may say of Pacemaker beyond its pattern, in the CIB."""

from __future__ import annotations

import pytest
from lxml import etree

from hadeploy.daemons.pacemaker import share as pacemaker

POLICY = """
policy:
  no_quorum: fence
  start_failure_is_fatal: true
  recheck_interval: 5min
  symmetric: false
  properties: {shutdown-lock: true, node-health-strategy: migrate-on-red, dc-deadtime: 30s}
"""
FENCING = """fencing:
  startup_fencing: false
  concurrent: false
  priority_delay: 20s
  devices:
    kvm:
      agent: fence_virsh
      targets: [n1, n2]
      delay: {n1: 5s}
      random_delay: 8s
      monitor_interval: 2min
      parameters: {ip: 10.71.9.1, username: root}
"""
SERVICES = """services:
  storage:
    members:
      - {kind: ocf, name: storage-state, agent: "ocf:pacemaker:Dummy"}
    locations: {n1: 200, n2: 100}
    meta: {allow-unhealthy-nodes: true}
    migration_threshold: 1000000
  web:
    members:
      - kind: ocf
        name: web-server
        agent: ocf:heartbeat:apache
        units: [apache2]
        operations: {monitor_interval: 0s, on_fail: {start: standby, stop: block}}
    addresses: [web]
    on_top_of: [storage]
    locations: {n2: never, n1: INFINITY}
  other:
    members:
      - {kind: ocf, name: other-state, agent: "ocf:pacemaker:Dummy"}
    apart_from: [web]
    after: [storage]

"""


@pytest.fixture
def full(design_of):
    """An active-passive cluster that says all of it."""
    from tests.conftest import INVENTORIES

    text = (INVENTORIES / "active-passive" / "topology.yaml").read_text(encoding="utf-8")
    fencing = text[text.index("fencing:") : text.index("virtual_addresses:")]
    services = text[text.index("services:") : text.index("secrets_vault:")]
    return design_of("active-passive", (fencing, FENCING + POLICY), (services, SERVICES))


def cib(design):
    return etree.fromstring(pacemaker.cluster_information_base(design).xml)


def pairs(root, path):
    return {pair.get("name"): pair.get("value") for pair in root.iterfind(f"{path}/nvpair")}


def test_properties(full):
    assert pairs(cib(full), ".//cluster_property_set") == {
        "cluster-name": "active-passive",
        "cluster-recheck-interval": "300s",
        "concurrent-fencing": "false",
        "dc-deadtime": "30s",
        "no-quorum-policy": "suicide",
        "node-health-strategy": "migrate-on-red",
        "priority-fencing-delay": "20s",
        "shutdown-lock": "true",
        "start-failure-is-fatal": "true",
        "startup-fencing": "false",
        "stonith-enabled": "true",
        "stonith-timeout": "81600ms",
        "symmetric-cluster": "false",
    }


def test_the_word_for_fencing_oneself_follows_the_release(design_of):
    change = ("spare: s1", "spare: s1\npolicy: {no_quorum: fence}")
    newer = design_of("n-plus-1", change, ("release: debian-12", "release: debian-13"))
    assert pairs(cib(newer), ".//cluster_property_set")["no-quorum-policy"] == "fence"


def test_delays_of_a_device(full):
    root = cib(full)
    assert pairs(root, ".//primitive[@id='kvm']/instance_attributes") == {
        "ip": "10.71.9.1",
        "pcmk_delay_base": "n1:5s;n2:0s",
        "pcmk_delay_max": "8s",
        "pcmk_host_list": "n1,n2",
        "pcmk_off_timeout": "60s",
        "pcmk_reboot_timeout": "60s",
        "username": "root",
    }
    (monitor,) = root.iterfind(".//primitive[@id='kvm']/operations/op[@name='monitor']")
    assert monitor.get("interval") == "120s"


def test_relations(full):
    root = cib(full)
    assert [(x.get("first"), x.get("then")) for x in root.iterfind(".//rsc_order")] == [
        ("storage", "web"),
        ("storage", "other"),
    ]
    assert [
        (x.get("rsc"), x.get("with-rsc"), x.get("score")) for x in root.iterfind(".//rsc_colocation")
    ] == [
        ("other", "web", "-INFINITY"),
        ("web", "storage", "INFINITY"),
    ]


def test_locations_take_the_place_of_the_patterns(full):
    found = [(x.get("rsc"), x.get("node"), x.get("score")) for x in cib(full).iterfind(".//rsc_location")]
    assert sorted(found) == sorted(
        [
            ("kvm", "n1", "0"),  # opt-in: a device that may run nowhere is used by nobody
            ("kvm", "n2", "0"),
            ("storage", "n1", "200"),
            ("storage", "n2", "100"),
            ("web", "n1", "INFINITY"),
            ("web", "n2", "-INFINITY"),
            ("other", "n1", "50"),
        ]
    )


def test_meta_and_operations(full):
    root = cib(full)
    meta = pairs(root, ".//group[@id='storage']/meta_attributes")
    assert (meta["allow-unhealthy-nodes"], meta["migration-threshold"]) == ("true", "INFINITY")
    operations = root.iterfind(".//primitive[@id='web-server']/operations/op")
    assert [(op.get("name"), op.get("on-fail")) for op in operations] == [
        ("start", "standby"),
        ("stop", "block"),
    ]


def test_units_of_agents_are_kept_off(full):
    units = {unit.unit: unit.clustered for unit in full.units}
    assert units == {"apache2.service": True}


def test_without_fencing_a_failed_stop_blocks(design_of):
    bare = design_of("active-passive", ("fencing:", "fencing:\n  enabled: false"))
    root = cib(bare)
    assert {op.get("on-fail") for op in root.iterfind(".//group//op[@name='stop']")} == {"block"}
    assert pairs(root, ".//cluster_property_set")["stonith-enabled"] == "false"


def test_a_shared_device_gives_the_first_member_the_head_start(design_of):
    from tests.conftest import INVENTORIES

    text = (INVENTORIES / "active-passive" / "topology.yaml").read_text(encoding="utf-8")
    fencing = text[text.index("fencing:") : text.index("virtual_addresses:")]
    shared = "\n".join(
        line for line in FENCING.splitlines() if "delay" not in line and "concurrent" not in line
    )
    design = design_of("active-passive", (fencing, f"{shared}\n"))
    found = pairs(cib(design), ".//primitive[@id='kvm']/instance_attributes")
    assert found["pcmk_delay_base"] == "n1:5s;n2:0s"


def test_those_who_are_together_are_not_driven_apart(design_of):
    design = design_of(
        "n-plus-1",
        ("    prefers: a2", "    prefers: a2\n    on_top_of: [app-a]"),
    )
    assert [
        (x.get("rsc"), x.get("with-rsc"), x.get("score")) for x in cib(design).iterfind(".//rsc_colocation")
    ] == [("app-b", "app-a", "INFINITY")]


@pytest.mark.native
@pytest.mark.parametrize("number", [0, 1])
def test_parser_takes_all_of_it(number, full, parser_host):
    base = pacemaker.cluster_information_base(full)
    good, said = parser_host.judge(base.checks[number], base.xml)
    assert good, said


@pytest.mark.native
def test_parser_takes_a_cluster_without_fencing(design_of, parser_host):
    base = pacemaker.cluster_information_base(
        design_of("active-passive", ("fencing:", "fencing:\n  enabled: false"))
    )
    good, said = parser_host.judge(base.checks[1], base.xml)
    assert good, said
