from __future__ import annotations

import stat
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import pytest

DESIRED = """<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="0" num_updates="0"><configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="true"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"><utilization id="u1"><nvpair id="u1-s" name="slots" value="1"/></utilization></node>
<node id="2" uname="n2"/></nodes>
<resources><primitive id="f" class="stonith" type="fence_ipmilan"><instance_attributes id="f-p">
<nvpair id="f-p-password" name="password" value="@@hadeploy:f.password@@"/></instance_attributes></primitive></resources>
<constraints><rsc_location id="l1" rsc="f" node="n1" score="-INFINITY"/>
<rsc_location id="l2" rsc="f" node="n2" score="1"/></constraints>
<rsc_defaults><meta_attributes id="o"><nvpair id="o-r" name="resource-stickiness" value="1"/></meta_attributes></rsc_defaults>
</configuration><status/></cib>"""

LIVE = """<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="7" num_updates="3" dc-uuid="1"><configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="cib-bootstrap-options-have-watchdog" name="have-watchdog" value="false"/>
<nvpair id="cib-bootstrap-options-dc-version" name="dc-version" value="2.1.5"/>
<nvpair id="by-hand" name="stonith-enabled" value="false"/>
<nvpair id="m" name="maintenance-mode" value="true"/>
<nvpair id="s" name="symmetric-cluster" value="false"/>
</cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"><instance_attributes id="nodes-1"><nvpair id="nodes-1-standby" name="standby" value="on"/>
</instance_attributes></node><node id="2" uname="n2"/><node id="3" uname="gone"/></nodes>
<resources><primitive id="stray" class="ocf" provider="heartbeat" type="Dummy"/></resources>
<constraints><rsc_location id="l2" rsc="f" node="n2" score="5"/>
<rsc_location id="cli-ban-f-on-n2" rsc="f" node="n2" score="-INFINITY"/></constraints><tags/>
</configuration><status><node_state id="1"/></status></cib>"""


def merged(cib_merge, live: str = LIVE, desired: str = DESIRED):
    return cib_merge.merge(ElementTree.fromstring(live), ElementTree.fromstring(desired))


def properties(root) -> dict[str, str]:
    return {
        pair.get("name"): pair.get("value") for pair in root.iterfind("configuration/crm_config/*/nvpair")
    }


def test_pacemakers_own_properties_stay_and_ours_win(cib_merge):
    new, _ = merged(cib_merge)
    assert properties(new) == {
        "have-watchdog": "false",
        "dc-version": "2.1.5",
        "stonith-enabled": "true",
        "maintenance-mode": "true",
    }


def test_what_operators_decided_stays_and_is_reported(cib_merge):
    new, drift = merged(cib_merge)
    assert new.find(".//node[@uname='n1']/instance_attributes/nvpair").get("value") == "on"
    assert [item.get("id") for item in new.find("configuration/constraints")] == [
        "l2",
        "l1",
        "cli-ban-f-on-n2",
    ]
    text = "\n".join(drift)
    assert "maintenance-mode is true" in text
    assert "n1 has the attribute standby=on" in text
    assert "cli-ban-f-on-n2" in text
    assert "gone is known to the cluster" in text


def test_what_keeps_an_outdated_copy_from_being_promoted_stays(cib_merge):
    fence = (
        '<rsc_location rsc="data-drbd-clone" id="drbd-fence-by-handler-data-data-drbd-clone">'
        '<rule role="Promoted" score="-INFINITY" id="r"><expression attribute="#uname" operation="ne" value="n1" id="e"/>'
        "</rule></rsc_location></constraints>"
    )
    live = LIVE.replace("</constraints>", fence)
    volume = '<clone id="data-drbd-clone"/></resources>'
    new, drift = merged(cib_merge, live, DESIRED.replace("</resources>", volume))
    kept = new.find("configuration/constraints/rsc_location[@rsc='data-drbd-clone']")
    assert kept.find("rule/expression").get("value") == "n1"
    told = next(line for line in drift if "drbd-fence" in line)
    assert "goes by itself" in told
    assert "crm_resource --clear" not in told


def test_what_others_said_of_a_resource_goes_with_it(cib_merge):
    """The schema refuses a constraint that names nothing, and the removal could never be applied."""
    ban = '<rsc_location id="cli-ban-stray-on-n2" rsc="stray" node="n2" score="-INFINITY"/></constraints>'
    new, _ = merged(cib_merge, LIVE.replace("</constraints>", ban))
    ids = {item.get("id") for item in new.iterfind("configuration/constraints/*")}
    assert "cli-ban-stray-on-n2" not in ids
    assert "cli-ban-f-on-n2" in ids


