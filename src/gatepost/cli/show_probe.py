"""Prints what a probe found, for people.

In: results. Out: text: what is wrong first and gravest first, each with what to do; then one line for the rest.
Standard: none. Not here: JSON (`api_probe`), JUnit (`audit.probe.junit`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from gatepost.api_probe import Probed
from gatepost.audit.probe.judging import Result
from gatepost.audit.probe.scenario import Scenario, Status
from gatepost.cli.terminal import console, safe, visible
from gatepost.finding import Severity

STYLES = {
    Severity.DANGER: "bold red",
    Severity.WARNING: "yellow",
    Severity.NOTICE: "cyan",
    Severity.INFO: "dim",
    Severity.PASS: "green",
}


def show(probed: Sequence[Probed], *, verbose: bool) -> None:
    """Every port."""
    out = console()
    for number, one in enumerate(probed):
        if number:
            out.print()
        _show_one(out, one, verbose=verbose)


def _show_one(out: Console, probed: Probed, *, verbose: bool) -> None:
    aim, found = probed.aim, probed.grade
    target = aim.target
    tls = ", TLS from the start" if target.implicit_tls else ""
    out.print(safe(f"{target.host}:{target.port} ({target.address}, {target.spoken.value}{tls})", "bold"))
    if aim.greeting:
        out.print(safe(f"  it says: {aim.greeting}"))
    if found is None and probed.reason:
        out.print(safe(f"  nothing could be tested: {probed.reason}", "bold red"))
        return
    if found is not None:
        groups = ", ".join(f"{group.value} {one.letter}" for group, one in found.groups.items())
        whole = found.whole
        out.print(safe(f"  grade {whole.letter}, {whole.points:g} points, {whole.note}: {groups}", "bold"))
    if probed.reason:
        out.print(safe(f"  not everything was tested: {probed.reason}", "yellow"))
    failed = [result for result in probed.results if result.status is Status.FAILED]
    for first, others in _families(failed):
        _show_failed(out, first, others)
    _show_rest(out, probed, verbose=verbose)


def _families(failed: Sequence[Result]) -> list[tuple[Result, list[Result]]]:
    """Gravest first; those that are mended in the same way are told together."""
    families: dict[tuple[object, ...], list[Result]] = {}
    for result in sorted(failed, key=lambda result: -result.severity.rank):
        key = (result.severity, result.scenario.group, result.finding.remedy, result.scenario.why)
        families.setdefault(key, []).append(result)
    return [(family[0], family[1:]) for family in families.values()]


def _show_failed(out: Console, result: Result, others: Sequence[Result]) -> None:
    finding = result.finding
    out.print()
    head = Text.assemble(
        (f"  {finding.severity.value.upper():8}", STYLES[finding.severity]), "  ", safe(finding.summary, "bold")
    )
    out.print(head)
    for word, text in (
        ("seen", result.judged.said),
        ("why", result.scenario.why),
        ("do", finding.remedy),
        ("see", f"{finding.reference}  [{result.scenario.name}]" if finding.reference else f"[{result.scenario.name}]"),
    ):
        if text:
            out.print(Text.assemble((f"    {word:5}", "dim"), safe(text)))
    if others:
        out.print(Text.assemble(("    also ", "dim"), safe(", ".join(other.scenario.name for other in others))))
    for line in finding.evidence.get("transcript", ()):
        out.print(Text.assemble("      ", safe(line, "dim")), soft_wrap=True)


def _show_rest(out: Console, probed: Probed, *, verbose: bool) -> None:
    passed = [result for result in probed.results if result.status is Status.PASSED]
    untested = [result for result in probed.results if result.status is Status.UNTESTED]
    failed = len(probed.results) - len(passed) - len(untested)
    out.print()
    if verbose:
        for result in (*passed, *untested):
            mark, style = ("✓", "green") if result.status is Status.PASSED else ("–", "yellow")
            said = visible(result.judged.said, 160)
            out.print(Text.assemble((f"  {mark} ", style), f"{result.scenario.name:28} ", safe(said, "dim")))
        out.print()
    reasons: dict[str, int] = {}
    for result in untested:
        reasons[result.judged.said] = reasons.get(result.judged.said, 0) + 1
    out.print(f"  {len(probed.results)} scenarios: {failed} bad, {len(passed)} good, {len(untested)} not tested")
    for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1])[:6]:
        out.print(safe(f"    {count} not tested: {visible(reason, 160)}", "dim"))
    if not verbose and (passed or untested):
        out.print(safe("    --verbose shows them all", "dim"))


def show_list(scenarios: Sequence[Scenario], *, as_json: bool) -> None:
    """What there is to try."""
    out = console()
    for one in scenarios:
        spoken = ",".join(word.value for word in one.spoken)
        if as_json:
            answer = {
                "name": one.name,
                "group": one.group.value,
                "spoken": [word.value for word in one.spoken],
                "title": one.title,
                "severity": one.severity.value,
                "why": one.why,
                "remedy": one.remedy,
                "reference": one.reference,
                "needs": [need.value for need in one.needs],
            }
            print(json.dumps(answer))
        else:
            out.print(safe(f"{one.name:28} {one.group.value:11} {spoken:14} {one.title}"), soft_wrap=True)
