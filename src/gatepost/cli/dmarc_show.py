"""Reports on a terminal: a bar for each day, the senders, alignment, TLS.

In: `Picture`. Out: text in which nothing of a report is markup or a control character. Passed and failed
differ in shape as well as in colour. Standard: none. Not here: the page (`dmarc_html`), advice (`dmarc_counsel`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatepost.cli.terminal import safe, visible
from gatepost.ports.reported import ReportedDay
from gatepost.reports.sources import Kind, Source

if TYPE_CHECKING:
    from gatepost.server.reports.picture import Picture
    from gatepost.store.reports.questions import ReportedDomain

WIDTH = 40  # characters of the longest bar
MOST_BARS = 45  # more days are shown as weeks
MOST_SOURCES = 20
PASSED, FAILED = "█", "▒"
KIND_WORDS = {
    Kind.OWN: "yours",
    Kind.SERVICE: "service",
    Kind.FORWARDER: "forwarder",
    Kind.UNKNOWN: "unknown",
}
KIND_STYLE = {Kind.OWN: "green", Kind.SERVICE: "cyan", Kind.FORWARDER: "blue", Kind.UNKNOWN: "red"}


def show_domains(console: Console, domains: Sequence[ReportedDomain], as_json: bool) -> int:
    """Which domains there are reports on; exit code 1 where there are none."""
    if as_json:
        for one in domains:
            print(json.dumps(asdict(one)))
        return int(not domains)
    if not domains:
        console.print("No reports yet; `gatepost dmarc import FILE...` takes them in.")
        return 1
    table = _table("domain", "DMARC", "failure", "TLS", "from", "to", "messages")
    for one in domains:
        span = (_date(one.begin // 86400), _date(one.end // 86400))
        counts = (str(one.aggregate), str(one.failure), str(one.tls))
        table.add_row(safe(one.domain), *counts, *span, f"{one.messages:,}")
    console.print(table)
    return 0


def show_picture(console: Console, picture: Picture, latest: int | None = None) -> None:
    """Everything on one domain; `latest` is when its last report ended, seconds since the epoch."""
    total = picture.passed + picture.failed
    head = Text(visible(picture.domain), style="bold")
    counts = f"{total:,} messages, {_share(picture.passed, total)} passed" if total else "no message reported"
    head.append(f"  from {_date(picture.since)}: {counts}", "default")
    console.print(head)
    if picture.days:
        _show_days(console, "Messages a day", picture.days)
        _show_sums(console, picture)
        show_title(
            console, f"Senders (the {MOST_SOURCES} largest)" if len(picture.sources) > MOST_SOURCES else "Senders"
        )
        console.print(sources_table(picture.sources[:MOST_SOURCES]))
    if picture.failures:
        _show_failures(console, picture)
    if picture.tls_days:
        _show_days(console, "TLS sessions a day", picture.tls_days)
        _show_tls(console, picture)
    if not (picture.days or picture.tls_days or picture.failures):
        console.print(
            "No report in this time; --since 90d looks further back, `gatepost dmarc show` lists all domains."
        )


def _nothing(latest: int | None) -> str:
    if latest is None:
        return "There is no report on it; `gatepost dmarc show` lists the domains that there are."
    return f"No report in this time: the latest is of {_date(latest // 86400)}; give --since."


def _show_days(console: Console, title: str, days: Sequence[ReportedDay]) -> None:
    show_title(console, title)
    bars = by_week(days) if len(days) > MOST_BARS else [(_date(day.day), day) for day in days]
    longest = max(day.passed + day.failed for _, day in bars)
    for label, day in bars:
        passed, failed = bar_lengths(day.passed, day.failed, longest, WIDTH)
        line = Text(f"  {label}  ")
        line.append(PASSED * passed, "green").append(FAILED * failed, "red").append(" " * (WIDTH - passed - failed))
        line.append(f" {day.passed:>9,} passed {day.failed:>9,} failed")
        console.print(line, soft_wrap=True)


def by_week(days: Sequence[ReportedDay]) -> list[tuple[str, ReportedDay]]:
    """Days added up by weeks that begin on Monday (day 4 of the epoch was one)."""
    weeks: dict[int, ReportedDay] = {}
    for day in days:
        start = (day.day - 4) // 7 * 7 + 4
        before = weeks.get(start, ReportedDay(day=start, passed=0, failed=0))
        weeks[start] = ReportedDay(day=start, passed=before.passed + day.passed, failed=before.failed + day.failed)
    return [(f"{_date(start)} +7", week) for start, week in weeks.items()]


def bar_lengths(passed: int, failed: int, longest: int, width: int) -> tuple[int, int]:
    """How long both parts of a bar are; what is not nothing shows."""
    if not longest:
        return 0, 0
    whole = max(round((passed + failed) * width / longest), int(passed > 0) + int(failed > 0))
    second = round(failed * whole / max(passed + failed, 1))
    if failed and not second:
        second = 1
    if passed and second == whole:
        second -= 1
    return whole - second, second


def _show_sums(console: Console, picture: Picture) -> None:
    show_title(console, "What passed, and what was done")
    total = picture.passed + picture.failed
    aligned, done = picture.alignment, picture.dispositions
    table = Table.grid(padding=(0, 2))
    for label, count in (
        ("SPF and DKIM aligned", aligned["both"]),
        ("DKIM alone", aligned["dkim"]),
        ("SPF alone (lost when forwarded)", aligned["spf"]),
        ("neither", aligned["neither"]),
        ("delivered", done["none"]),
        ("quarantined", done["quarantine"]),
        ("rejected", done["reject"]),
    ):
        table.add_row(f"  {label}", Text(f"{count:,}", justify="right"), _share(count, total))
    console.print(table)
    names = ", ".join(f"{visible(one.name, 40)} ({one.count:,})" for one in picture.reporters[:8])
    console.print(safe(f"  reported by {len(picture.reporters)}: {names}"))
    for seen, policy in picture.policies[-3:]:
        tags = {"p": policy.p, "sp": policy.sp, "np": policy.np, "t": policy.testing}
        shown = " ".join(f"{tag}={value}" for tag, value in tags.items() if value)
        console.print(safe(f"  policy seen from {_date(seen // 86400)}: {shown or 'none'}"))


def sources_table(sources: Iterable[Source]) -> Table:
    """The senders, with what each is and why."""
    table = _table("sender", "is", "passed", "failed", "DKIM", "SPF", "days", "why", "addresses")
    for source in sources:
        total = source.passed + source.failed
        table.add_row(
            safe(visible(source.name, 60)),
            Text(KIND_WORDS[source.kind], style=KIND_STYLE[source.kind]),
            f"{source.passed:,}",
            Text(f"{source.failed:,}", style="red" if source.failed else ""),
            _share(source.by_dkim, total),
            _share(source.by_spf, total),
            str(source.days),
            safe(source.why),
            safe(", ".join(source.addresses[:2]) + (" …" if len(source.addresses) > 2 else "")),
        )
    return table


def _show_failures(console: Console, picture: Picture) -> None:
    show_title(console, "Single messages that failed (failure reports)")
    table = _table("day", "reporter", "address", "failed", "done", "From", "subject")
    for one in picture.failures[:10]:
        cells = (one.reporter, one.source_ip, one.auth_failure, one.delivery_result, one.header_from, one.subject)
        table.add_row(_date(one.day), *(safe(visible(cell, 50)) for cell in cells))
    console.print(table)


def _show_tls(console: Console, picture: Picture) -> None:
    names = ", ".join(f"{visible(one.name, 40)} ({one.count:,})" for one in picture.tls_reporters[:8])
    console.print(safe(f"  reported by {len(picture.tls_reporters)}: {names}"))
    if picture.tls_trouble:
        table = _table("failed because", "policy", "mail exchanger", "sessions", "days", "last", "code")
        for one in picture.tls_trouble[:MOST_SOURCES]:
            row = (safe(one.result_type), safe(one.policy_type), safe(one.mx or "-"))
            table.add_row(*row, f"{one.count:,}", str(one.days), _date(one.last), safe(visible(one.reason, 60)))
        console.print(table)


def show_title(console: Console, title: str) -> None:
    """A heading, with an empty line above it."""
    console.print(Text(f"\n{title}", style="bold"))


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    numbers = frozenset(("passed", "failed", "DKIM", "SPF", "days", "messages", "sessions"))
    for title in titles:
        table.add_column(title, overflow="fold", justify="right" if title in numbers else "left")
    return table


def _share(count: int, total: int) -> str:
    """In per cent; never 100 or 0 where it is not quite so."""
    if not total:
        return "-"
    share = 100 * count / total
    if 0 < share < 0.1 or 99.9 < share < 100:
        return "<0.1 %" if share < 1 else ">99.9 %"
    return f"{share:.1f} %".replace(".0 %", " %")


def _date(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * 86400))
