"""Rules on who the message says it is from, and where answers go.

In: `Facts`. Out: `Seen`. Standard: RFC 5322 §3.6.2 (From, Sender, Reply-To), RFC 9989 §4.2 (the author domain).
Not here: whether it is proven (`authentication`), how often the fields stand (`fields`).
"""

from __future__ import annotations

import re

from gatepost.finding import Severity
from gatepost.inspector.domains import same_organization
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.message.addresses import parse_addresses
from gatepost.msgauth.authenticate import MAX_AUTHORS, MAX_FIELD

# An address inside a display name: bounded pieces, so that no octet is looked at more than 64 times.
_ADDRESS = re.compile(r"[\w.+-]{1,64}\s?@\s?((?:[\w-]{1,63}\.){1,8}[\w-]{2,63})")
_LOOKS_LIKE_AT = str.maketrans({"＠": "@", "﹫": "@"})


@rule(
    code="sender.unreadable-from",
    severity=Severity.WARNING,
    weight=3.0,
    group="header",
    summary="The From field holds no address that can be read: {text}.",
    why="Without an author domain nothing can be proven, and mail programs show what they like.",
    remedy="The sending program has to write a valid address into From.",
    reference="RFC 5322 §3.6.2",
)
def unreadable_from(facts: Facts) -> Seen | None:
    if facts.author_domains or not facts.header.first("from"):
        return None
    return Seen(evidence={"text": facts.header.text("from")[:200]})


@rule(
    code="sender.several-authors",
    severity=Severity.NOTICE,
    weight=2.0,
    group="header",
    summary="The From field names authors of several domains: {domains}.",
    why="Only one of them is shown by many programs, and only one of them may be proven.",
    remedy="Do not rely on the shown sender. Writers in common should use one address.",
    reference="RFC 9989 §11.5",
)
def several_authors(facts: Facts) -> Seen | None:
    if len(facts.author_domains) < 2 or len(facts.header.all("from")) > 1:
        return None
    return Seen(evidence={"domains": ", ".join(facts.author_domains[:5])})


@rule(
    code="sender.odd-from",
    severity=Severity.NOTICE,
    weight=1.0,
    group="header",
    summary="The From field is written in a way that programs read differently: {defects}.",
    why="What a filter takes for the sender may not be what the reader is shown.",
    remedy="The sending program has to be corrected; look at the raw field before you trust the sender.",
    reference="RFC 5322 §3.4",
)
def odd_from(facts: Facts) -> Seen | None:
    defects = dict.fromkeys(d for box in facts.authors for d in box.defects if d != "no-address")
    if any(len(field.raw) > MAX_FIELD for field in facts.header.all("from")[:MAX_AUTHORS]):
        defects["too-long"] = None
    if not defects:
        return None
    grave = {"several-angles", "several-at", "text-after-angle", "comment-in-address", "too-long"} & defects.keys()
    return Seen(evidence={"defects": ", ".join(defects)}, weight=2.5 if grave else None)


@rule(
    code="sender.name-carries-address",
    severity=Severity.WARNING,
    weight=3.5,
    group="header",
    summary="The sender's name shows the address {shown}, but the message is from {actual}.",
    why="Many programs show only the name, so the reader believes the address in it.",
    remedy="Do not answer or follow links. Ask the person you know on another way.",
    reference="practice: display-name spoofing",
)
def name_carries_address(facts: Facts) -> Seen | None:
    for box in facts.authors:
        name = box.display_name
        if not box.domain or ("@" not in name and "＠" not in name and "﹫" not in name):
            continue
        found = _ADDRESS.search(name.translate(_LOOKS_LIKE_AT)[:500])
        if found is None:
            continue
        domain = found[1].lower().rstrip(".")
        if not same_organization(domain, box.domain):
            return Seen(evidence={"shown": found[0], "actual": box.address, "name": name[:200]})
    return None


@rule(
    code="sender.reply-to-elsewhere",
    severity=Severity.INFO,
    weight=0.8,
    group="header",
    summary="Answers would go to {reply_to}, not to the domain of the sender, {author}.",
    why="Fraudsters write in a known name and let the answers come to themselves; newsletters and ticket systems "
    "do it too.",
    remedy="Look at the address before you answer.",
    reference="RFC 5322 §3.6.2",
)
def reply_to_elsewhere(facts: Facts) -> Seen | None:
    field = facts.header.first("reply-to")
    if field is None or not facts.author_domains:
        return None
    elsewhere = [
        box.address
        for box in parse_addresses(field.value[:MAX_FIELD]).mailboxes[:20]
        if box.domain and not any(same_organization(box.domain, author) for author in facts.author_domains)
    ]
    if not elsewhere or facts.header.first("list-id"):
        return None
    evidence = {"reply_to": ", ".join(elsewhere[:3]), "author": facts.author_domains[0]}
    if facts.is_own(facts.author_domains[0]) and not facts.aligned_pass:
        return Seen(evidence=evidence, severity=Severity.WARNING, weight=3.0)
    return Seen(evidence=evidence, weight=0.2 if facts.aligned_pass else None)


@rule(
    code="sender.own-domain-spoofed",
    severity=Severity.DANGER,
    weight=5.0,
    group="spoof",
    summary="The message comes from outside, claims to be from our own domain {domain}, and nothing proves it.",
    why="Mail in the name of a colleague is what invoice fraud and password theft begin with.",
    remedy="Do not act on it. If one of your services sends so, give it a DKIM key or an SPF entry; publish p=reject.",
    reference="RFC 9989 §5",
)
def own_domain_spoofed(facts: Facts) -> Seen | None:
    if facts.aligned_pass or not facts.own_domains:
        return None
    mine = next((d for d in facts.author_domains if facts.is_own(d)), None)
    if mine is None:
        return None
    evidence = {"domain": mine, "client_ip": facts.session.client_ip}
    if facts.header.first("list-id") or facts.header.first("arc-seal"):
        return Seen(evidence=evidence, severity=Severity.WARNING, weight=2.0)
    return Seen(evidence=evidence)
