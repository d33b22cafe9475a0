"""A drill as a JUnit report: a test case a mishap, so that any CI shows it."""

from __future__ import annotations

from xml.etree import ElementTree

from hadeploy.app.drill import DrillReport
from hadeploy.cli.drill_view import sentences
from hadeploy.cli.terminal import shown
from hadeploy.drill.judgement import Finding


def as_junit(report: DrillReport) -> str:
    """The report as XML."""
    findings = report.outcome.findings
    suite = ElementTree.Element(
        "testsuite",
        name=f"drill {report.name} ({report.where})",
        tests=str(len(findings)),
        failures=str(sum(not finding.held for finding in findings)),
        skipped=str(sum(bool(finding.skipped) for finding in findings)),
        errors=str(int(bool(report.outcome.stopped))),
        time=f"{report.seconds:.1f}",
        timestamp=report.begun,
    )
    for finding in findings:
        _case(suite, report.name, finding)
    if report.outcome.stopped:
        case = ElementTree.SubElement(suite, "testcase", classname=report.name, name="the whole drill")
        ElementTree.SubElement(case, "error", message=shown(report.outcome.stopped))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, name: str, finding: Finding) -> None:
    longest = max((each.measured.seconds for each in finding.comparisons), default=0.0)
    case = ElementTree.SubElement(
        suite, "testcase", classname=name, name=str(finding.mishap), time=f"{longest:.3f}"
    )
    words = shown("\n".join(sentences(finding)))  # answers of hosts may hold what XML cannot
    if finding.skipped:
        ElementTree.SubElement(case, "skipped", message=shown(finding.skipped))
    elif not finding.held:
        first = next(iter(finding.faults), "an outage outside its prediction")
        ElementTree.SubElement(case, "failure", message=shown(first)).text = words
    ElementTree.SubElement(case, "system-out").text = words
