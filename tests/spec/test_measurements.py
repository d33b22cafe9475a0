from __future__ import annotations

import pytest

from hadeploy.app.validate import validate_topologies
from hadeploy.design.durations import durations_of
from hadeploy.spec.measurements import Measurement, Measurements, load_measurements, write_measurements

SECONDS = (
    '{"version": 1, "measurements": [{"topology": "a", "release": "debian-12", "where": "lab", "operation": "start x",'
    ' "seconds": [%s], "measured": "2026-11-21"}]}'
)


def one(seconds=(2.1,), **changes):
    wish = {
        "topology": "demo",
        "release": "debian-12",
        "where": "lab",
        "operation": "start web",
        "seconds": seconds,
        "measured": "2026-11-21",
    }
    return Measurement(**{**wish, **changes})


def test_what_is_written_is_read(tmp_path):
    found = Measurements(measurements=(one((2.0, 2.5)),))
    write_measurements(tmp_path / "topology.yaml", found)
    assert load_measurements(tmp_path / "topology.yaml") == (found, load_measurements(tmp_path / "x")[1])


def test_no_file_is_no_finding(tmp_path):
    found, findings = load_measurements(tmp_path / "topology.yaml")
    assert found == Measurements()
    assert len(findings) == 0


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("{", "is not JSON", 1),
        ('{"version": 1,\n "measurements": nonsense}', "is not JSON", 2),
        ('{"version": 7}', "has version 7", 1),
        ("[]", "has version None", 1),
        ('{"version": 1, "measurements": [{"operation": "x"}]}', "is not understood at measurements.0", 1),
        ("\xff\xfe", "is not", 1),
        ('{"version": true}', "has version True", 1),
        ('{"version": 1, "version": 1}', "has the key version twice", 1),
        (SECONDS % "true", "is not understood at measurements.0.seconds.0", 1),
        (SECONDS % '"2"', "is not understood at measurements.0.seconds.0", 1),
        (SECONDS % "NaN", "is not", 1),
        (SECONDS % "-Infinity", "is not", 1),
        (SECONDS % "1e400", "is not understood at measurements.0.seconds.0", 1),
        (SECONDS % "010", "is not JSON", 1),
        ("[" * 100_000, "is not UTF-8 text that can be parsed", 1),
    ],
)
def test_an_unreadable_file_is_told_of(tmp_path, text, words, line):
    (tmp_path / "measurements.json").write_bytes(text.encode("latin-1"))
    found, findings = load_measurements(tmp_path / "topology.yaml")
    assert found is None
    (finding,) = findings
    assert finding.code == "MEAS001"
    assert words in finding.summary
    assert finding.span is not None
    assert finding.span.line == line
    assert "--measure" in finding.mend


def test_an_unreadable_file_refuses_the_topology(tmp_path, design_of):
    design_of("active-passive")
    (tmp_path / "measurements.json").write_text("{", encoding="utf-8")
    assert [f.code for f in validate_topologies([tmp_path / "topology.yaml"])[1]] == ["MEAS001"]


def test_hosts_come_before_labs_and_other_topologies_do_not_count():
    found = Measurements(
        measurements=(
            one((9.0,), where="hosts"),
            one((1.0,)),
            one((5.0,), topology="other", operation="stop web"),
            one((5.0,), release="debian-13", operation="stop web"),
        )
    )
    durations = durations_of(found, "demo", "debian-12")
    (only,) = durations.known
    assert only.expected_ms == 9000
    assert "on the hosts" in only.measured
    assert durations.of("stop web") is None
