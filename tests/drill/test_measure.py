from __future__ import annotations

from hadeploy.design.durations import durations_of
from hadeploy.design.recovery import Breakage, Mishap
from hadeploy.drill.measure import measured_terms, merge, samples_of
from hadeploy.plan.timeline import Deed, Timeline
from hadeploy.proof.recovery import predict
from hadeploy.spec.measurements import MOST_SAMPLES, Measurements

CUT = Mishap(Breakage.POWER_CUT, "n2")
TIMELINE = Timeline(
    11.0,
    12.2,
    12.4,
    (
        Deed("fence", "ipmi-n2", "n2", 12.4, 3.1),
        Deed("start", "web-server", "", 15.6, 2.05),
        Deed("start", "web-address", "", 17.7, 0.2),
        Deed("start", "ipmi-n1", "", 30.0, 0.6),
    ),
)


def test_terms_have_the_names_of_their_predictions(design_of):
    predicted = {
        term.name
        for recovery in predict(design_of("active-passive"))
        if recovery.mishap == CUT
        for term in recovery.terms
    }
    measured = dict(measured_terms(TIMELINE, 10.0))
    assert predicted <= set(measured)
    assert round(measured["token lost"], 3) == 1.0


def test_samples_have_the_names_by_which_they_are_looked_up(design_of):
    design = design_of("active-passive")
    samples = dict(samples_of(design, CUT, TIMELINE))
    assert samples == {
        "fence fence_ipmilan off": 3.1,
        "start web-server": 2.05,
        "start IPaddr2": 0.2,
    }
    found = merge(
        Measurements(),
        samples.items(),
        topology=design.name,
        release="debian-12",
        where="lab",
        day="2026-11-21",
    )
    terms = {
        term.name: term
        for recovery in predict(design, durations_of(found, design.name, "debian-12"))
        if recovery.mishap == CUT
        for term in recovery.terms
    }
    for name in ("fence n2 by ipmi-n2", "start web-server", "start web-address"):
        assert "2026-11-21" in terms[name].source
    assert terms["fence n2 by ipmi-n2"].expected_ms == 3100


def test_a_hung_member_is_measured_apart(design_of):
    hung = Mishap(Breakage.HUNG_NODE, "n2")
    assert "fence fence_ipmilan on" in dict(samples_of(design_of("active-passive"), hung, TIMELINE))


def test_the_fencing_of_another_member_is_no_sample(design_of):
    names = dict(samples_of(design_of("active-passive"), Mishap(Breakage.ISOLATION, "n1"), TIMELINE))
    assert not [name for name in names if name.startswith("fence")]


def test_measurements_grow_to_a_bound_and_stay_apart():
    def add(known, seconds, **where):
        wish = {"topology": "a", "release": "debian-12", "where": "lab", "day": "2026-11-21", **where}
        return merge(known, [("start web", seconds)], **wish)

    found = add(Measurements(), 1.0)
    for number in range(MOST_SAMPLES + 5):
        found = add(found, float(number), day="2026-11-22")
    found = add(add(found, 7.0, topology="b"), 8.0, where="hosts")
    assert [(each.topology, each.where, len(each.seconds)) for each in found.measurements] == [
        ("a", "lab", MOST_SAMPLES),
        ("b", "lab", 1),
        ("a", "hosts", 1),
    ]
    assert found.measurements[0].measured == "2026-11-22"
    assert found.measurements[0].seconds[-1] == MOST_SAMPLES + 4
