"""Reports as one page that needs nothing else: no script, no font, no picture from anywhere; it prints well.

In: `Picture`, the time. Out: HTML with an SVG chart inside. Whatever a stranger wrote is escaped, and the page's own
policy forbids scripts and requests should that ever fail. Standard: HTML (WHATWG), SVG 2, CSP 3 (meta element).
Not here: the terminal (`dmarc_show`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from gatepost.cli.dmarc_show import KIND_WORDS, by_week
from gatepost.cli.terminal import visible
from gatepost.ports.reported import ReportedDay

if TYPE_CHECKING:
    from gatepost.server.reports.picture import Picture

MOST_SOURCES = 100
MOST_FAILURES = 50
MOST_COLUMNS = 62
WIDTH, HEIGHT, BOTTOM, LEFT = 960, 220, 34, 64

_STYLE = """
:root{color-scheme:light}body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;
color:#1b1f24;background:#fff}h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:1.8rem 0 .5rem}
p{margin:.3rem 0}.dim{color:#59636e}table{border-collapse:collapse;width:100%;font-size:13px}
th{font-weight:600;text-align:left;border-bottom:2px solid #d1d9e0}td,th{padding:.3rem .5rem;vertical-align:top;
overflow-wrap:break-word}td{border-bottom:1px solid #e6eaef}.n{text-align:right;white-space:nowrap}
.sums{display:flex;flex-wrap:wrap;gap:1rem;margin:1rem 0}.sums div{border:1px solid #d1d9e0;border-radius:6px;
padding:.5rem .9rem}.sums b{display:block;font-size:1.3rem}
svg{width:100%;height:auto;overflow:visible}
.p{fill:#2e7d32}.f{fill:#c62828}.grid{stroke:#d1d9e0}text{font:11px system-ui,sans-serif;fill:#59636e}
@media print{body{margin:0;max-width:none;font-size:11px}h2{break-after:avoid}tr,svg{break-inside:avoid}
thead{display:table-header-group}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}@page{margin:1.5cm}}
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>DMARC reports on {domain}</title><style>{style}</style></head><body>
{body}
</body></html>
"""


def write_page(picture: Picture, now: float) -> str:
    """The page."""
    total = picture.passed + picture.failed
    parts = [
        f"<h1>DMARC reports on {_text(picture.domain)}</h1>",
        f'<p class="dim">{_date(picture.since)} to {_date(int(now // 86400))} (UTC), written by Gatepost on '
        f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))}. Reports are claims of those who sent them.</p>",
        _sums(
            (
                ("messages", f"{total:,}"),
                ("passed", _share(picture.passed, total)),
                ("failed", f"{picture.failed:,}"),
                ("quarantined", f"{picture.dispositions['quarantine']:,}"),
                ("rejected", f"{picture.dispositions['reject']:,}"),
                ("reporters", str(len(picture.reporters))),
            )
        ),
    ]
    if picture.days:
        parts += ["<h2>Messages a day</h2>", _chart(picture.days), _alignment(picture), _policies(picture)]
        parts += [f"<h2>Senders</h2>{_sources(picture)}"]
        parts += ["<h2>Reporters</h2>", _reporters(picture)]
    if picture.failures:
        parts.append(f"<h2>Single messages that failed</h2>{_failures(picture)}")
    if picture.tls_days:
        parts += ["<h2>TLS sessions a day</h2>", _chart(picture.tls_days), _tls(picture)]
    if not (picture.days or picture.failures or picture.tls_days):
        parts.append("<p>No report in this time.</p>")
    return _PAGE.format(domain=_text(picture.domain), style=_STYLE, body="\n".join(parts))


def _sums(pairs: Iterable[tuple[str, str]]) -> str:
    inner = "".join(f"<div><b>{escape(value)}</b>{escape(label)}</div>" for label, value in pairs)
    return f'<div class="sums">{inner}</div>'


def _chart(days: Sequence[ReportedDay]) -> str:
    """A column a day, or a week where there are many: failed on top of passed."""
    bars = by_week(days) if len(days) > MOST_COLUMNS else [(_date(day.day), day) for day in days]
    longest = max(day.passed + day.failed for _, day in bars) or 1
    step = (WIDTH - LEFT) / len(bars)
    thick = min(step * 0.8, 48)
    out = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT + BOTTOM}" role="img" aria-label="passed and failed by day">']
    for part in (0, 0.5, 1):
        y = HEIGHT - part * (HEIGHT - 14)
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{round(longest * part):,}</text>')
    every = -(-len(bars) // 10)
    for index, (label, day) in enumerate(bars):
        x = LEFT + index * step + (step - thick) / 2
        high = [(HEIGHT - 14) * count / longest for count in (day.passed, day.failed)]
        tip = f"{label}: {day.passed:,} passed, {day.failed:,} failed"
        out.append(f"<g><title>{escape(tip)}</title>")
        for kind, y, height in (("p", HEIGHT - high[0], high[0]), ("f", HEIGHT - sum(high), high[1])):
            if height:
                out.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{thick:.1f}" height="{height:.1f}"/>')
        out.append("</g>")
        if index % every == 0:
            centre = x + thick / 2
            out.append(f'<text x="{centre:.1f}" y="{HEIGHT + 18}" text-anchor="middle">{escape(label[:10])}</text>')
    return "".join(out) + '</svg><p class="dim">Green passed, red on top of it failed.</p>'


def _alignment(picture: Picture) -> str:
    total = picture.passed + picture.failed
    rows = [
        (label, f"{picture.alignment[key]:,}", _share(picture.alignment[key], total))
        for key, label in (
            ("both", "SPF and DKIM aligned"),
            ("dkim", "DKIM alone"),
            ("spf", "SPF alone (lost when forwarded)"),
            ("neither", "neither"),
        )
    ]
    return "<h2>Alignment</h2>" + _table(("passed by", "messages", "share"), rows, numbers=(1, 2))


def _policies(picture: Picture) -> str:
    rows = [
        (_date(seen // 86400), p.p or "none", p.sp or "-", p.np or "-", "yes" if p.testing == "y" else "-")
        for seen, p in picture.policies[-10:]
    ]
    return "<h2>Policy as reporters saw it</h2>" + _table(("from", "p", "sp", "np", "test mode"), rows)


def _sources(picture: Picture) -> str:
    rows = []
    for one in picture.sources[:MOST_SOURCES]:
        total = one.passed + one.failed
        counts = (f"{one.passed:,}", f"{one.failed:,}", _share(one.by_dkim, total), _share(one.by_spf, total))
        rows.append((one.name, KIND_WORDS[one.kind], *counts, one.why, ", ".join(one.addresses[:6])))
    more = len(picture.sources) - MOST_SOURCES
    note = f'<p class="dim">… and {more} smaller ones.</p>' if more > 0 else ""
    titles = ("sender", "is", "passed", "failed", "DKIM", "SPF", "why", "addresses")
    return _table(titles, rows, numbers=(2, 3, 4, 5)) + note


def _reporters(picture: Picture) -> str:
    rows = [(one.name, str(one.reports), f"{one.count:,}") for one in picture.reporters[:50]]
    return _table(("reporter", "reports", "messages"), rows, numbers=(1, 2))


def _failures(picture: Picture) -> str:
    rows = [
        (_date(f.day), f.reporter, f.source_ip, f.auth_failure, f.delivery_result, f.header_from, f.subject)
        for f in picture.failures[:MOST_FAILURES]
    ]
    return _table(("day", "reporter", "address", "failed", "done", "From", "subject"), rows)


def _tls(picture: Picture) -> str:
    rows = [
        (one.result_type, one.policy_type, one.mx or "-", f"{one.count:,}", str(one.days), _date(one.last), one.reason)
        for one in picture.tls_trouble[:MOST_SOURCES]
    ]
    if not rows:
        return "<p>No session failed.</p>"
    titles = ("failed because", "policy", "mail exchanger", "sessions", "days", "last", "code")
    return _table(titles, rows, numbers=(3, 4))


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    def cell(tag: str, index: int, text: str) -> str:
        mark = ' class="n"' if index in numbers else ""
        return f"<{tag}{mark}>{_text(text)}</{tag}>"

    head = "".join(cell("th", index, title) for index, title in enumerate(titles))
    body = "".join("<tr>" + "".join(cell("td", i, text) for i, text in enumerate(row)) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(text: str) -> str:
    return escape(visible(text, 300))


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f} %" if total else "-"


def _date(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * 86400))
