"""Rules on whether the sender is known here: strangers, acquaintances, and threads that never were.

In: `Facts`, with the memory of senders. Out: `Seen`, for each recipient where they differ. What lowers the score asks
for an aligned pass (TRAPS, "Spoofers inherit trust"). Being new is no fault: it weighs next to nothing, but makes other
findings graver. Standard: DESIGN, "Findings and decisions"; RFC 5322 §3.6.4 for threads.
Not here: the memory (`ports.History`), how old it must be (`knowing`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.indirect import signs_of_indirect_flow
from gatepost.inspector.knowing import DAY, SETTLED, is_acquainted, is_stranger, memory_of, was_answered
from gatepost.inspector.rule import Seen, for_recipients, rule
from gatepost.inspector.threads import looks_like_reply, references_of
from gatepost.message.words import decode_words

JUMP = 20  # messages on one day from which a jump is looked for; people who write much write ten
JUMP_TIMES = 10.0  # times the average of a day
MAX_SUBJECT = 1000
_ANSWERED = "{author} is proven, and this recipient has written to {author}."


def _has_memory(facts: Facts) -> bool:
    return facts.acquaintance is not None


def _is_bulk(facts: Facts) -> bool:
    header = facts.header
    return any(header.first(name) for name in ("list-id", "list-post", "list-unsubscribe"))


@rule(
    code="sender.first-time",
    severity=Severity.NOTICE,
    weight=0.2,
    group="acquaintance",
    summary="Nobody here has ever had mail from {author} before.",
    why="Nearly all fraud comes from addresses that never wrote before; so does every honest first letter.",
    remedy="Take a second look at what it asks for.",
    reference="practice: unknown senders",
    when=_has_memory,
)
def first_time(facts: Facts) -> Seen | None:
    known = memory_of(facts)
    if known is None or known.messages or known.replied or not facts.authors:
        return None
    evidence = {"author": facts.authors[0].address, "domain_messages": known.domain_messages}
    if _is_bulk(facts) or not is_stranger(facts):
        return Seen(evidence=evidence, severity=Severity.INFO, weight=0.0)
    return Seen(evidence=evidence)


@rule(
    code="sender.first-time-to-you",
    severity=Severity.INFO,
    group="acquaintance",
    summary="{author} has written to others here, but never to this recipient.",
    why="Who has broken into a partner's mailbox writes to everybody in its address book.",
    remedy="Take a second look at what it asks for.",
    reference="practice: unknown senders",
    when=_has_memory,
)
def first_time_to_you(facts: Facts) -> Seen | Sequence[Seen] | None:
    known = memory_of(facts)
    if known is None or not known.messages or not facts.authors:
        return None
    new = [one for one, messages in known.by_recipient.items() if not messages and one not in known.replied]
    evidence = {"author": facts.authors[0].address, "messages_to_others": known.messages}
    return for_recipients(Seen(evidence=evidence), new, tuple(known.by_recipient))


@rule(
    code="sender.acquainted",
    severity=Severity.INFO,
    weight=-1.5,
    group="acquaintance",
    summary="{author} is proven and no stranger: {messages} messages since {days:.0f} days.",
    why="Mail from somebody who has been writing for a while, or who was answered, is seldom fraud.",
    reference="practice: unknown senders",
    when=_has_memory,
)
def acquainted(facts: Facts) -> Seen | Sequence[Seen] | None:
    known = facts.acquaintance
    if known is None or not facts.aligned_pass or not facts.authors:
        return None
    first = known.first_seen if known.first_seen is not None else facts.now
    evidence = {"author": facts.authors[0].address, "messages": known.messages, "days": (facts.now - first) / DAY}
    to_all = Seen(evidence=evidence, weight=-0.5) if is_acquainted(facts) else None
    to_one = Seen(evidence=evidence)
    answered = Seen(evidence=evidence, weight=-2.5, summary=_ANSWERED)
    grounds: list[tuple[Seen, list[str]]] = [(answered, []), (to_one, []), *([(to_all, [])] if to_all else [])]
    for recipient in known.by_recipient:
        if recipient in known.replied:
            grounds[0][1].append(recipient)
        elif is_acquainted(facts, recipient):
            grounds[1][1].append(recipient)
        elif to_all:
            grounds[2][1].append(recipient)
    if not known.by_recipient:
        return to_all
    everybody = tuple(known.by_recipient)
    return [one for seen, some in grounds for one in _each(for_recipients(seen, some, everybody))]


def _each(found: Seen | Sequence[Seen] | None) -> Sequence[Seen]:
    return (found,) if isinstance(found, Seen) else found or ()


@rule(
    code="sender.volume-jump",
    severity=Severity.WARNING,
    weight=1.5,
    group="acquaintance",
    summary="{author} has sent {today} messages here today, where {average:.1f} a day are usual.",
    why="A mailbox that was broken into suddenly writes to everybody; its mail is proven all the same.",
    remedy="Ask the sender on another way, and do not follow links until then.",
    reference="practice: unknown senders",
    when=_has_memory,
)
def volume_jump(facts: Facts) -> Seen | None:
    known = facts.acquaintance
    if known is None or known.first_seen is None or not facts.aligned_pass or not facts.authors or _is_bulk(facts):
        return None
    days = (facts.now - known.first_seen) / DAY
    if days < SETTLED or known.day != int(facts.now // DAY) or known.day_messages < JUMP:
        return None
    average = (known.messages - known.day_messages) / days
    if known.day_messages < JUMP_TIMES * average:
        return None
    evidence = {"author": facts.authors[0].address, "today": known.day_messages, "average": average}
    return Seen(evidence=evidence)


@rule(
    code="sender.unknown-thread",
    severity=Severity.NOTICE,
    weight=1.0,
    group="spoof",
    summary="It claims to answer a message that nobody here has sent or received.",
    why="A false answer borrows the trust of a conversation. A thread that began without you looks the same.",
    remedy="Look whether you know the conversation below it.",
    reference="RFC 5322 §3.6.4",
    when=_has_memory,
)
def unknown_thread(facts: Facts) -> Seen | None:
    known = memory_of(facts)
    if known is None or known.sent_since is None or known.known_references:
        return None  # mail of our own people was never seen: it may well be an answer to that
    if facts.now - known.sent_since < facts.settings.memory_days * DAY or known.messages or was_answered(facts):
        return None
    subject = decode_words(facts.header.text("subject")[:MAX_SUBJECT])
    references = references_of(facts.header)
    if not references or not looks_like_reply(subject) or _is_bulk(facts) or signs_of_indirect_flow(facts):
        return None
    evidence = {"subject": subject[:200], "references": list(references[-3:])}
    return Seen(evidence=evidence, weight=0.4 if facts.aligned_pass and not is_stranger(facts) else None)
