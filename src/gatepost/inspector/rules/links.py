"""Rules on where links lead: another place than they show, shorteners, redirectors, pages that anybody may put up.

In: `Facts`. Out: `Seen`. Standard: practice. Newsletters lead every link through a click counter, and honest mail links
to shops, forms and shorteners too: what is ordinary weighs nothing alone, and a little beside another sign.
Not here: how a host is written (`hosts`), pages and scripts (`markup`), what a URL says (`inspector.links`).
"""

from __future__ import annotations

from collections import Counter

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.links.domain import registrable_domain
from gatepost.inspector.links.hosting import Service, services_of
from gatepost.inspector.links.seen import Links
from gatepost.inspector.links.shown import credential_words
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.link_signs import has_links, links_of, lures, sender_domains, shows_other, told

MANY_HOSTS = 30  # domains; a digest of news links to twenty
_ANYBODYS = frozenset((Service.FREE, Service.STORAGE))


@rule(
    code="link.text-differs",
    severity=Severity.WARNING,
    weight=1.5,
    group="links",
    summary="A link shows {shown} and leads to {host}.",
    why="People believe the address that they read; the one behind it is where their password goes.",
    remedy="Do not follow the link; type the address that it shows.",
    reference="practice: shown and real target",
    when=has_links,
)
def text_differs(facts: Facts) -> Seen | None:
    links = links_of(facts)
    senders = sender_domains(facts)
    counter = _click_counter(links)
    best: Seen | None = None
    for seen in links.web:
        shown = shows_other(facts, seen)
        if not shown:
            continue
        evidence = {"shown": shown, "host": seen.url.host.ascii, "target": told(seen.url)}
        imitated = facts.protected.is_genuine(shown) and registrable_domain(shown) not in senders
        if imitated and seen.domain != counter and not (facts.aligned_pass and seen.domain in senders):
            return Seen(evidence=evidence, severity=Severity.DANGER, weight=3.5)
        if seen.domain == counter or seen.domain in senders or registrable_domain(shown) in senders:
            best = best or Seen(evidence=evidence, severity=Severity.INFO, weight=0.0)
        elif best is None or best.weight == 0.0:
            best = Seen(evidence=evidence)
    return best


def _click_counter(links: Links) -> str:
    """The domain through which most links of the message go, as in a newsletter: four at least. Else empty."""
    counts = Counter(seen.domain for seen in links.web if seen.link.source == "html-a")
    if not counts:
        return ""
    domain, count = counts.most_common(1)[0]
    return domain if count >= 4 and count * 2 > counts.total() else ""


@rule(
    code="link.shortener",
    severity=Severity.NOTICE,
    weight=0.4,
    group="links",
    summary="A link hides where it leads behind the shortener {host}.",
    why="A short address tells nothing of its target, and the target can be changed after the message was checked.",
    remedy="Have the address shown before you follow it (most shorteners do that with a + at its end).",
    reference="practice: shorteners",
    when=has_links,
)
def shortener(facts: Facts) -> Seen | None:
    for seen in links_of(facts).web:
        if Service.SHORTENER in seen.services:
            evidence = {"host": seen.url.host.ascii, "target": told(seen.url)}
            if seen.last is not seen.url:
                evidence["leads_to"] = told(seen.last)
            against = [sign for url in seen.ends[1:] for sign in lures(facts, seen, url)]
            if against:
                return Seen(evidence={**evidence, "signs": against}, severity=Severity.WARNING, weight=1.5)
            return Seen(evidence=evidence)
    return None


@rule(
    code="link.redirect",
    severity=Severity.NOTICE,
    weight=0.3,
    group="links",
    summary="A link goes through {host}, which leads on to {target}.",
    why="A redirector of a well-known site lends its good name to whatever address stands behind it.",
    remedy="Look at the end of the address, not at its beginning.",
    reference="practice: open redirects",
    when=has_links,
)
def redirect(facts: Facts) -> Seen | None:
    for seen in links_of(facts).web:
        if Service.REDIRECTOR not in seen.services or len(seen.ends) < 2:
            continue
        inner = seen.ends[1]
        evidence = {"host": seen.url.host.ascii, "target": told(inner)}
        against = lures(facts, seen, inner)
        if against:
            return Seen(evidence={**evidence, "signs": against}, severity=Severity.WARNING, weight=1.5)
        return Seen(evidence=evidence)
    return None


