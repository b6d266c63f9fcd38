"""Tables that programs put into the pages of docs/, between marks.

In: a page's name, a mark, lines. Out: the page with `<!-- MARK -->` … `<!-- end -->` filled anew.
Not here: what stands in the tables (the programs that measure).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def write_part(page: str, mark: str, lines: Sequence[str]) -> None:
    """Puts `lines` between the marks in docs/PAGE. Ends the program where the marks are gone."""
    path = DOCS / page
    text = path.read_text("utf-8")
    found = re.search(rf"(<!-- {re.escape(mark)} -->\n).*?(<!-- end -->)", text, re.DOTALL)
    if found is None:
        raise SystemExit(f"{path}: the marks <!-- {mark} --> and <!-- end --> are gone")
    path.write_text(text[: found.end(1)] + "\n".join(lines) + "\n" + text[found.start(2) :], "utf-8")
