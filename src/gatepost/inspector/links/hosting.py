"""What some well-known hosts do: shorten, redirect, host anybody's pages, count a newsletter's clicks.

In: a parsed URL. Out: what its host is known for, and the address that a redirector's query carries.
Standard: none; data/hosting.txt is our own judgement. Not here: where a link really leads (`ports.Fetcher`).
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from importlib.resources import files

from gatepost.inspector.links.host import percent_decode
from gatepost.inspector.links.url import Url, parse_url

_EMBEDDED = re.compile(r"(?:https?|ftp)(?::|%3[aA]|%253[aA])(?:/|%2[fF]|%252[fF]){2}[^\s&]{3,2000}")
MAX_LABELS = 12  # labels of a host that are looked at, from its end


class Service(enum.StrEnum):
    """What a host does."""

    SHORTENER = "shortener"
    REDIRECTOR = "redirector"
    FREE = "free"
    TRACKER = "tracker"
    STORAGE = "storage"


@lru_cache(maxsize=1)
def _services() -> dict[str, tuple[tuple[str, Service], ...]]:
    """For each host its services, each with the path that it needs."""
    text = files("gatepost.inspector.links").joinpath("data/hosting.txt").read_text("utf-8")
    found: dict[str, tuple[tuple[str, Service], ...]] = {}
    for line in text.splitlines():
        if line and line[0] != "#":
            kind, *places = line.split()
            for place in places:
                host, slash, path = place.partition("/")
                found[host] = (*found.get(host, ()), (slash + path, Service(kind)))
    return found


def services_of(url: Url) -> frozenset[Service]:
    """What the host of `url` is known for, empty for most."""
    known, host = _services(), url.host.ascii
    if not host:
        return frozenset()
    labels = host.split(".")
    found: set[Service] = set()
    for at in range(max(0, len(labels) - MAX_LABELS), len(labels) - 1):
        for path, service in known.get(".".join(labels[at:]), ()):
            if url.path.startswith(path):
                found.add(service)
    return frozenset(found)


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
