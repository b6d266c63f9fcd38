"""Prints an audit for a person: the grades first, then what to mend, gravest first, then what is well.

In: an audit as JSON values, so that what is printed and what programs read are the same. Out: text.
Standard: DESIGN, "Findings and decisions". Not here: the HTML report (`audit.report`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gatepost.audit.check import Area
from gatepost.cli.terminal import SEVERITY_STYLE, safe, visible
from gatepost.finding import Severity

GRADE_STYLE = {"A": "bold green", "B": "green", "C": "bold yellow", "D": "bold red", "F": "bold white on red"}
MAX_REMEDY = 1500
MAX_DEPTH = 6  # levels of the SPF tree that are shown


def show_audit(console: Console, audit: Mapping[str, Any], *, verbose: bool = False) -> None:
    """The whole report on one domain."""
    console.print(_head(audit))
    findings = sorted(audit["findings"], key=lambda one: -Severity(one["severity"]).rank)
    bad = [one for one in findings if Severity(one["severity"]).rank >= Severity.NOTICE.rank]
    rest = [one for one in findings if one not in bad]
    console.print(_section(f"To mend ({len(bad)})", _findings(bad, full=True)))
    if audit["facts"]["spf"] is not None and audit["facts"]["spf"]["terms"]:
        console.print(_section("SPF, look-up by look-up", _spf(audit["facts"]["spf"])))
    if audit["facts"]["dmarc"] is not None:
        console.print(_section("DMARC, from the name to the top", _walk(audit["facts"]["dmarc"])))
    if any(one["tls"] for one in audit["facts"]["services"] or ()):
        console.print(_section("TLS", _matrix(audit["facts"]["services"])))
    console.print(_section("Good, and good to know", _findings(rest, full=verbose)))
    if "changes" in audit:
        show_changes(console, audit["domain"], audit["changes"])


def show_line(console: Console, audit: Mapping[str, Any]) -> None:
    """One domain in one line, for many."""
    counts = [sum(one["severity"] == word for one in audit["findings"]) for word in ("danger", "warning", "notice")]
    codes = [one["code"] for one in audit["findings"] if one["severity"] in ("danger", "warning")]
    line = _letter(audit["grade"])
    line.append(f"  {counts[0]:>2} danger {counts[1]:>2} warning {counts[2]:>2} notice  ", style="default")
    line.append_text(safe(f"{audit['shown']}  {' '.join(dict.fromkeys(codes))}", "default"))
    console.print(line, soft_wrap=True)


def show_changes(console: Console, domain: str, changes: Mapping[str, Any]) -> None:
    """What is different from the older audit."""
    old, new = changes["grade"]
    lines: list[Text] = []
    if old != new:
        lines.append(safe(f"grade {old} → {new}", "bold"))
    for title, style in (("new", "bold red"), ("worse", "red"), ("better", "green"), ("gone", "green")):
        lines += [safe(f"{title:<7}{one['code']}: {one['summary']}", style) for one in changes[title]]
    for name, record in changes["records"].items():
        lines += [safe(f"record {name}", "bold"), safe(f"  was {'; '.join(record['before']) or '(none)'}")]
        lines.append(safe(f"  is  {'; '.join(record['now']) or '(none)'}"))
    console.print(_section(f"Changes of {domain}", Group(*lines) if lines else Text("none", style="green")))


def _section(title: str, content: Any) -> Group:
    return Group(Text(""), Text(title, style="bold"), Padding(content, (0, 0, 0, 2)))


def _letter(grade: Mapping[str, Any]) -> Text:
    return Text(f" {grade['letter']} ", style=GRADE_STYLE.get(grade["letter"], "dim"))


def _head(audit: Mapping[str, Any]) -> Group:
    grade = audit["grade"]
    head = _letter(grade)
    head.append_text(safe(f"  {audit['shown']}: {grade['points']:g} of 100 points, {grade['note']}", "bold"))
    table = Table.grid(padding=(0, 2))
    for area in Area:
        one = audit["areas"].get(area.value)
        if one is None:
            table.add_row(Text(" - ", style="dim"), Text(area.words, style="dim"), Text("not looked at", style="dim"))
            continue
        taken = ", ".join(f"{code} -{points:g}" for code, points in one["taken"].items())
        table.add_row(
            _letter(one), Text(area.words), safe(f"{one['points']:g}" + (f" = 100: {taken}" if taken else ""))
        )
    return Group(head, Text(""), table)


def _findings(findings: Sequence[Mapping[str, Any]], *, full: bool) -> Any:
    if not findings:
        return Text("nothing", style="green")
    table = Table.grid(padding=(0, 2))
    for one in findings:
        severity = Severity(one["severity"])
        body = [safe(one["summary"])]
        remedy = one["remedy"]
        if full and remedy:
            body += [Text("do: ").append_text(_remedy(remedy)), safe(f"see: {one['reference']}", "dim")]
        table.add_row(Text(severity.value, style=SEVERITY_STYLE[severity]), Text(one["code"]), Group(*body))
    return table


def _remedy(text: str) -> Text:
    return Text(visible(text, MAX_REMEDY))


def _spf(tree: Mapping[str, Any]) -> Group:
    return Group(
        *_spf_lines(tree, 0), safe(f"{tree['lookups']} look-ups of 10, {tree['void_lookups']} in vain of 2", "bold")
    )


def _spf_lines(tree: Mapping[str, Any], depth: int) -> list[Text]:
    lines = [safe("  " * depth + f"{tree['domain']}: {' | '.join(tree['record']) or tree['problem']}", "dim")]
    if depth >= MAX_DEPTH:
        return lines
    for term in tree["terms"]:
        below = term["policy"]
        cost = 1 + (below["lookups"] if below else 0)
        void = "  finds nothing" if term["void"] else ""
        problem = f"  {below['problem']}" if below and below["problem"] else ""
        lines.append(
            safe("  " * (depth + 1) + f"{cost:>2}  {term['term']}{void}{problem}", "red" if void or problem else "")
        )
        if below and not below["problem"]:
            lines += _spf_lines(below, depth + 2)
    return lines


def _walk(dmarc: Mapping[str, Any]) -> Group:
    lines = []
    for step in dmarc["walk"]:
        found = step["record"] or ("no answer" if step["failed"] else "no record")
        lines.append(safe(f"{step['name']}: {found}", "" if step["record"] else "dim"))
    organization = dmarc["organizational_domain"]
    return Group(*lines, safe(f"organizational domain: {organization or 'unknown'}"))


def _matrix(services: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("port", "TLS", "SSLv3", "1.0", "1.1", "1.2", "1.3", "certificate"):
        table.add_column(title, overflow="fold")
    for one in services:
        tls = one["tls"]
        if tls is None:
            continue
        cells = [_accepted(tls["versions"].get(name)) for name in ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")]
        leaf = tls["certificate"]
        shown = (
            f"{leaf['key']}, until {leaf['not_after'][:10]}, {', '.join(leaf['names'][:2])}" if leaf else tls["failure"]
        )
        place = f"{one['host']}:{one['port']} {one['address']}"
        table.add_row(safe(place), safe(f"{tls['version']} {tls['cipher']}"), *cells, safe(shown))
    return table


def _accepted(seen: Mapping[str, Any] | None) -> Text:
    if seen is None or seen["accepted"] is None:
        return Text("?", style="dim")
    return Text("yes") if seen["accepted"] else Text("no", style="dim")
