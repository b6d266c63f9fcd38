"""Results for continuous integration: JUnit's XML, one suite a port, one case a scenario.

In: what ports were found to do. Out: text. Standard: the JUnit XML that Jenkins, GitLab and GitHub's actions read.
Not here: JSON (`api_probe`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

from gatepost.audit.probe.judging import Result
from gatepost.audit.probe.scenario import Status


class Suite(Protocol):
    """What is known of one port (`api_probe.Probed`)."""

    @property
    def results(self) -> tuple[Result, ...]:
        """Of every scenario."""
        ...


def write_junit(suites: Sequence[Suite]) -> str:
    """The document."""
    body = "".join(_suite(suite.results) for suite in suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="gatepost probe">\n{body}</testsuites>\n'


def _suite(results: tuple[Result, ...]) -> str:
    if not results:
        return ""
    target = results[0].target
    failures = sum(result.status is Status.FAILED for result in results)
    skipped = sum(result.status is Status.UNTESTED for result in results)
    name = _attribute(f"{target.host or target.address}:{target.port} {target.spoken.value}")
    seconds = sum(result.seconds for result in results)
    cases = "".join(_case(result) for result in results)
    counts = f'tests="{len(results)}" failures="{failures}" errors="0" skipped="{skipped}"'
    head = f'name={name} {counts} time="{seconds:.3f}"'
    return f"<testsuite {head}>\n{cases}</testsuite>\n"


def _case(result: Result) -> str:
    scenario, finding = result.scenario, result.finding
    name, group = _attribute(scenario.name), _attribute(f"probe.{scenario.group.value}")
    head = f'<testcase classname={group} name={name} time="{result.seconds:.3f}"'
    if result.status is Status.PASSED:
        return f"  {head}/>\n"
    if result.status is Status.UNTESTED:
        return f"  {head}><skipped message={_attribute(result.judged.said)}/></testcase>\n"
    text = "\n".join([finding.summary, finding.remedy, finding.reference, *finding.evidence.get("transcript", ())])
    kind = _attribute(finding.severity.value)
    message = _attribute(f"{finding.severity.value}: {finding.summary}")
    return f"  {head}><failure type={kind} message={message}>{escape(_clean(text))}</failure></testcase>\n"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """XML 1.0 knows no control characters."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
