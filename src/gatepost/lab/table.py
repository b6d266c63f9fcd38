"""The tour's table: mail, what is expected, what the server did, why.

In: results. Out: a table for a terminal, or JSON; the exit code.
Standard: DESIGN, "What others may lean on" (exit codes). Not here: how the results came about (`lab.tour`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gatepost.lab.judge import Result

MAX_CODES = 3  # findings named in a row; --json has all
WIDE = 120  # columns of a terminal that has room for the reasons in a column of their own


def exit_code(results: Sequence[Result]) -> int:
    """0 when everything went as expected, else 1."""
    return 0 if all(result.as_expected for result in results) else 1


def as_json(results: Sequence[Result]) -> str:
    """All results as one JSON object."""
    different = sum(not result.as_expected for result in results)
    rows = [result.as_json() for result in results]
    return json.dumps({"visits": len(rows), "different": different, "results": rows}, indent=2, ensure_ascii=False)


def print_table(results: Sequence[Result], console: Console) -> None:
    """The table, good visits first as they stand, and one line of summary."""
    wide = console.width >= WIDE
    table = Table(expand=wide, pad_edge=False, box=None, header_style="bold")
    table.add_column("", width=1)
    table.add_column("visit", ratio=3, overflow="fold")
    table.add_column("expected", ratio=2, overflow="fold")
    table.add_column("what the gate did", ratio=3, overflow="fold")
    if wide:
        table.add_column("why", ratio=5, overflow="fold")
    for result in results:
        table.add_row(*_row(result, wide), style=None if result.as_expected else "bold red")
    console.print(table)
    different = [result.scenario.name for result in results if not result.as_expected]
    good = sum(result.scenario.good for result in results)
    said = f"[bold red]{len(different)} different: {', '.join(different)}" if different else "all as expected."
    console.print(f"\n{len(results)} visits, {good} honest and {len(results) - good} not; {said}", highlight=False)


def _row(result: Result, wide: bool) -> tuple[str, ...]:
    """On a narrow terminal the reason stands below the title."""
    mark = "[green]✓" if result.as_expected else "[red]✗"
    expected = result.scenario.expected
    outcomes = " or ".join(outcome.value for outcome in expected.outcomes)
    if len(expected.actions) == 1 and expected.actions[0] not in ("accept", "reject", "defer"):
        outcomes += f": {expected.actions[0]}"
    title, why = escape(result.scenario.title), escape(result.scenario.why)
    did = _did(result)
    if result.differences:
        did += f" [red]({escape('; '.join(result.differences))})"
    return (mark, title, outcomes, did, why) if wide else (mark, f"{title}\n[dim]{why}", outcomes, did)


def _did(result: Result) -> str:
    """The reply, and the verdict with the findings that decided."""
    visit, seen = result.visit, result.seen
    code = visit.decisive.code if visit.decisive and not visit.reason else ""
    words = f"{visit.outcome.value} {code}".strip()
    if seen and seen.action:
        words += f": {seen.action}"
        codes = seen.decided_by or tuple(code for code in result.scenario.expected.codes if code in seen.codes)
        words += f" ({', '.join(codes[:MAX_CODES])})" if codes else ""
    return escape(words)
