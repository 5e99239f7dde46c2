"""A golden check as JUnit XML, which every CI shows: a test case for each finding and for each criterion against the baseline."""

from pathlib import Path
from xml.etree import ElementTree as ET

from dialogue.visible import shown
from golden_set.decision import Decision
from golden_set.findings import CheckReport, Drift, Finding, MovedCase, Quoted
from reports.check_conclusion import conclude
from reports.conclusion import UNREACHED
from reports.numerals import number, signed
from reports.quoting import one_line

SUITE = "judge golden check"
CLASS = "judge.golden_check"
MESSAGE, QUOTED = 400, 1_000  # characters: of a message, of a quotation


def write_junit(report: CheckReport, path: Path) -> Path:
    """Write the file and return its path. What is UNDECIDED fails, so that CI is red; what the gate does not ask for is skipped."""
    suite = ET.Element("testsuite", name=SUITE, timestamp=f"{report.day.isoformat()}T00:00:00", time="0", hostname="localhost")
    _properties(suite, report)
    _reached(suite, report)
    for finding in report.findings:
        _finding(suite, finding, report)
    for row in report.drift:
        _criterion(suite, row)
    cases = suite.findall("testcase")
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    for name, count in counts.items():
        suite.set(name, str(count))
    suites = ET.Element("testsuites", name=SUITE, time="0")
    for name in ("tests", "failures", "errors"):
        suites.set(name, str(counts[name]))
    suites.append(suite)
    ET.indent(suites, " ")
    ET.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)
    return path


def _properties(suite: ET.Element, report: CheckReport) -> None:
    listed = ET.SubElement(suite, "properties")
    baseline = report.baseline.accepted_on.isoformat() if report.baseline else "none"
    for name, value in {
        "judge": str(report.judge),
        "judge.key": report.judge_key,
        "rubric": report.rubric,
        "rubric.hash": report.judge.rubric_hash,
        "cases": str(report.cases),
        "cases.hash": report.cases_hash,
        "gate": report.gate.name,
        "baseline": baseline,
        "decision": conclude(report).state,
    }.items():
        ET.SubElement(listed, "property", name=name, value=one_line(value, MESSAGE))


def _case(suite: ET.Element, name: str, group: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=f"{CLASS}.{group}", name=one_line(name, MESSAGE), time="0")


def _reached(suite: ET.Element, report: CheckReport) -> None:
    case = _case(suite, "the judge answered", "findings")
    if conclude(report).state == UNREACHED:
        kinds = ", ".join(f"{count} {kind}" for kind, count in report.failures.items()) or "nothing was answered"
        error = ET.SubElement(case, "error", type="unreached", message=one_line(f"the judge failed too often: {kinds}", MESSAGE))
        error.text = shown("\n".join(report.first_failures))


def _finding(suite: ET.Element, finding: Finding, report: CheckReport) -> None:
    case = _case(suite, finding.name, "findings")
    asked = f"; asked: {finding.asked}" if finding.asked else ""
    message = f"{finding.told}; {number(finding.figure)} [{number(finding.low)}, {number(finding.high)}]{asked}"
    if finding.decision is None:
        ET.SubElement(case, "skipped", message=one_line(f"reported, not asked for by the gate: {message}", MESSAGE))
        return
    lines = []
    if finding.name.startswith("violations found"):
        lines = [_quoted(where, item, "") for where, item in zip(report.missed_in, report.missed_violations, strict=True)]
    _outcome(case, finding.decision, message, lines)


def _criterion(suite: ET.Element, row: Drift) -> None:
    shift = f"{signed(row.shift)} [{signed(row.low)}, {signed(row.high)}]"
    message = f"{row.criterion}: mean shift {shift} over {row.episodes} dialogues, margin ±{number(row.margin)}"
    _outcome(_case(suite, f"drift of {row.criterion}", "drift"), row.decision, message, [_moved(moved) for moved in row.moved])


def _outcome(case: ET.Element, decision: Decision, message: str, lines: list[str]) -> None:
    if decision is Decision.PASS:
        return
    kind = "failed" if decision is Decision.FAIL else "undecided"
    failure = ET.SubElement(case, "failure", type=kind, message=one_line(f"{decision}: {message}", MESSAGE))
    failure.text = "\n".join([shown(message), *lines])


def _moved(moved: MovedCase) -> str:
    how = "beyond the margin" if moved.beyond else "nearest miss"
    before = f"before {number(moved.item.before)}, "
    return f"{signed(moved.shift)} ({how}) {_quoted(moved.case, moved.item, before)}"


def _quoted(case: str, item: Quoted, before: str) -> str:
    at = "the episode" if item.turn is None else f"turn {item.turn}"
    ratings = f"{before}now {number(item.now)}, label {number(item.label)}"
    return f"{one_line(case, MESSAGE)}, {at}: {ratings}: “{one_line(item.text, QUOTED)}” ({one_line(item.reason, QUOTED)})"