def test_what_an_agent_keeps_of_a_node_is_no_decision_of_an_operator(cib_merge):
    kept = '<nvpair id="nodes-1-pg" name="orders-postgresql-data-status" value="STREAMING|SYNC"/>'
    live = LIVE.replace('value="on"/>\n', f'value="on"/>{kept}\n')
    database = '<primitive id="orders-postgresql" class="ocf" provider="hadeploy" type="pgsql"/></resources>'
    new, drift = merged(cib_merge, live, DESIRED.replace("</resources>", database))
    assert new.find(".//nvpair[@id='nodes-1-pg']").get("value") == "STREAMING|SYNC"
    assert not [line for line in drift if "data-status" in line]
    assert [line for line in merged(cib_merge, live)[1] if "data-status" in line]


def test_stray_resources_go_and_scores_are_ours(cib_merge):
    new, _ = merged(cib_merge)
    assert [item.get("id") for item in new.find("configuration/resources")] == ["f"]
    assert new.find(".//rsc_location[@id='l2']").get("score") == "1"


def test_version_and_status_are_the_live_ones(cib_merge):
    new, _ = merged(cib_merge)
    assert (new.get("epoch"), new.get("num_updates"), new.get("dc-uuid")) == ("7", "3", "1")
    assert new.find("status/node_state") is not None


def test_a_merge_of_the_merged_is_the_same(cib_merge):
    """Else every apply would find something to do."""
    once, _ = merged(cib_merge)
    twice, _ = cib_merge.merge(once, ElementTree.fromstring(DESIRED))
    assert cib_merge.canonical(once) == cib_merge.canonical(twice)


def test_the_schema_rises_and_never_falls(cib_merge):
    newer = DESIRED.replace("pacemaker-3.9", "pacemaker-3.10")
    assert merged(cib_merge, desired=newer)[0].get("validate-with") == "pacemaker-3.10"
    assert (
        merged(cib_merge, live=LIVE.replace("pacemaker-3.9", "pacemaker-4.0"))[0].get("validate-with")
        == "pacemaker-4.0"
    )


def test_secrets_are_escaped(cib_merge):
    text = cib_merge.resolve(DESIRED, {"f.password": 'a<b>"&c'})
    assert ElementTree.fromstring(text).find(".//nvpair[@name='password']").get("value") == 'a<b>"&c'


def test_a_diff_masks_secrets_old_and_new(cib_merge):
    desired = ElementTree.fromstring(cib_merge.resolve(DESIRED, {"f.password": "new-one"}))
    live = ElementTree.fromstring(cib_merge.resolve(DESIRED, {"f.password": "old-one"}))
    placeholders = ElementTree.fromstring(DESIRED)
    for root in (desired, live):
        shown = cib_merge.masked(cib_merge.canonical(root), {"f.password": "new-one"}, placeholders)
        assert "new-one" not in shown
        assert "old-one" not in shown
        assert "(secret)" in shown


def test_a_diff_masks_what_is_no_longer_ours(cib_merge):
    former = '<c><nvpair id="x" name="passwd" value="former"/></c>'
    shown = cib_merge.masked(
        cib_merge.canonical(ElementTree.fromstring(former)), {}, ElementTree.fromstring(DESIRED)
    )
    assert "former" not in shown


def test_failed_resources_of_ours_are_named(crm_mon):
    text = """<crm_mon><resources><resource id="f" failed="true" active="true"/><resource id="x" failed="true"/>
    </resources><failures><failure op_key="f_start_0" exitreason="no route to the BMC"/></failures></crm_mon>"""
    assert crm_mon.unwell(text, {"f"}) == ["f failed: no route to the BMC"]


MON_REFUSED = """<crm_mon><resources>
<resource id="f" active="{active}" failed="false"/><clone><resource id="d:1" active="true"/></clone>
</resources><node_history><node name="n1">
<resource_history id="f"><operation_history task="probe" rc="{rc}" rc_text="not installed"/></resource_history>
<resource_history id="d"><operation_history task="monitor" rc="8" rc_text="promoted"/></resource_history>
</node></node_history></crm_mon>"""


def test_what_an_agent_refused_is_named_although_it_has_not_failed(crm_mon):
    text = MON_REFUSED.format(active="false", rc="5")
    assert crm_mon.unwell(text, {"f", "d"}) == []
    assert crm_mon.refused(text, {"f", "d"}) == {"f": "not installed"}
    assert crm_mon.refused(text, {"d"}) == {}
    assert crm_mon.refused(MON_REFUSED.format(active="true", rc="5"), {"f"}) == {}, "it runs elsewhere"
    assert crm_mon.refused(MON_REFUSED.format(active="false", rc="7"), {"f"}) == {}, "it is merely stopped"


MON_DEVICES = """<crm_mon><resources>
<resource id="f" resource_agent="stonith:fence_x" active="{active}" failed="{failed}"/>
<resource id="web" resource_agent="systemd:web" active="false" failed="false"/></resources>
<node_history><node name="n2"><resource_history id="f" fail-count="{count}"/>
<resource_history id="web" fail-count="1000000"/></node></node_history></crm_mon>"""


