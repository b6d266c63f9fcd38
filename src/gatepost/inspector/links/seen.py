"""The links of one message, each parsed once: where it leads at first, and at last.

In: `Opened`, where redirects were followed to, the domains of click trackers. Out: `Links`.
Bounded: `MAX_LINKS` of a message are judged, no address twice.
Not here: finding links (`sandbox`), following them (`ports.Fetcher`), the rules (`rules.links`, `rules.hosts`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from gatepost.inspector.links.domain import registrable_domain
from gatepost.inspector.links.hosting import Service, embedded_target, services_of
from gatepost.inspector.links.url import Url, parse_url
from gatepost.ports import Followed, Link, Opened

MAX_LINKS = 1000
MAX_FOLLOWED = 5  # links of a message that are followed
PRESSED = frozenset(
    (
        *("text", "html-a", "html-area", "html-form", "html-refresh", "svg", "calendar", "pdf", "office", "shortcut"),
        "code",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One link. `url` is where it leads at once, `ends` every address it may lead to: itself, what a redirector's query
    carries, what was found by following. `services` is what the first host is known for."""

    link: Link
    url: Url
    ends: tuple[Url, ...]
    services: frozenset[Service]

    @property
    def domain(self) -> str:
        """The registrable domain of the first host, empty where there is none."""
        return registrable_domain(self.url.host.ascii) if self.url.host.ascii else ""

    @property
    def last(self) -> Url:
        """Where it leads in the end, as far as known."""
        return self.ends[-1]

    @property
    def pressed(self) -> bool:
        """Whether a person may press, scan or submit it; else the mail program loads it by itself."""
        return self.link.source in PRESSED


class Links:
    """All links of a message. `every` is in order and without repetition; `web` are those of them that lead to hosts
    when pressed; `more` tells that there were too many to judge all."""

    def __init__(self, opened: Opened, followed: Iterable[Followed] = ()) -> None:
        hops = {way.hops[0]: way.hops[1:] for way in followed if way.hops}
        once: dict[tuple[str, str, str], Link] = {}
        for link in opened.links:
            if len(once) >= MAX_LINKS:
                break
            once.setdefault((link.target, link.source, link.shown), link)
        self.more = len(opened.links) > len(once) >= MAX_LINKS
        self.every: tuple[Seen, ...] = tuple(_seen(link, hops) for link in once.values())

    @cached_property
    def web(self) -> tuple[Seen, ...]:
        """Links that a person may press and that lead to a host."""
        return tuple(seen for seen in self.every if seen.pressed and seen.url.is_web)

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """The registrable domains of `web`, each once, in order."""
        return tuple(dict.fromkeys(seen.domain for seen in self.web))

    @cached_property
    def ends(self) -> tuple[tuple[Seen, Url], ...]:
        """Each address that `web` may lead to once, with a link that leads there."""
        found: dict[tuple[str, str, frozenset[str]], tuple[Seen, Url]] = {}
        for seen in self.web:
            for url in seen.ends:
                marks = frozenset((*url.host.marks, *url.marks))
                found.setdefault((url.host.ascii, url.user, marks), (seen, url))
        return tuple(found.values())


def shortened(opened: Opened) -> tuple[str, ...]:
    """The addresses that are worth following: those of shorteners, each once, at most `MAX_FOLLOWED`."""
    found: dict[str, None] = {}
    for link in opened.links[:MAX_LINKS]:
        if link.source in PRESSED and link.target not in found and is_shortened(link.target):
            found[link.target] = None
            if len(found) >= MAX_FOLLOWED:
                break
    return tuple(found)


def is_shortened(target: str) -> bool:
    """Whether `target` is a known shortener's address: only such are ever asked where they lead."""
    url = parse_url(target)
    return url.scheme in ("http", "https") and Service.SHORTENER in services_of(url)


def _seen(link: Link, hops: dict[str, tuple[str, ...]]) -> Seen:
    url = parse_url(link.target)
    services = services_of(url) if url.host.ascii else frozenset()
    ends = [url]
    inner = embedded_target(url) if url.host.ascii else None
    if inner is not None and inner.host.ascii != url.host.ascii:
        ends.append(inner)
    ends += [parse_url(hop) for hop in hops.get(link.target, ())]
    return Seen(link=link, url=url, ends=tuple(ends), services=services)
