"""The HTML report: one file that needs nothing else, prints well, and runs nothing.

In: audits as JSON values. Out: HTML text. Everything that comes from outside is escaped; there are no scripts, and
nothing is loaded from elsewhere (a Content-Security-Policy says so as well).
Standard: none. Not here: writing the file (`cli.audit_html`), what is shown in the terminal (`cli.audit_show`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from gatepost.audit.check import Area
from gatepost.finding import Severity

MAX_TEXT = 2000  # characters of one text

_STYLE = """
:root{--a:#1a7f37;--b:#4c8c2b;--c:#9a6700;--d:#bc4c00;--f:#b3261e;--line:#d0d7de;--soft:#57606a}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:#1f2328;margin:2rem auto;max-width:62rem;padding:0 1rem}
h1{font-size:1.6rem;margin:.2rem 0}
h2{font-size:1.3rem;margin:2rem 0 .5rem;border-top:2px solid var(--line);padding-top:1rem}
h3{font-size:1.05rem;margin:1.4rem 0 .4rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft)}
code,pre{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap}.soft{color:var(--soft)}
.grade{display:inline-block;min-width:1.7em;text-align:center;font-weight:700;color:#fff;padding:0 .3em}
.A{background:var(--a)}.B{background:var(--b)}.C{background:var(--c)}.D{background:var(--d)}.F{background:var(--f)}
.none{background:#8c959f}.danger{color:var(--f);font-weight:700}.warning{color:var(--d);font-weight:600}
.notice{color:var(--c)}.info{color:var(--soft)}.pass{color:var(--a)}.do{margin:.2rem 0}
@media print{body{margin:0;max-width:none;font-size:11px}h2{break-before:page}h2.first{break-before:auto}
tr{break-inside:avoid}.grade{-webkit-print-color-adjust:exact;print-color-adjust:exact}
a{color:inherit;text-decoration:none}}
"""
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title><style>{style}</style></head><body>
<h1>{title}</h1><p class="soft">{when}. Made by {by}.</p>
"""
TAIL = "</body></html>\n"


def head(title: str, now: float, by: str = "gatepost audit") -> str:
    """The beginning of the file."""
    return _HEAD.format(title=_text(title), style=_STYLE, when=f"{_time(now)} UTC", by=_text(by))


def overview_row(audit: Mapping[str, Any], anchor: str) -> str:
    """A domain's row in the table of all."""
    counts = [sum(one["severity"] == word for one in audit["findings"]) for word in ("danger", "warning", "notice")]
    cells = "".join(f"<td>{count or ''}</td>" for count in counts)
    name = f'<a href="#{escape(anchor)}">{_text(audit["shown"])}</a>'
    return f"<tr><td>{_grade(audit['grade'])}</td><td>{name}</td>{cells}</tr>\n"


OVERVIEW_HEAD = "<table><tr><th></th><th>domain</th><th>danger</th><th>warning</th><th>notice</th></tr>\n"
OVERVIEW_TAIL = "</table>\n"


def section(audit: Mapping[str, Any], anchor: str, *, first: bool) -> str:
    """One domain's part of the report."""
    facts = audit["facts"]
    parts = [
        f'<h2 id="{escape(anchor)}" class="{"first" if first else ""}">',
        f"{_grade(audit['grade'])} {_text(audit['shown'])}</h2>",
        f"<p>{audit['grade']['points']:g} of 100 points: {_text(audit['grade']['note'])}.</p>",
        _areas(audit),
        _changes(audit.get("changes")),
        "<h3>To mend</h3>",
        _findings(audit["findings"], Severity.NOTICE.rank, Severity.DANGER.rank),
        _hosts(facts["hosts"]),
        _spf(facts["spf"]),
        _services(facts["services"]),
        _records(facts["records"]),
        "<h3>Good, and good to know</h3>",
        _findings(audit["findings"], Severity.PASS.rank, Severity.INFO.rank),
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _text(value: object) -> str:
    """Text from anywhere, harmless: control characters become signs, the rest is escaped."""
    text = str(value)[:MAX_TEXT]
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return escape(shown, quote=True)


def _time(now: float) -> str:
    try:
        return f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M}"
    except (OverflowError, OSError, ValueError):
        return "-"


def _grade(grade: Mapping[str, Any]) -> str:
    letter = str(grade["letter"])
    return f'<span class="grade {letter if letter in "ABCDF" else "none"}">{_text(letter)}</span>'


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    top = "".join(f"<th>{_text(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table><tr>{top}</tr>\n{body}</table>"


def _areas(audit: Mapping[str, Any]) -> str:
    rows = []
    for area in Area:
        grade = audit["areas"].get(area.value)
        if grade is None:
            rows.append(
                ['<span class="grade none">-</span>', _text(area.words), '<span class="soft">not looked at</span>']
            )
            continue
        taken = ", ".join(f"{code} −{points:g}" for code, points in grade["taken"].items())
        sum_of = f"100 − ({taken}) = {grade['points']:g}" if taken else "100"
        rows.append([_grade(grade), _text(area.words), f'<span class="soft">{_text(sum_of)}</span>'])
    return _table(("", "area", "points"), rows)


def _findings(findings: Sequence[Mapping[str, Any]], least: int, most: int) -> str:
    chosen = [one for one in findings if least <= Severity(one["severity"]).rank <= most]
    if not chosen:
        return "<p>Nothing.</p>"
    chosen.sort(key=lambda one: -Severity(one["severity"]).rank)
    rows = []
    for one in chosen:
        body = f"<div>{_text(one['summary'])}</div>"
        if one["remedy"]:
            body += f'<div class="do">→ {_code(one["remedy"])}</div>'
        body += f'<div class="soft">{_text(one["code"])} · {_text(one["reference"])}</div>'
        rows.append([f'<span class="{escape(one["severity"])}">{escape(one["severity"])}</span>', body])
    return _table(("", ""), rows)


def _code(remedy: str) -> str:
    """What stands between back-ticks is set as code."""
    parts = str(remedy)[:MAX_TEXT].split("`")
    return "".join(f"<code>{_text(part)}</code>" if at % 2 else _text(part) for at, part in enumerate(parts))


def _hosts(hosts: Sequence[Mapping[str, Any]] | None) -> str:
    if not hosts:
        return ""
    rows = []
    for host in hosts:
        reverse = "; ".join(
            f"{ip} {', '.join(names) or 'no name that leads back'}" for ip, names in host["reverse"].items()
        )
        tlsa = "<br>".join(f"<code>{_text(record)}</code>" for record in host["tlsa"])
        rows.append([_text(host["preference"]), _text(host["name"]), _text(reverse), tlsa])
    return "<h3>Mail exchangers</h3>" + _table(("", "host", "addresses", "TLSA"), rows)


def _spf(tree: Mapping[str, Any] | None) -> str:
    if tree is None or not tree["terms"]:
        return ""
    lines = "\n".join(_spf_lines(tree, 0))
    total = f"{tree['lookups']} look-ups of 10, {tree['void_lookups']} in vain of 2"
    return f"<h3>SPF, look-up by look-up</h3><pre>{lines}\n{_text(total)}</pre>"


def _spf_lines(tree: Mapping[str, Any], depth: int) -> list[str]:
    lines = [f"{'  ' * depth}{_text(tree['domain'])}: {_text(' | '.join(tree['record']) or tree['problem'])}"]
    for term in tree["terms"] if depth < 12 else ():
        below = term["policy"]
        cost = 1 + (below["lookups"] if below else 0)
        lines.append(f"{'  ' * (depth + 1)}{cost:>2}  {_text(term['term'])}{'  finds nothing' if term['void'] else ''}")
        lines += _spf_lines(below, depth + 2) if below else []
    return lines


def _services(services: Sequence[Mapping[str, Any]] | None) -> str:
    reached = [one for one in services or () if one["reached"]]
    if not reached:
        return ""
    rows = []
    for one in reached:
        tls = one["tls"] or {}
        versions = [name for name, seen in tls.get("versions", {}).items() if seen["accepted"]]
        leaf = tls.get("certificate")
        shown = f"{leaf['key']}, until {leaf['not_after'][:10]}, {', '.join(leaf['names'][:3])}" if leaf else ""
        how = tls.get("failure") or f"{tls.get('version', '')} {tls.get('cipher', '')}"
        place = f"{one['host']}:{one['port']}"
        rows.append([_text(place), _text(one["banner"][:100]), _text(how), _text(" ".join(versions)), _text(shown)])
    return "<h3>Ports</h3>" + _table(("port", "greeting", "TLS", "versions accepted", "certificate"), rows)


def _records(records: Mapping[str, Any]) -> str:
    rows = [
        [_text(name.upper()), "<br>".join(f"<code>{_text(text)}</code>" for text in answer["records"])]
        for name, answer in records.items()
        if answer["records"]
    ]
    return "<h3>Records</h3>" + _table(("", ""), rows) if rows else ""


def _changes(changes: Mapping[str, Any] | None) -> str:
    if changes is None:
        return ""
    rows = [
        [_text(title), f"{_text(one['code'])}: {_text(one['summary'])}"]
        for title in ("new", "worse", "better", "gone")
        for one in changes[title]
    ]
    for name, record in changes["records"].items():
        text = f"<code>{_text('; '.join(record['before']))}</code><br>→ <code>{_text('; '.join(record['now']))}</code>"
        rows.append([f"record {_text(name)}", text])
    old, new = changes["grade"]
    rows += [["grade", f"{_text(old)} → {_text(new)}"]] if old != new else []
    return "<h3>Changes</h3>" + (_table(("", ""), rows) if rows else "<p>None.</p>")
