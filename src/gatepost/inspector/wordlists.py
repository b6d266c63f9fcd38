"""The short lists of words and domains that rules compare with, shipped as text files.

In: a list's name. Out: its entries. The files are in `data/`: words between blanks, comments behind "#".
Standard: none. Not here: the phrases of fraudsters (`wording`), imitated names and hosts (`links`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def word_list(name: str) -> frozenset[str]:
    """The entries of `data/NAME.txt`."""
    text = files("gatepost.inspector").joinpath(f"data/{name}.txt").read_text("utf-8")
    return frozenset(word for line in text.splitlines() if line[:1] != "#" for word in line.split())


def is_freemail(domain: str) -> bool:
    """Whether anybody may have an address at `domain`, within a minute: it proves nothing about who writes."""
    return domain in word_list("freemail")
