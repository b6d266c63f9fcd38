"""The HTML report of a probe: one file that needs nothing else, prints well, and runs nothing.

In: ports as JSON values (docs/schema/probe.json). Out: HTML text. Everything that a server said is escaped.
Standard: none. Not here: how the page looks (`audit.report`), the terminal (`cli.show_probe`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from gatepost.audit.report import TAIL, head
from gatepost.finding import Severity

MAX_TEXT = 2000  # characters of one text
Json = Mapping[str, Any]


def write_report(probed: Sequence[Json], now: float) -> str:
    """The whole file."""
    hosts = ", ".join(dict.fromkeys(str(one["host"]) for one in probed))
    sections = "".join(_section(one, first=number == 0) for number, one in enumerate(probed))
    return head(f"How {hosts} behaves", now, "gatepost probe") + sections + TAIL


def _section(one: Json, *, first: bool) -> str:
    failed = sorted(_of(one, "failed"), key=lambda result: -Severity(result["finding"]["severity"]).rank)
    title = f"{one['host']}:{one['port']} ({one['spoken']})"
    parts = [f'<h2 class="{"first" if first else ""}">{_grade(one["grade"])} {_text(title)}</h2>']
    parts.append(f"<p>It says: <code>{_text(one['greeting'])}</code></p>" if one["greeting"] else "")
    parts.append(f"<p>Not everything was tested: {_text(one['reason'])}.</p>" if one["reason"] else "")
    parts.append(_table([[_grade(grade), _text(group)] for group, grade in one["groups"].items()]))
    parts.append("<h3>To mend</h3>" + (_table([_failed(result) for result in failed]) or "<p>Nothing.</p>"))
    parts.append("<h3>Good</h3>" + _table([_plain(result) for result in _of(one, "passed")]))
    parts.append("<h3>Not tested</h3>" + _table([_plain(result) for result in _of(one, "untested")]))
    return "\n".join(part for part in parts if part) + "\n"


def _of(one: Json, status: str) -> list[Json]:
    return [result for result in one["results"] if result["status"] == status]


def _failed(result: Json) -> list[str]:
    finding = result["finding"]
    lines = "\n".join(finding["evidence"].get("transcript", ()))
    body = f"<div>{_text(finding['summary'])}</div><div>Seen: {_text(result['said'])}.</div>"
    body += f'<div class="do">→ {_text(finding["remedy"])}</div>' if finding["remedy"] else ""
    body += f'<div class="soft">{_text(result["name"])} · {_text(finding["reference"])}</div>'
    body += f"<pre>{_text(lines, 8 * MAX_TEXT)}</pre>" if lines else ""
    return [f'<span class="{escape(finding["severity"])}">{escape(finding["severity"])}</span>', body]


def _plain(result: Json) -> list[str]:
    return [_text(result["name"]), _text(result["title"]), f'<span class="soft">{_text(result["said"])}</span>']


def _table(rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table>{body}</table>" if body else ""


def _grade(grade: Json | None) -> str:
    letter = str(grade["letter"]) if grade else "-"
    return f'<span class="grade {letter if letter in "ABCDF" else "none"}">{escape(letter)}</span>'


def _text(value: object, most: int = MAX_TEXT) -> str:
    """Text from anywhere, harmless."""
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(value)[:most])
    return escape(shown, quote=True)
