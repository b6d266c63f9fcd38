"""What some well-known hosts do: shorten, redirect, host anybody's pages, count a newsletter's clicks.

In: a parsed URL. Out: what its host is known for, and the address that a redirector's query carries.
Standard: none; data/hosting.txt is our own judgement. Not here: where a link really leads (`ports.Fetcher`).
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache

from gatepost.inspector.links.host import percent_decode
from gatepost.inspector.links.lists import known_places
from gatepost.inspector.links.url import Url, parse_url

_EMBEDDED = re.compile(r"(?:https?|ftp)(?::|%3[aA]|%253[aA])(?:/|%2[fF]|%252[fF]){2}[^\s&]{3,2000}")
_NOTHING: frozenset[Service] = frozenset()
MAX_LABELS = 12  # labels of a host that are looked at, from its end


class Service(enum.StrEnum):
    """What a host does."""

    SHORTENER = "shortener"
    REDIRECTOR = "redirector"
    FREE = "free"
    TRACKER = "tracker"
    STORAGE = "storage"


def services_of(url: Url) -> frozenset[Service]:
    """What the host of `url` is known for, empty for most."""
    known = _known_for(url.host.ascii)
    return frozenset(service for path, service in known if url.path.startswith(path)) if known else _NOTHING


@lru_cache(maxsize=8192)
def _known_for(host: str) -> tuple[tuple[str, Service], ...]:
    """The services of `host` and of all domains above it, with the paths that they need."""
    labels = host.split(".")
    return tuple(
        (path, Service(word))
        for at in range(max(0, len(labels) - MAX_LABELS), len(labels) - 1)
        for path, word in known_places().get(".".join(labels[at:]), ())
    )


def embedded_target(url: Url) -> Url | None:
    """The address that the path or query of `url` carries, as redirectors and click counters do; None without one."""
    rest = f"{url.path}?{url.query}"
    if "ttp" not in rest and "ftp" not in rest:
        return None
    found = _EMBEDDED.search(rest)
    if found is None:
        return None
    inner = parse_url(percent_decode(percent_decode(found[0])))
    return inner if inner.is_web else None
