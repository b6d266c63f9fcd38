"""Advice on a terminal: the verdict first, why, what to do in order, for whom it would break, the record to publish.

In: `Counsel`. Out: text in which nothing of a report is markup or a control character. Standard: none.
Not here: what is said (`reports.advise`), the reports themselves (`dmarc_show`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from gatepost.cli.dmarc_show import MOST_SOURCES, show_title, sources_table
from gatepost.cli.terminal import safe, visible
from gatepost.reports.advice import Step

if TYPE_CHECKING:
    from gatepost.server.reports.counsel import Counsel

STEP_WORDS = {
    Step.WAIT: ("WAIT", "bold yellow", "too little is known yet"),
    Step.FIX: ("FIX FIRST", "bold red", "a stricter policy would stop mail of yours"),
    Step.ASK: ("NAME THE SENDERS", "bold yellow", "a stricter policy stops senders nobody has named"),
    Step.MOVE: ("GO ON", "bold green", "the next step is safe"),
    Step.DONE: ("DONE", "bold green", "nothing is left to do"),
}


def show_counsel(console: Console, found: Counsel) -> None:
    """The verdict first, then why, then what to do, then the record."""
    advice = found.advice
    word, style, meaning = STEP_WORDS[advice.step]
    head = Text(word, style=style).append(f"  {visible(found.domain)}: {meaning}", "default")
    console.print(head)
    console.print(safe(f"  now: {found.record or 'no record found'}"))
    if found.dns:
        console.print(safe(f"  {found.dns}"))
    for line in advice.because:
        console.print(safe(f"  {line}"))
    console.print(
        safe(
            f"  {advice.messages:,} messages on {advice.days} days from {advice.reporters} reporters: {advice.proven:,}"
            f" proven yours, {advice.forged:,} failed with nothing that proves them."
        )
    )
    if advice.fixes:
        show_title(console, "Do first")
        for number, fix in enumerate(advice.fixes[:10], 1):
            console.print(safe(f"  {number}. {visible(fix, 600)}"))
    for title, sources in (
        ("For these it would break", advice.broken),
        ("Yours or not?", advice.questions),
        ("Passed on by others, and changed on the way", advice.indirect),
    ):
        if sources:
            show_title(console, title)
            console.print(sources_table(sources[:MOST_SOURCES]))
    if advice.sub:
        show_title(console, "Subdomains")
        for line in advice.sub:
            console.print(safe(f"  {visible(line, 400)}"))
    if found.next_record:
        show_title(console, f"Publish at {visible(found.at)}")
        console.print(safe(f"  {visible(found.next_record, 2000)}"), soft_wrap=True)
        for line in advice.after:
            console.print(safe(f"  {line}"))
