"""What is printed for people: a console, and text from strangers made harmless.

In: text of unknown origin. Out: the same with every control character visible, never acted on by a terminal.
Standard: ECMA-48 (control functions); Unicode UTS #36 (bidirectional overrides can show a name backwards).
Not here: what is printed (`show`).
"""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text

from gatepost.finding import Severity

SEVERITY_STYLE = {
    Severity.PASS: "green",
    Severity.INFO: "cyan",
    Severity.NOTICE: "yellow",
    Severity.WARNING: "bold yellow",
    Severity.DANGER: "bold red",
}
PICTURES = 0x2400  # U+2400 to U+241F show the C0 controls; U+2421 shows DEL


def visible(text: str, limit: int = 500) -> str:
    """`text` on one line, its control, format and private characters shown as themselves, cut at `limit`."""
    cut = text[:limit]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else _shown(c) for c in cut)
    return cut + "…" if len(text) > limit else cut


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(PICTURES + code)
    if code == 0x7F:
        return chr(0x2421)
    if unicodedata.category(character) in ("Zs", "Zl", "Zp"):
        return " "
    return f"‹U+{code:04X}›"


def safe(text: object, style: str = "") -> Text:
    """`text` for rich: no markup is read in it, no control character gets through."""
    return Text(visible(str(text)), style=style)


def console(**options: Any) -> Console:
    """Standard output: colours only on a terminal, wide lines when it is a file."""
    width = None if sys.stdout.isatty() else 120
    return Console(highlight=False, markup=False, emoji=False, width=width, **options)
