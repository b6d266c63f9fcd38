"""Rules on what the text wants: a change of bank details, gift cards, a password, money for a parcel …

In: `Facts`, with the texts that were opened. Out: `Seen`. Words prove nothing: each weighs little, and more where the
sender is a stranger, pretends, or lets answers go elsewhere. Mail of an acquaintance weighs next to nothing.
Standard: none but practice. Not here: the phrases (`wording`), the sender (`pretending`, `acquaintance`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.knowing import is_acquainted, is_stranger, was_answered
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules import pretending
from gatepost.inspector.wording import Folded, Topic, find_topic, fold
from gatepost.inspector.wording.wallets import MIN_WALLET, find_wallets
from gatepost.inspector.wordlists import is_freemail
from gatepost.message.words import decode_words

MAX_SUBJECT = 1000  # characters
MILD = 0.3  # what words of somebody weigh who has been writing for a while
_MONEY = (Topic.BANK_CHANGE, Topic.GIFT_CARD, Topic.ERRAND, Topic.INVOICE, Topic.ADVANCE_FEE, Topic.EXTORTION)


def _has_text(facts: Facts) -> bool:
    return facts.content is not None


@lru_cache(maxsize=64)
def _subject(text: str) -> Folded:
    return fold(decode_words(text))


def _texts(facts: Facts) -> tuple[Folded, ...]:
    if facts.content is None:
        return ()
    return facts.content.folded, _subject(facts.header.text("subject")[:MAX_SUBJECT])


def _wallets(facts: Facts) -> tuple[str, ...]:
    if facts.content is None or not any(len(word) >= MIN_WALLET for word in facts.content.folded.words):
        return ()
    return find_wallets(facts.content.visible)


def _seen(facts: Facts, topic: Topic, weight: float | None = None) -> Seen | None:
    """What was found of `topic`; mild for acquaintances, and where a list or newsletter of a proven sender says it."""
    found = find_topic(topic, _texts(facts))
    if not found:
        return None
    evidence = {"phrases": list(found), "words": ", ".join(f'"{phrase}"' for phrase in found)}
    header = facts.header
    list_mail = header.first("list-id") or header.first("list-post")
    if is_acquainted(facts) or was_answered(facts) or (list_mail and facts.aligned_pass):
        return Seen(evidence=evidence, severity=Severity.INFO, weight=MILD)
    return Seen(evidence=evidence, weight=weight)


@rule(
    code="wording.bank-change",
    severity=Severity.WARNING,
    weight=2.0,
    group="wording",
    summary="It speaks of new bank details and of payments: {words}.",
    why="Changed bank details are how invoice and salary fraud works, also from mailboxes that were broken into.",
    remedy="Call the firm or person, by a number you had before; never pay to the new account without it.",
    reference="practice: business e-mail compromise",
    when=_has_text,
)
def bank_change(facts: Facts) -> Seen | None:
    return _seen(facts, Topic.BANK_CHANGE)


@rule(
    code="wording.gift-card",
    severity=Severity.WARNING,
    weight=2.5,
    group="wording",
    summary="It wants gift cards bought, or their codes: {words}.",
    why="No manager pays by gift cards; their codes are money that nobody can bring back.",
    remedy="Do not buy any. Ask the person on another way.",
    reference="practice: business e-mail compromise",
    when=_has_text,
)
def gift_card(facts: Facts) -> Seen | None:
    return _seen(facts, Topic.GIFT_CARD)


@rule(
    code="wording.errand",
    severity=Severity.NOTICE,
    weight=1.0,
    group="wording",
    summary="It asks whether you are there for something urgent or secret: {words}.",
    why="So begin the conversations of false managers, before they ask for money.",
    remedy="Ask the person on another way before you answer.",
    reference="practice: business e-mail compromise",
    when=_has_text,
)
def errand(facts: Facts) -> Seen | None:
    return _seen(facts, Topic.ERRAND)


@rule(
    code="wording.password",
    severity=Severity.WARNING,
    weight=2.0,
    group="wording",
    summary="It threatens the loss of an account or mailbox and wants something confirmed: {words}.",
    why="Fear and haste lead people to pages that ask for their passwords or card numbers.",
    remedy="Do not follow its links: open the site by yourself and look there.",
    reference="practice: phishing",
    when=_has_text,
)
def password(facts: Facts) -> Seen | None:
    return _seen(facts, Topic.PASSWORD)


@rule(
    code="wording.invoice",
    severity=Severity.NOTICE,
    weight=1.0,
    group="wording",
    summary="It presses for a payment, or wants to be called about one: {words}.",
    why="False invoices and renewals live from haste, or from a telephone number.",
    remedy="Compare it with what was ordered; take telephone numbers from elsewhere.",
    reference="practice: invoice fraud",
    when=_has_text,
)
def invoice(facts: Facts) -> Seen | None:
    return _seen(facts, Topic.INVOICE)


@rule(
    code="wording.extortion",
    severity=Severity.DANGER,
    weight=4.0,
    group="wording",
    summary="It threatens to publish or destroy something unless it is paid in a cryptocurrency: {words}.",
    why="Such letters go to millions; there is no recording, even where they show an old password.",
    remedy="Do not pay or answer. Change the password it shows wherever you still use that.",
    reference="practice: extortion",
    when=_has_text,
)
def extortion(facts: Facts) -> Seen | None:
    seen = _seen(facts, Topic.EXTORTION)
    if seen is None or seen.weight == MILD:
        return seen
    wallets = _wallets(facts)
    if wallets:
        return Seen(evidence={**seen.evidence, "wallets": list(wallets)}, weight=5.0)
    return Seen(evidence=seen.evidence)


@rule(
    code="wording.wallet",
    severity=Severity.INFO,
    weight=0.5,
    group="wording",
    summary="It names a cryptocurrency wallet: {wallet}.",
    why="What is paid to a wallet cannot be brought back.",
    remedy="Pay nothing to it because of a mail.",
    reference="practice: extortion",
    when=_has_text,
)
def wallet(facts: Facts) -> Seen | None:
    wallets = _wallets(facts)
    return Seen(evidence={"wallet": wallets[0], "wallets": list(wallets)}) if wallets else None


@rule(
    code="wording.advance-fee",
    severity=Severity.WARNING,
    weight=3.0,
    group="wording",
    summary="It promises a fortune from somebody unknown: {words}.",
    why="There is no fortune: fees are asked for before it comes, again and again.",
    remedy="Do not answer.",
    reference="practice: advance-fee fraud",
    when=_has_text,
)
def advance_fee(facts: Facts) -> Seen | None:
    return _seen(facts, Topic.ADVANCE_FEE)


@rule(
    code="wording.parcel",
    severity=Severity.NOTICE,
    weight=1.5,
    group="wording",
    summary="It says that a parcel waits for a small payment or confirmation: {words}.",
    why="The payment is small so that nobody asks; what is wanted is the card.",
    remedy="Look up the number of the parcel on the carrier's own site.",
    reference="practice: phishing",
    when=_has_text,
)
def parcel(facts: Facts) -> Seen | None:
    return _seen(facts, Topic.PARCEL)


@rule(
    code="wording.prize",
    severity=Severity.NOTICE,
    weight=1.5,
    group="wording",
    summary="It says that you have won something that must be claimed: {words}.",
    why="Who did not play has not won; the prize costs an address, a card number or a fee.",
    remedy="Do not answer or follow its links.",
    reference="practice: phishing",
    when=_has_text,
)
def prize(facts: Facts) -> Seen | None:
    return _seen(facts, Topic.PRIZE)


@rule(
    code="wording.false-face",
    severity=Severity.DANGER,
    weight=2.5,
    group="spoof",
    summary="It asks for money or passwords ({topics}), and its sender is not who he seems: {signs}.",
    why="Each of these alone may be honest; together they are the pattern of fraud.",
    remedy="Do nothing it asks for. Ask the one it seems to be from, on another way.",
    reference="practice: business e-mail compromise",
    when=_has_text,
)
def false_face(facts: Facts) -> Seen | None:
    if is_acquainted(facts) or was_answered(facts):
        return None
    signs = list(_signs(facts))
    if len(signs) < 2:
        return None
    topics = [topic.value for topic in (*_MONEY, Topic.PASSWORD) if find_topic(topic, _texts(facts))]
    if not topics:
        return None
    evidence = {"topics": ", ".join(topics), "signs": ", ".join(signs)}
    return Seen(evidence=evidence, weight=3.5 if len(signs) > 2 else None)


def _signs(facts: Facts) -> Iterator[str]:
    """What speaks against the sender, in plain words."""
    if pretending.colleagues_name.check(facts) is not None:
        yield "a colleague's name"
    if pretending.brands_name.check(facts) is not None:
        yield "a brand's name"
    if pretending.lookalike_domain.check(facts) is not None:
        yield "a look-alike domain"
    if pretending.answers_go_elsewhere(facts):
        yield "answers go elsewhere"
    if is_stranger(facts):
        yield "never wrote before"
    if facts.author_domains and is_freemail(facts.author_domains[0]):
        yield "an address anybody can have"