@pytest.mark.parametrize(
    ("active", "failed", "count", "found"),
    [
        ("false", "false", "1000000", {"f": True}),
        ("true", "true", "31", {"f": False}),
        ("false", "false", "0", {}),  # merely stopped: its only node is in standby
        ("true", "false", "1", {}),  # it failed once and runs
    ],
)
def test_fence_devices_that_failed_and_whether_pacemaker_tries_them_again(
    crm_mon, active, failed, count, found
):
    text = MON_DEVICES.format(active=active, failed=failed, count=count)
    assert crm_mon.failed_devices(text, {"f", "web"}) == found
    assert crm_mon.failed_devices(text, {"web"}) == {}, "no device of ours"


def test_a_device_that_fails_again_and_again_is_not_waited_for(crm_mon):
    words = "Pending actions:\n\tAction 5: ipmi-n1_monitor_60000\ton n2\n\tAction 4: ipmi-n1_start_0\ton n2\n"
    assert crm_mon.only_pending(words, {"ipmi-n1"})
    assert not crm_mon.only_pending(words, set())
    assert not crm_mon.only_pending(words + "\tAction 6: web_start_0\ton n1\n", {"ipmi-n1"})
    assert not crm_mon.only_pending("crm_resource: no answer", {"ipmi-n1"})


def test_a_cluster_is_not_given_up_before_its_longest_operation(cib):
    operations = '<cib><op timeout="{}"/><op timeout="20s"/><op name="monitor"/></cib>'
    for timeout, seconds in (("510000ms", 570), ("10min", 660), ("30", 180)):
        assert cib.patience(ElementTree.fromstring(operations.format(timeout)), 180) == seconds


def test_a_node_that_left_the_topology_and_still_runs_is_a_stranger(crm_mon):
    mon = (
        "<crm_mon><nodes><node name='n1' online='true'/><node name='n2' online='true'/>"
        "<node name='n3' online='false'/></nodes></crm_mon>"
    )
    assert crm_mon.strangers(mon, ["n1"]) == ["n2"]
    assert crm_mon.strangers(mon, ["n1", "n2"]) == []


