"""Resources that leave are stopped while the cluster still knows in which order."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import pytest

from hadeploy.daemons.pacemaker.check import with_members_online
from hadeploy.daemons.registry import cluster_information_base
from hadeploy.design.design import Design


def compiled(design: Design) -> ElementTree.Element:
    found = cluster_information_base(design)
    assert found is not None
    return ElementTree.fromstring(found.xml)


def without(root: ElementTree.Element, *names: str) -> ElementTree.Element:
    """The configuration, less these elements of it."""
    new = ElementTree.fromstring(ElementTree.tostring(root))
    for parent in list(new.iter()):
        for each in list(parent):
            if each.get("id") in names:
                parent.remove(each)
    return new


@pytest.fixture
def with_volume(design_of: Callable[..., Design]) -> ElementTree.Element:
    return compiled(design_of("active-passive-drbd"))


def test_a_volume_leaves_a_group_that_stays(cib_leaving, with_volume):
    new = without(with_volume, "data-drbd-clone", "data-filesystem")
    gone, names = cib_leaving.leaving(with_volume, new)
    assert gone == {"data-drbd", "data-filesystem"}
    assert sorted(names) == ["data-drbd-clone", "data-filesystem"]


def test_a_group_is_stopped_as_a_whole(cib_leaving, with_volume):
    new = without(with_volume, "data-drbd-clone", "web")
    _, names = cib_leaving.leaving(with_volume, new)
    assert sorted(names) == ["data-drbd-clone", "web"]


def test_another_name_of_a_group_stops_nothing(cib_leaving, with_volume):
    new = ElementTree.fromstring(ElementTree.tostring(with_volume))
    next(group for group in new.iter("group") if group.get("id") == "web").set("id", "www")
    assert cib_leaving.leaving(with_volume, new) == (set(), [])


def test_fence_devices_are_not_stopped_first(cib_leaving, with_volume):
    assert cib_leaving.leaving(with_volume, without(with_volume, "ipmi-n1")) == (set(), [])


def test_only_what_leaves_is_told_to_stop_and_its_order_stays(cib_leaving, with_volume):
    interim = cib_leaving.stopped_first(with_volume, ["data-drbd-clone", "data-filesystem"])
    told = {
        parent.get("id")
        for parent in interim.iterfind("configuration/resources//*")
        if parent.find("meta_attributes/nvpair[@name='target-role'][@value='Stopped']") is not None
    }
    assert told == {"data-drbd-clone", "data-filesystem"}
    before, after = (
        ElementTree.tostring(each.find("configuration/constraints")) for each in (with_volume, interim)
    )
    assert before == after
    again = cib_leaving.stopped_first(interim, ["data-drbd-clone", "data-filesystem"])
    assert ElementTree.tostring(again) == ElementTree.tostring(interim)


def test_a_removal_that_was_interrupted_can_be_taken_back(cib_leaving, cib_merge, with_volume):
    """Killed between the stop and the removal, what leaves is stopped with all its files; kept after all, it starts again."""
    interim = cib_leaving.stopped_first(with_volume, ["data-drbd-clone", "data-filesystem"])
    merged, _ = cib_merge.merge(interim, with_volume)
    assert cib_merge.canonical(merged.find("configuration")) == cib_merge.canonical(
        with_volume.find("configuration")
    )


@pytest.mark.native
def test_pacemaker_takes_the_configuration_in_between(cib_leaving, with_volume, tmp_path: Path):
    file = tmp_path / "cib.xml"
    interim = cib_leaving.stopped_first(with_volume, ["data-drbd-clone", "data-filesystem", "web"])
    file.write_text(with_members_online(ElementTree.tostring(interim, encoding="unicode")))
    program = shutil.which("crm_verify", path="/usr/sbin:/usr/bin")
    assert program
    done = subprocess.run([program, "-V", "-x", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


RUNS = """<pacemaker-result><resources><clone id="shop-postgresql-clone">
<resource id="shop-postgresql" role="Promoted" active="true"><node name="n1"/></resource>
<resource id="shop-postgresql" role="Unpromoted" active="true"><node name="n2"/></resource></clone>
<resource id="web" role="Started" active="true"><node name="n1"/></resource>
<resource id="gone" role="Stopped" active="false"/></resources></pacemaker-result>"""


def test_what_still_runs_is_named_with_where(cib_leaving):
    assert cib_leaving.active(RUNS, {"shop-postgresql", "gone"}) == ["shop-postgresql on n1, n2"]
    assert cib_leaving.active(RUNS, {"gone"}) == []


def test_the_configuration_is_judged_without_what_runs(cib):
    """What runs of a promotable clone that leaves was an error to crm_verify: no volume and no database could be removed."""
    live = ElementTree.fromstring('<cib><configuration/><status><node_state id="1"/></status></cib>')
    assert ElementTree.tostring(cib.without_status(live)) == b"<cib><configuration /><status /></cib>"
    assert live.find("status/node_state") is not None
