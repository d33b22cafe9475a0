"""What of a live CIB is a person's own stays and is named; where both cannot be, a person decides."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "trees"

SCHEMA = "/usr/share/pacemaker/pacemaker-3.9.rng"
DUMMY = '<primitive id="{}" class="ocf" provider="heartbeat" type="Dummy"/>'
FOREIGN = {
    "resources": DUMMY.format("theirs") + '<group id="their-group">' + DUMMY.format("inner") + "</group>",
    "constraints": '<rsc_location id="their-place" rsc="web" node="n2" score="7"/>'
    '<rsc_colocation id="their-pair" rsc="theirs" with-rsc="web" score="INFINITY"/>',
    "tags": '<tag id="their-tag"><obj_ref id="theirs"/></tag>',
    "alerts": '<alert id="their-alert" path="/usr/local/bin/tell"/>',
    "op_defaults": '<meta_attributes id="their-ops"><nvpair id="their-ops-t" name="timeout" value="33s"/></meta_attributes>',
}


def compiled(example: str = "active-passive") -> ElementTree.Element:
    return ElementTree.parse(GOLDEN / example / "files" / "cib.xml").getroot()


def live(desired: ElementTree.Element, first: bool = False) -> ElementTree.Element:
    """The compiled one as a cluster has it, with everything that a person may add."""
    found = ElementTree.fromstring(ElementTree.tostring(desired))
    configuration = found.find("configuration")
    for tag, text in FOREIGN.items():
        section = configuration.find(tag)
        if section is None:
            section = ElementTree.SubElement(configuration, tag)
        for number, each in enumerate(ElementTree.fromstring(f"<x>{text}</x>")):
            section.insert(number if first else len(section), each)
    properties = configuration.find("crm_config/cluster_property_set")
    ElementTree.SubElement(
        properties, "nvpair", {"id": "p-1", "name": "stop-all-resources", "value": "false"}
    )
    ElementTree.SubElement(properties, "nvpair", {"id": "p-2", "name": "dc-version", "value": "2.1.5"})
    defaults = configuration.find("rsc_defaults/meta_attributes")
    ElementTree.SubElement(defaults, "nvpair", {"id": "p-3", "name": "allow-migrate", "value": "true"})
    return found


def ids(cib: ElementTree.Element) -> set[str]:
    return {each.get("id", "") for each in cib.find("configuration").iter() if each.get("id")}


@pytest.fixture
def merged(cib_foreign, cib_merge):
    def run(there: ElementTree.Element, desired: ElementTree.Element, owned: set[str] | None = None):
        known = set(cib_foreign.keys_of(desired)) if owned is None else owned
        whole, notes = cib_foreign.with_foreign(there, desired, known)
        return cib_merge.merge(there, whole)[0], notes

    return run


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("example", ["active-passive", "n-plus-1", "postgresql-drbd"])
def test_all_that_a_person_added_stays_as_it_is_and_is_named(merged, cib_merge, cib_foreign, example, first):
    desired = compiled(example)
    there = live(desired, first)
    if example != "active-passive":
        for each in there.iterfind("configuration/constraints/*"):
            for key in ("rsc", "with-rsc"):
                if each.get(key) == "web":
                    each.set(key, desired.find("configuration/resources/*[@id]").get("id"))
    new, notes = merged(there, desired)
    text = "\n".join(notes)
    for name in ("theirs", "their-group", "their-place", "their-pair", "their-tag", "their-alert", "timeout"):
        assert name in text
    assert "stop-all-resources" in text
    assert "allow-migrate" in text
    assert "dc-version" not in text
    assert ids(there) <= ids(new)
    assert cib_foreign.claims(there, desired, set(cib_foreign.keys_of(desired))) == {}
    # Nothing to apply, in whatever order.
    assert cib_merge.canonical(new.find("configuration")) == cib_merge.canonical(there.find("configuration"))


@pytest.mark.native
@pytest.mark.parametrize("first", [True, False])
def test_pacemaker_itself_takes_the_result_and_sees_no_difference(merged, tmp_path: Path, first):
    if shutil.which("crm_verify") is None:
        pytest.skip("no Pacemaker here")
    desired = compiled()
    there = live(desired, first)
    without = ElementTree.fromstring(ElementTree.tostring(desired))
    resources = without.find("configuration/resources")
    resources.remove(resources.find("group"))
    constraints = without.find("configuration/constraints")
    constraints.remove(constraints.find("*[@rsc='web']"))
    known = {f"resources/{each.get('id')}" for each in desired.iterfind("configuration/resources//*[@id]")}
    for number, wanted in enumerate((desired, without)):
        new, _ = merged(there, wanted, known | {"constraints/location-web-n1"} if number else None)
        file = tmp_path / f"{number}.xml"
        file.write_bytes(ElementTree.tostring(new))
        for argv in (
            ["xmllint", "--noout", "--relaxng", SCHEMA, file],
            ["crm_verify", "--xml-file", file, "-V"],
        ):
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            assert done.returncode in ((0, 78) if argv[0] == "crm_verify" else (0,)), done.stderr
            assert "error:" not in done.stderr, done.stderr
    (tmp_path / "there.xml").write_bytes(ElementTree.tostring(there))
    argv = ["crm_diff", "--original", tmp_path / "there.xml", "--new", tmp_path / "0.xml", "--no-version"]
    assert subprocess.run(argv, capture_output=True, text=True, check=False).stdout == ""


def test_what_left_the_topology_goes_and_what_names_it_is_told(merged, cib_foreign):
    desired = compiled()
    there = live(desired)
    without = compiled()
    resources = without.find("configuration/resources")
    resources.remove(resources.find("group"))
    new, notes = merged(there, without, set(cib_foreign.keys_of(desired)))
    assert not {"web", "web-server", "their-place", "their-pair"} & ids(new)
    assert {"theirs", "inner"} <= ids(new)
    assert any("their-pair" in words and "goes with web" in words for words in notes)


def test_an_object_of_the_same_name_is_asked_about(cib_foreign):
    desired = compiled()
    there = live(desired)
    web = there.find(".//group[@id='web']")
    web.clear()
    web.set("id", "web")
    web.append(ElementTree.fromstring(DUMMY.format("web-server")))
    there.find(".//nvpair[@name='stonith-enabled']").set("value", "false")
    found = cib_foreign.claims(there, desired, set())
    assert {"web", "web-server", "stonith-enabled"} <= set(found)
    assert any("Dummy" in line for line in found["web-server"])
    # Remembered, it is an edit of hadeploy's own.
    assert cib_foreign.claims(there, desired, set(cib_foreign.keys_of(desired))) == {}


def test_what_a_person_put_into_a_group_of_ours_is_asked_about(cib_foreign):
    desired = compiled()
    there = live(desired)
    there.find(".//group[@id='web']").append(ElementTree.fromstring(DUMMY.format("extra")))
    found = cib_foreign.claims(there, desired, set(cib_foreign.keys_of(desired)))
    assert list(found) == ["extra"]
    assert "is in web, and would be stopped and removed" in found["extra"][0]


def test_what_a_person_took_into_a_group_of_their_own_is_asked_about(cib_foreign, merged):
    desired = compiled()
    there = live(desired)
    web = there.find(".//group[@id='web']")
    address = web.find("primitive[@id='web-address']")
    web.remove(address)
    there.find(".//group[@id='their-group']").append(address)
    assert set(cib_foreign.claims(there, desired, set(cib_foreign.keys_of(desired)))) == {
        "their-group",
        "inner",
    }
    new, _ = merged(there, desired)
    assert len(new.findall(".//primitive[@id='web-address']")) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("target-role", "Stopped"), ("is-managed", "false"), ("maintenance", "true")]
)
@pytest.mark.parametrize("target", ["web", "web-server", "ipmi-n1"])
@pytest.mark.parametrize("last", [True, False])
def test_a_resource_that_an_operator_stopped_is_not_started_by_an_apply(
    merged, cib_merge, name, value, target, last
):
    desired = compiled()
    there = live(desired)
    resource = there.find(f".//*[@id='{target}']")
    attributes = resource.find("meta_attributes")
    if attributes is None:
        attributes = ElementTree.Element("meta_attributes", {"id": f"{target}-meta_attributes"})
        resource.insert(len(resource) if last else 0, attributes)
    ElementTree.SubElement(attributes, "nvpair", {"id": f"{target}-x", "name": name, "value": value})
    new, notes = merged(there, desired)
    assert new.find(f".//*[@id='{target}']/meta_attributes/nvpair[@name='{name}']").get("value") == value
    # Nothing to apply, wherever the operator's tool has put it.
    assert cib_merge.canonical(new.find("configuration")) == cib_merge.canonical(there.find("configuration"))
    assert any(f"{target} has {name}={value}" in words for words in notes)


def test_what_hadeploy_stopped_before_a_removal_starts_again_where_it_stays(merged):
    desired = compiled()
    there = live(desired)
    pair = {"id": "web-leaving-target-role", "name": "target-role", "value": "Stopped"}
    ElementTree.SubElement(there.find(".//group[@id='web']/meta_attributes"), "nvpair", pair)
    new, _ = merged(there, desired)
    assert new.find(".//nvpair[@name='target-role']") is None


def test_an_earlier_version_s_patches_say_what_it_added(cib_foreign, owned, tmp_path: Path):
    desired = compiled()
    there = live(desired)
    ElementTree.SubElement(there.find("configuration/resources"), "primitive", {"id": "former"})
    assert cib_foreign.owned_keys(there, desired, str(tmp_path)) == set()
    files = {cib_foreign.MEMBERSHIP: {"unit": "corosync.service", "on_change": "reload"}}
    owned.save_owned({"files": files, "units": {}})
    path = "/cib/configuration/resources/primitive[@id='former']"
    patch = f'<diff format="2"><change operation="delete" path="{path}"/></diff>'
    (tmp_path / "20260101T000000Z-epoch-0.xml").write_text(patch)
    known = cib_foreign.owned_keys(there, desired, str(tmp_path))
    assert "resources/former" in known
    assert "resources/theirs" not in known
    assert set(cib_foreign.keys_of(desired)) <= known
    cib_foreign.save({"resources/web"})
    assert cib_foreign.owned_keys(there, desired, str(tmp_path)) == {"resources/web"}
