"""Rules on how the host of a link is written: names that imitate others, addresses for names, tricks of writing.

In: `Facts`. Out: `Seen`. Standard: UTS 39 (look-alikes), UTS 46 (IDNA), RFC 3986 §7.6 (addresses), §3.2.1 (user-info),
WHATWG URL Standard §3.5. Every address a link may lead to is looked at: its own, what a redirector carries, what
following found. Not here: where links lead (`links`), the reading of hosts (`inspector.links`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.links.domain import looks_registered
from gatepost.inspector.links.host import HostMark, parse_host
from gatepost.inspector.links.lookalike import How, Likeness
from gatepost.inspector.links.scripts import mixes_scripts, passes_for_latin
from gatepost.inspector.links.shown import credential_words
from gatepost.inspector.links.url import Url, UrlMark
from gatepost.inspector.places import is_public
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.link_signs import has_links, links_of, sender_domains, told

_WEIGHTS = {How.LETTERS: 4.5, How.CHARACTERS: 3.5, How.EMBEDDED: 3.0, How.SUFFIX: 1.5, How.TYPO: 1.5, How.PART: 0.4}
_SEVERE = (How.LETTERS, How.CHARACTERS, How.EMBEDDED)


@rule(
    code="link.lookalike",
    severity=Severity.WARNING,
    weight=1.5,
    group="links",
    summary="A link leads to {host}, which is made to be taken for {imitated}.",
    why="A name that differs in a letter, or has the true one as its beginning, is registered for fraud.",
    remedy="Do not follow it. Tell the one who is imitated; block the domain.",
    reference="UTS 39 §4",
    when=has_links,
)
def lookalike(facts: Facts) -> Seen | None:
    best: Seen | None = None
    for _, url in links_of(facts).ends:
        likeness = facts.protected.likeness(url.host.ascii)
        if likeness is None:
            continue
        weight = _weight(facts, url, likeness)
        if best is None or weight > (best.weight or 0.0):
            evidence = {
                "host": url.host.shown[:253],
                "imitated": likeness.imitated,
                "how": likeness.how.value,
                "target": told(url),
            }
            graver = Severity.DANGER if likeness.how in _SEVERE else Severity.WARNING
            best = Seen(evidence=evidence, weight=weight, severity=graver if weight >= 1.5 else Severity.NOTICE)
    return best


def _weight(facts: Facts, url: Url, likeness: Likeness) -> float:
    """A name as a part of another is ordinary (apple.news.example), until the address asks for trust as well."""
    weight = _WEIGHTS[likeness.how]
    if likeness.how is How.PART and credential_words(url):
        weight = 1.5
    ours = facts.is_own(likeness.imitated)
    return weight + (1.0 if ours and likeness.how is not How.PART else 0.0)


@rule(
    code="link.mixed-script",
    severity=Severity.WARNING,
    weight=2.5,
    group="links",
    summary="The name {host} in a link mixes letters of {scripts}.",
    why="A Cyrillic а looks like a Latin a, and is another name. Nobody writes one word in both.",
    remedy="Do not follow it.",
    reference="UTS 39 §5.2",
    when=has_links,
)
def mixed_script(facts: Facts) -> Seen | None:
    for _, url in links_of(facts).ends:
        if HostMark.PUNYCODE not in url.host.marks:
            continue
        labels = url.host.shown.split(".")
        for label in labels:
            if mixes_scripts(label):
                return Seen(evidence={"host": url.host.shown[:253], "scripts": "several scripts", "label": label[:63]})
            if passes_for_latin(label) and labels[-1].isascii() and labels[-1] not in _NATIVE:
                evidence = {"host": url.host.shown[:253], "scripts": "one that looks like Latin", "label": label[:63]}
                return Seen(evidence=evidence, weight=1.5)
    return None


_NATIVE = frozenset(
    ("ru", "su", "ua", "by", "bg", "kz", "mk", "rs", "me", "mn", "kg", "tj", "uz", "gr", "cy", "am", "ge")
)


@rule(
    code="link.punycode",
    severity=Severity.INFO,
    group="links",
    summary="A link leads to {host}, which is {ascii} in DNS.",
    why="Names with letters beyond ASCII are ordinary in many languages, and a way to imitate others.",
    reference="RFC 5890 §2.3.2.1",
    when=has_links,
)
def punycode(facts: Facts) -> Seen | None:
    for _, url in links_of(facts).ends:
        if HostMark.PUNYCODE in url.host.marks:
            return Seen(evidence={"host": url.host.shown[:253], "ascii": url.host.ascii[:253]})
    return None


@rule(
    code="link.ip-host",
    severity=Severity.NOTICE,
    weight=1.2,
    group="links",
    summary="A link leads to the IP address {ip} instead of a name.",
    why="Who has no name for a web site has often broken into somebody else's machine.",
    remedy="Do not follow it unless it is a machine of your own.",
    reference="RFC 3986 §7.6",
    when=has_links,
)
def ip_host(facts: Facts) -> Seen | None:
    best: Seen | None = None
    for _, url in links_of(facts).ends:
        if not url.host.is_address:
            continue
        evidence = {"ip": url.host.ascii, "target": told(url)}
        if HostMark.ODD_ADDRESS in url.host.marks:
            summary = "A link writes the IP address {ip} in a way that nobody recognizes: {target}."
            return Seen(evidence=evidence, severity=Severity.DANGER, weight=3.0, summary=summary)
        if not is_public(url.host.ascii):  # a machine of one's own network
            best = best or Seen(evidence=evidence, severity=Severity.INFO, weight=0.0)
        elif best is None or not best.weight:
            asks = bool(credential_words(url))
            best = Seen(evidence=evidence, weight=2.0 if asks else 1.2)
    return best


@rule(
    code="link.encoded-host",
    severity=Severity.WARNING,
    weight=2.5,
    group="links",
    summary="The host of a link is written in percent signs: {target} leads to {host}.",
    why="Browsers undo it and people do not; there is no honest reason for it.",
    remedy="Do not follow it.",
    reference="RFC 3986 §3.2.2, §7.3",
    when=has_links,
)
def encoded_host(facts: Facts) -> Seen | None:
    for _, url in links_of(facts).ends:
        marks = url.host.marks
        if HostMark.ENCODED in marks and HostMark.BAD not in marks and looks_registered(url.host.ascii):
            return Seen(evidence={"host": url.host.ascii, "target": told(url)})
    return None


@rule(
    code="link.user-info",
    severity=Severity.NOTICE,
    weight=0.5,
    group="links",
    summary="A link has {user} in front of its host {host}.",
    why="What stands before an @ in an address is a user name, and is read as the host by people.",
    remedy="Look at what stands between the @ and the next slash.",
    reference="RFC 3986 §3.2.1, §7.6",
    when=has_links,
)
def user_info(facts: Facts) -> Seen | None:
    best: Seen | None = None
    for _, url in links_of(facts).ends:
        if UrlMark.USER_INFO not in url.marks or url.scheme == "ftp":
            continue
        name = url.user.partition(":")[0]
        evidence = {"user": url.user[:80], "host": url.host.ascii, "target": told(url)}
        pretends = looks_registered(parse_host(name.rpartition("/")[2] or name).ascii) and "." in name
        if pretends and name.lower() not in sender_domains(facts):
            return Seen(evidence=evidence, severity=Severity.DANGER, weight=5.0)
        best = best or Seen(evidence=evidence)
    return best


@rule(
    code="link.invisible-characters",
    severity=Severity.WARNING,
    weight=2.0,
    group="links",
    summary="The address of a link to {host} holds characters that do not show.",
    why="They hide the address from filters, and browsers drop them.",
    remedy="Do not follow it.",
    reference="UTS 46 §4 (mapping), UTS 36 §2.10",
    when=has_links,
)
def invisible_characters(facts: Facts) -> Seen | None:
    for _, url in links_of(facts).ends:
        if HostMark.INVISIBLE in url.host.marks:
            return Seen(evidence={"host": url.host.ascii, "target": told(url)})
    for _, url in links_of(facts).ends:
        if UrlMark.INVISIBLE in url.marks:
            return Seen(evidence={"host": url.host.ascii, "target": told(url)}, severity=Severity.NOTICE, weight=0.5)
    return None
