"""Rules on senders who pretend to be somebody: a colleague, a manager, a brand, our own or a partner's domain.

In: `Facts`. Out: `Seen`. Standard: none but practice; UTS 39 in `links.lookalike`. A display name proves nothing, and
most programs show nothing else. Not here: our own domain without proof and addresses inside names (`senders`), what the
text says (`wording`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts, envelope_domain
from gatepost.inspector.knowing import is_acquainted, is_stranger, was_answered
from gatepost.inspector.links.domain import registered_label
from gatepost.inspector.links.lookalike import How, Likeness, Protected, loose_skeleton
from gatepost.inspector.people import words_of
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.wordlists import is_freemail, word_list
from gatepost.message.addresses import Mailbox, parse_addresses
from gatepost.msgauth.authenticate import MAX_FIELD

MAX_REPLY_TO = 20  # mailboxes of Reply-To that are looked at
MIN_BRAND = 4  # letters of a brand's name in a display name; shorter ones are met by chance
_STRONG = frozenset((How.LETTERS, How.CHARACTERS, How.EMBEDDED, How.TYPO))


@rule(
    code="sender.colleagues-name",
    severity=Severity.WARNING,
    weight=3.0,
    group="spoof",
    summary="It carries the name of {person}, but comes from {address}, which is none of theirs.",
    why="Requests in the name of a manager or colleague are how most invoice and gift-card fraud begins.",
    remedy="Ask the person on another way. If it is a private address of theirs, add it to inspector.people.",
    reference="practice: display-name spoofing",
    when=lambda facts: bool(facts.people),
)
def colleagues_name(facts: Facts) -> Seen | None:
    for box in facts.authors:
        found = facts.people.whose(box.display_name)
        if found is None or not box.address:
            continue
        person, addresses = found
        if box.address.lower() in addresses or (facts.is_own(box.domain) and facts.aligned_pass):
            continue
        evidence = {"person": person, "address": box.address, "name": box.display_name[:200]}
        if was_answered(facts) or is_acquainted(facts):
            return Seen(evidence=evidence, severity=Severity.INFO, weight=0.0)
        if is_stranger(facts):
            return Seen(
                evidence=evidence,
                severity=Severity.DANGER,
                weight=4.5,
                summary="It carries the name of {person}, but comes from {address}, which never wrote to you before.",
            )
        return Seen(evidence=evidence)
    return None


@rule(
    code="sender.brands-name",
    severity=Severity.WARNING,
    weight=2.5,
    group="spoof",
    summary="It carries the name of {brand}, but comes from {domain}, which is not theirs.",
    why="Most programs show the name alone; anybody can write a well-known one there.",
    remedy="Do not follow its links: open the firm's site by yourself.",
    reference="practice: display-name spoofing",
)
def brands_name(facts: Facts) -> Seen | None:
    for box in facts.authors:
        if not box.domain or not box.display_name or facts.is_own(box.domain):
            continue
        brand = _brand_in(facts.protected, box.display_name)
        if brand and not facts.protected.is_genuine(box.domain) and brand not in box.domain:
            evidence = {"brand": brand, "domain": box.domain, "name": box.display_name[:200]}
            known = is_acquainted(facts) or bool(facts.header.first("list-id"))
            return Seen(evidence=evidence, severity=Severity.NOTICE, weight=0.3) if known else Seen(evidence=evidence)
    return None


@lru_cache(maxsize=4096)
def _brand_in(protected: Protected, name: str) -> str:
    """A shipped brand that the first words of `name` spell, look-alike letters included; empty for none. The same
    people write again."""
    labels = protected.by_label
    words = words_of(name)[:3]
    for word in ("".join(words), "".join(words[:2]), *words[:1]):
        for label in (word, protected.skeletons.get(loose_skeleton(word), "")):
            if len(label) >= MIN_BRAND and label in labels and label not in word_list("common-brands"):
                return label
    return ""


@rule(
    code="sender.lookalike-domain",
    severity=Severity.DANGER,
    weight=4.0,
    group="spoof",
    summary="{domain} in {field} is made to be taken for {imitated}.",
    why="A name that differs in one letter is registered for fraud, and it passes every check of the sender.",
    remedy="Do not answer. Tell the one who is imitated; block the domain.",
    reference="UTS 39 §4",
)
def lookalike_domain(facts: Facts) -> Seen | None:
    for field, domain in _sender_domains(facts):
        likeness = facts.protected.likeness(domain)
        if likeness is None:
            continue
        evidence = {"domain": domain, "field": field, "imitated": likeness.imitated, "how": likeness.how.value}
        weight = _likeness_weight(facts, likeness)
        if weight < 1:
            return Seen(evidence=evidence, severity=Severity.INFO, weight=weight)
        return Seen(evidence=evidence, weight=weight, severity=Severity.DANGER if weight > 3 else Severity.WARNING)
    return None


def _likeness_weight(facts: Facts, likeness: Likeness) -> float:
    """A changed letter is no chance; a name as a part of another may be: paypal-users.example is a list."""
    ours = likeness.imitated in facts.protected.own and facts.is_own(likeness.imitated)
    if is_acquainted(facts):
        return 0.3
    if likeness.how in _STRONG:
        return 5.0 if ours else 3.5 if likeness.how is not How.TYPO else 2.5
    return 0.8


def _sender_domains(facts: Facts) -> Iterator[tuple[str, str]]:
    """Each domain a reader, or his answer, may meet, with the field it stands in."""
    seen: set[str] = set()
    candidates = [("From", domain) for domain in facts.author_domains]
    candidates += [("Reply-To", box.domain) for box in _reply_to(facts)]
    candidates.append(("Return-Path", envelope_domain(facts.mail_from)))
    for field, domain in candidates:
        if domain and domain not in seen:
            seen.add(domain)
            yield field, domain


@rule(
    code="sender.own-reply-to",
    severity=Severity.NOTICE,
    weight=0.8,
    group="spoof",
    summary="A message of {author} lets answers go to {reply_to}, an address of our own.",
    why="It makes a foreign message look like one from inside.",
    remedy="Look at who wrote it before you answer.",
    reference="RFC 5322 §3.6.2",
)
def own_reply_to(facts: Facts) -> Seen | None:
    if not facts.author_domains or facts.is_own(facts.author_domains[0]) or facts.header.first("list-id"):
        return None
    if facts.aligned_pass or facts.header.first("list-post"):
        return None
    own = next((box.address for box in _reply_to(facts) if facts.is_own(box.domain)), None)
    return Seen(evidence={"author": facts.authors[0].address, "reply_to": own}) if own else None


@rule(
    code="sender.own-return-path",
    severity=Severity.NOTICE,
    weight=1.2,
    group="spoof",
    summary="The envelope says {mail_from}, an address of our own, but the message comes from outside.",
    why="A server from outside may use our addresses only when we allow it (SPF), and this one is not allowed.",
    remedy="If one of your services sends so, add it to the SPF record.",
    reference="RFC 7208 §2.4",
)
def own_return_path(facts: Facts) -> Seen | None:
    domain = envelope_domain(facts.mail_from)
    if not domain or not facts.is_own(domain) or any(map(facts.is_own, facts.author_domains)):
        return None
    spf = facts.auth.spf_mail_from
    if spf is None or spf.result.value in ("pass", "temperror"):
        return None
    return Seen(evidence={"mail_from": facts.mail_from, "spf": spf.result.value})


@rule(
    code="sender.office-on-freemail",
    severity=Severity.NOTICE,
    weight=1.5,
    group="spoof",
    summary='"{name}" writes from {domain}, where anybody can have an address within a minute.',
    why="Firms, banks and help desks have domains of their own; those who pretend to be one often have not.",
    remedy="Ask the firm on a way you know.",
    reference="practice: display-name spoofing",
)
def office_on_freemail(facts: Facts) -> Seen | None:
    for box in facts.authors:
        if not is_freemail(box.domain) or not box.display_name or facts.header.first("list-id"):
            continue
        words = set(words_of(box.display_name))
        ours = {registered_label(domain) for domain in facts.own_domains}
        if words & word_list("offices") or any(len(word) >= MIN_BRAND and word in ours for word in words):
            known = is_acquainted(facts) or was_answered(facts)
            evidence = {"name": box.display_name[:200], "domain": box.domain}
            return Seen(evidence=evidence, weight=0.2 if known else 2.0 if is_stranger(facts) else None)
    return None


@rule(
    code="sender.reply-to-freemail",
    severity=Severity.NOTICE,
    weight=1.0,
    group="spoof",
    summary="Answers to {author} would go to {reply_to}, an address that anybody can have.",
    why="Who forges a firm's name cannot read its mail, so answers are led to a mailbox made for it.",
    remedy="Look at the address before you answer.",
    reference="RFC 5322 §3.6.2",
)
def reply_to_freemail(facts: Facts) -> Seen | None:
    if not facts.author_domains or facts.header.first("list-id") or facts.header.first("list-post"):
        return None
    authors = {box.address.lower() for box in facts.authors}
    for box in _reply_to(facts):
        if is_freemail(box.domain) and box.address.lower() not in authors and box.domain not in facts.author_domains:
            evidence = {"author": facts.authors[0].address, "reply_to": box.address}
            milder = is_acquainted(facts) or is_freemail(facts.author_domains[0])
            return Seen(evidence=evidence, weight=0.4) if milder else Seen(evidence=evidence)
    return None


def _reply_to(facts: Facts) -> tuple[Mailbox, ...]:
    field = facts.header.first("reply-to")
    return parse_addresses(field.value[:MAX_FIELD]).mailboxes[:MAX_REPLY_TO] if field is not None else ()


def answers_go_elsewhere(facts: Facts) -> bool:
    """Whether an answer would reach another domain than the author's."""
    return any(box.domain and box.domain not in facts.author_domains for box in _reply_to(facts))