def test_rollbacks_are_private_and_the_oldest_go(cib, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(cib, "ROLLBACKS_KEPT", 3)
    folder = tmp_path / "rollback"
    paths = [
        Path(cib.store_rollback(f"<diff n='{number}'/>", str(number), str(folder))) for number in range(5)
    ]
    assert stat.S_IMODE(paths[-1].stat().st_mode) == 0o600
    assert len(list(folder.iterdir())) == 3
    assert paths[-1].exists()
    assert not paths[0].exists()


def test_a_cluster_that_has_just_started_is_waited_for(cib, monkeypatch):
    """An apply that was interrupted after it started Pacemaker leaves an election of up to 20 s to the next one."""
    monkeypatch.setattr(cib, "POLL_SECONDS", 0)
    text = """<crm_mon><summary><current_dc present="true" with_quorum="true"/></summary>
    <nodes><node name="n1" online="true"/><node name="n2" online="true" pending="{}"/></nodes></crm_mon>"""
    answers = [(102, "", "not running"), (0, text.format("true"), ""), (0, text.format("false"), "")]
    asked = Asked(answers)
    cib._await_members(asked)
    assert not answers


def test_a_member_that_stays_away_is_named(cib, monkeypatch):
    monkeypatch.setattr(cib, "POLL_SECONDS", 0)
    monkeypatch.setattr(cib, "ONLINE_SECONDS", 0)
    text = """<crm_mon><summary><current_dc present="true" with_quorum="true"/></summary>
    <nodes><node name="n1" online="true"/><node name="n2" online="false"/></nodes></crm_mon>"""
    with pytest.raises(
        RuntimeError, match=r"the CIB is not applied: Pacemaker does not see n2 online, after"
    ):
        cib._await_members(Asked([(0, text, "")] * 2))


def test_what_nobody_looked_at_is_not_pointed_away_from(cib, monkeypatch):
    """The host that is asked was installed anew: it learns the cluster's configuration when it has joined."""
    text = (
        '<cib><configuration><resources><primitive id="db" class="ocf" provider="heartbeat" type="mysql">'
        '<instance_attributes id="i"><nvpair id="n" name="datadir" value="{}"/></instance_attributes></primitive>'
        "</resources></configuration></cib>"
    )
    monkeypatch.setattr(cib, "_await_members", lambda _: None)
    asked = Asked([])
    asked.query = lambda: ElementTree.fromstring(text.format("/srv/old"))
    asked.placeholders = ElementTree.fromstring(text.format("/srv/new"))
    asked.module = SimpleNamespace(params={"moved": []}, check_mode=False)
    with pytest.raises(RuntimeError, match=r"db \(datadir is /srv/old\).*Apply again"):
        cib.establish(asked)
    (move,) = cib.moved(asked.query(), asked.placeholders)
    asked.module.params["moved"] = [move]
    with pytest.raises(NotImplementedError, match="merged"):  # what has been looked at goes on to the merge
        cib.establish(asked)


MON_SETTLED = """<crm_mon><resources><resource id="f" resource_agent="stonith:fence_x" active="true" failed="{failed}"/>
</resources><failures><failure op_key="f_start_0" exitreason="" exitstatus="error"/></failures></crm_mon>"""
LOOP = "Pending actions:\n\tAction 4: f_start_0\ton n2\n"


@pytest.mark.parametrize(
    ("pending", "known", "words"),
    [
        (
            LOOP,
            {"f"},
            "",
        ),  # it failed before: what was to be applied is, and the run's last word is the status
        (LOOP, set(), r"the CIB is applied, but:\nf failed: error"),
        (LOOP + "\tAction 6: web_start_0\ton n1\n", {"f"}, r"not settled after 0 s:\nPending actions"),
    ],
)
def test_a_device_that_fails_for_ever_holds_nobody_up(cib, monkeypatch, pending, known, words):
    monkeypatch.setattr(cib, "patience", lambda desired, least: 0)
    cluster = Settling(pending)
    if not words:
        cib._settle(cluster, {}, known)
    else:
        with pytest.raises(RuntimeError, match=words):
            cib._settle(cluster, {}, known)
    assert cluster.waits == [1]


class Settling:
    """A cluster in which something is pending for ever."""

    ours = {"f"}

    def __init__(self, pending: str):
        self.pending = pending
        self.waits: list[int] = []
        self.desired = ElementTree.fromstring("<cib/>")
        self.module = SimpleNamespace(params={"timeout": 0})

    def program(self, *argv: str) -> tuple[int, str, str]:
        assert argv[:2] == ("crm_resource", "--wait")
        self.waits.append(int(argv[2].removeprefix("--timeout=")))
        return 124, self.pending, "crm_resource: Error performing operation: Timeout occurred"

    def monitor(self) -> str:
        return MON_SETTLED.format(failed="true")

    def fail(self, message: str, **result: object) -> None:
        raise RuntimeError(message)


class Asked:
    """A cluster of n1 and n2 that answers crm_mon with what it is given, in turn."""

    def __init__(self, answers: list[tuple[int, str, str]]):
        self.answers = answers
        self.module = SimpleNamespace(params={"members": ["n1", "n2"]})

    def program(self, *argv: str) -> tuple[int, str, str]:
        assert argv[0] == "crm_mon"
        return self.answers.pop(0)

    def see_claims(self, live: ElementTree.Element) -> None:
        """Nothing is anybody else's."""

    def merged(self, live: ElementTree.Element) -> None:
        raise NotImplementedError("merged")

    def fail(self, message: str) -> None:
        raise RuntimeError(message)


def mount(options: str | None, device: str = "/dev/drbd7") -> str:
    written = "" if options is None else f'<nvpair id="fs-p-options" name="options" value="{options}"/>'
    return (
        '<primitive id="fs" class="ocf" provider="heartbeat" type="Filesystem"><instance_attributes id="fs-p">'
        f'<nvpair id="fs-p-device" name="device" value="{device}"/>{written}</instance_attributes></primitive>'
    )


@pytest.mark.parametrize(
    ("live", "wished", "kept"),
    [
        (None, "errors=remount-ro", True),
        ("noatime", "noatime,errors=remount-ro", True),
        ("noatime", "relatime,errors=remount-ro", False),
        ("errors=panic", "errors=panic", False),
        ("errors=panic", "errors=remount-ro", False),
        ("errors=remount-ro", "noatime,errors=remount-ro", False),
    ],
)
def test_a_mount_is_not_restarted_for_what_it_does_on_errors_alone(cib_merge, live, wished, kept):
    new, drift = merged(
        cib_merge,
        LIVE.replace("<resources>", f"<resources>{mount(live)}"),
        DESIRED.replace("<resources>", f"<resources>{mount(wished)}"),
    )
    found = new.find(".//primitive[@id='fs']/instance_attributes/nvpair[@name='options']")
    assert (None if found is None else found.get("value")) == (live if kept else wished)
    assert any("is mounted without errors=remount-ro" in each for each in drift) == kept


def test_a_mount_that_is_new_has_all_of_its_options(cib_merge):
    new, drift = merged(
        cib_merge, LIVE, DESIRED.replace("<resources>", f"<resources>{mount('errors=remount-ro')}")
    )
    assert new.find(".//primitive[@id='fs']//nvpair[@name='options']").get("value") == "errors=remount-ro"
    assert not any("mounted" in each for each in drift)
