"""A progress bar on standard error, on a terminal only.

In: how much there is to do. Out: a function to call with how much was done. Not here: what is being done.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]


@contextmanager
def progress(total: int | None, doing: str = "inspecting", *, octets: bool = True) -> Iterator[Advance]:
    """Shows how far the work on `total` octets (or things) is; nothing when `total` is None or nobody watches.

    The function takes what was done so far of the current file; when that becomes less, the next file has begun.
    """
    if total is None or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    amount = DownloadColumn() if octets else MofNCompleteColumn()
    columns = (TextColumn(doing), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task("", total=total)
        counted = _Counter()

        def advance(done: int) -> None:
            bar.update(task, completed=counted.overall(done))

        yield advance


class _Counter:
    """Adds up files whose own counts each start anew."""

    def __init__(self) -> None:
        self.before = 0
        self.current = 0

    def overall(self, done: int) -> int:
        """All octets that are done."""
        if done < self.current:
            self.before += self.current
        self.current = done
        return self.before + self.current
