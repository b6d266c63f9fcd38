"""What the rules on links ask of a message: its links, its senders, and what else speaks against an address.

In: `Facts`, one link. Out: values. Evidence is short and shows no control characters.
Standard: none. Not here: the rules (`links`, `hosts`, `schemes`, `markup`), what a URL says (`inspector.links`).
"""

from __future__ import annotations

from functools import lru_cache

from gatepost.inspector.facts import Facts, envelope_domain
from gatepost.inspector.links.domain import registered_label, registrable_domain
from gatepost.inspector.links.host import parse_host
from gatepost.inspector.links.hosting import Service, services_of
from gatepost.inspector.links.seen import Links
from gatepost.inspector.links.seen import Seen as SeenLink
from gatepost.inspector.links.shown import credential_words, shown_host
from gatepost.inspector.links.url import Url

MAX_TOLD = 300  # characters of an address that are told


def has_content(facts: Facts) -> bool:
    """Whether the message was opened and anything was in it."""
    return facts.content is not None and bool(facts.content.opened.items or facts.content.opened.links)


def every_link(facts: Facts) -> tuple[SeenLink, ...]:
    """Every link, pressed or loaded, where `has_content` said there may be some."""
    assert facts.content is not None
    return facts.content.links.every


def has_links(facts: Facts) -> bool:
    """Whether anything in the message leads to a host."""
    return facts.content is not None and bool(facts.content.links.web)


def links_of(facts: Facts) -> Links:
    """The links, where `has_links` said there are some."""
    assert facts.content is not None
    return facts.content.links


def told(url: Url) -> str:
    """An address as evidence: short, and without characters that do not show."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in url.text[:MAX_TOLD])


def sender_domains(facts: Facts) -> frozenset[str]:
    """The registrable domains of the author and the envelope sender, proven or not."""
    named = (*facts.author_domains, envelope_domain(facts.mail_from))
    return frozenset(registrable_domain(domain) for domain in named if domain)


def lures(facts: Facts, seen: SeenLink, url: Url, *, words_from: int = 2) -> list[str]:
    """What else speaks against `url`: an address for a host, a borrowed name, at least `words_from` words that ask for
    trust."""
    found = []
    if url.host.is_address:
        found.append("address")
    likeness = facts.protected.likeness(url.host.ascii)
    if likeness is not None:
        found.append(f"imitates {likeness.imitated}")
    if Service.STORAGE in services_of(url) and url.path.lower().endswith((".html", ".htm")):
        found.append("is a page in a store of files")
    words = credential_words(url)
    if len(words) >= words_from:
        found.append(f"says {', '.join(words[:4])}")
    if shows_other(facts, seen):
        found.append("shows another address")
    return found


def shows_other(facts: Facts, seen: SeenLink) -> str:
    """The host that the link shows, where it leads to none of the same organization; else empty."""
    if not seen.link.shown or seen.link.source == "html-form":
        return ""
    shown = shown_host(seen.link.shown)
    if not shown or not seen.url.is_web:
        return ""
    famous = facts.protected.is_genuine(shown)
    for url in seen.ends[:1] if famous else seen.ends:  # anybody can write a famous address behind his own
        same = registrable_domain(url.host.ascii) == registrable_domain(shown)
        if same or (not famous and registered_label(url.host.ascii) == registered_label(shown)):
            return ""
    if facts.protected.is_genuine(seen.url.host.ascii):
        return ""
    if Service.TRACKER in seen.services:
        return ""
    trackers = _named(facts.settings.links.click_trackers)
    return "" if seen.domain in trackers or seen.url.host.ascii in trackers else shown


@lru_cache(maxsize=8)
def _named(domains: tuple[str, ...]) -> frozenset[str]:
    """Domains of the settings in their DNS form."""
    return frozenset(parse_host(domain).ascii for domain in domains)