@rule(
    code="link.free-hosting",
    severity=Severity.NOTICE,
    weight=0.3,
    group="links",
    summary="A link leads to {host}, where anybody may put up a page at once.",
    why="Pages for stealing passwords stand on free hosts, whose names and certificates are beyond suspicion.",
    remedy="Never type a password into a page on a free host.",
    reference="practice: free hosting",
    when=has_links,
)
def free_hosting(facts: Facts) -> Seen | None:
    best: Seen | None = None
    for seen in links_of(facts).web:
        for url in (end for end in seen.ends if services_of(end) & _ANYBODYS):
            evidence = {"host": url.host.ascii, "target": told(url)}
            against = lures(facts, seen, url)
            if against:
                return Seen(evidence={**evidence, "signs": against}, severity=Severity.WARNING, weight=1.5)
            words = credential_words(url)
            if words and (best is None or best.weight is None):
                best = Seen(evidence={**evidence, "signs": [f"says {words[0]}"]}, weight=0.7)
            best = best or Seen(evidence=evidence)
    return best


@rule(
    code="link.credential-words",
    severity=Severity.NOTICE,
    weight=0.4,
    group="links",
    summary="A link to {host}, which is not the sender's, says {words} in its address.",
    why="Addresses of false log-in pages are full of words that ask for trust.",
    remedy="Log in where you always do, not through the link.",
    reference="practice: words in addresses",
    when=has_links,
)
def words_in_address(facts: Facts) -> Seen | None:
    senders = sender_domains(facts)
    for seen in links_of(facts).web:
        for url in seen.ends:
            words = credential_words(url)
            other = registrable_domain(url.host.ascii) not in senders and not facts.is_own(url.host.ascii)
            if len(words) >= 2 and other and not facts.protected.is_genuine(url.host.ascii):
                evidence = {"host": url.host.ascii, "words": ", ".join(words[:6]), "target": told(url)}
                return Seen(evidence=evidence, weight=1.0 if len(words) > 2 else None)
    return None


@rule(
    code="link.many-hosts",
    severity=Severity.INFO,
    weight=0.2,
    group="links",
    summary="The message links to {count} different domains.",
    why="Advertising and collections of links do; letters do not.",
    reference="practice: many hosts",
    when=has_links,
)
def many_hosts(facts: Facts) -> Seen | None:
    count = len(links_of(facts).domains)
    return Seen(evidence={"count": count}) if count >= MANY_HOSTS else None


@rule(
    code="link.code",
    severity=Severity.WARNING,
    weight=2.5,
    group="links",
    summary="A code in a picture leads to {host}, and {signs}.",
    why="A link in a code is followed with a telephone, outside the protection of the company's computers; that is why"
    " log-in pages of thieves are sent as codes.",
    remedy="Do not scan it; open the site by yourself.",
    reference="practice: QR phishing; ISO/IEC 18004",
    when=has_links,
)
def code(facts: Facts) -> Seen | None:
    senders = sender_domains(facts)
    for seen in links_of(facts).web:
        if seen.link.source != "code":
            continue
        signs = [sign for url in seen.ends for sign in lures(facts, seen, url, words_from=1)]
        for url in seen.ends:
            signs += [f"is a {s.value} host" for s in (Service.SHORTENER, Service.FREE) if s in services_of(url)]
        if signs and not (facts.aligned_pass and seen.domain in senders):
            evidence = {"host": seen.url.host.ascii, "signs": "; ".join(signs[:4]), "target": told(seen.url)}
            return Seen(evidence=evidence)
    return None


@rule(
    code="link.base-trick",
    severity=Severity.NOTICE,
    weight=0.8,
    group="links",
    summary="The page says that all its links belong to {host}, which is not the sender's.",
    why="With a base the dangerous half of an address stands far from the links, where filters do not look.",
    remedy="Judge the links by the base.",
    reference="HTML Standard §4.2.3 (base)",
    when=has_links,
)
def base_trick(facts: Facts) -> Seen | None:
    links = links_of(facts)
    senders = sender_domains(facts)
    bases = [seen for seen in links.every if seen.link.source == "html-base" and seen.url.is_web]
    for base in bases:
        inside = [seen for seen in links.web if seen.domain == base.domain and seen.link.source == "html-a"]
        if base.domain not in senders and inside and not facts.is_own(base.url.host.ascii):
            evidence = {"host": base.url.host.ascii, "links": len(inside)}
            return Seen(evidence=evidence, weight=1.5 if len({each.domain for each in bases}) > 1 else None)
    return None
