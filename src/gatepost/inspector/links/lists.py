"""The lists that are shipped: much-imitated names, look-alike letters, what well-known hosts do.

In: the files in `data/`, whose first lines say what they are. Out: their lines as values, read once.
A server calls `load_lists` before it drops its rights, since the files may be out of reach later.
Not here: what is made of them (`lookalike`, `hosting`), the public suffix list (`domain`).
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from gatepost.inspector.links.domain import registrable_domain


def load_lists() -> None:
    """Reads all of them into memory."""
    imitated_names()
    lookalike_letters()
    known_places()
    registrable_domain("www.example.org")


@lru_cache(maxsize=1)
def imitated_names() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each label with the domains that are its own; "label.*" means nearly every suffix."""
    return tuple((words[0], tuple(words[1:])) for words in _lines("imitated.txt"))


@lru_cache(maxsize=1)
def lookalike_letters() -> dict[int, str]:
    """For code points, the ASCII text that they look like; for `str.translate`."""
    return {ord(char): target for target, sources in _lines("confusables.txt") for char in sources}


@lru_cache(maxsize=1)
def known_places() -> dict[str, tuple[tuple[str, str], ...]]:
    """For each host the words for what it does, each with the path that it needs."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for kind, *places in _lines("hosting.txt"):
        for place in places:
            host, slash, path = place.partition("/")
            found[host] = (*found.get(host, ()), (slash + path, kind))
    return found


def _lines(name: str) -> list[list[str]]:
    text = files("gatepost.inspector.links").joinpath("data", name).read_text("utf-8")
    return [line.split() for line in text.splitlines() if line and line[0] != "#"]
