"""What the memory of senders says about the author of this message: a stranger, an acquaintance, or nothing.

In: `Facts`. Out: yes or no, never more than the memory knows: before it has lasted for some days nobody is a stranger,
and without an aligned pass nobody is an acquaintance (TRAPS, "Spoofers inherit trust").
Standard: none. Not here: the memory (`ports.History`), what follows (`rules.acquaintance` and others).
"""

from __future__ import annotations

from gatepost.inspector.facts import Facts
from gatepost.inspector.wordlists import is_freemail
from gatepost.ports import Acquaintance

DAY = 86400.0
ENOUGH = 3  # messages from which somebody is known
SETTLED = 7.0  # days between the first of them and now


def memory_of(facts: Facts) -> Acquaintance | None:
    """What is remembered, None while the memory is too young to say "never"."""
    known = facts.acquaintance
    if known is None or known.since is None or facts.now - known.since < facts.settings.memory_days * DAY:
        return None
    return known


def is_stranger(facts: Facts) -> bool:
    """Whether nobody here has ever had proven mail from this address, nor written to it. Of a domain of one's own a
    single known sender is enough for all; at a freemail provider everybody is somebody else."""
    known = memory_of(facts)
    if known is None or known.messages or known.replied:
        return False
    return not known.domain_messages or bool(facts.author_domains and is_freemail(facts.author_domains[0]))


def is_acquainted(facts: Facts, recipient: str | None = None) -> bool:
    """Whether the author, proven, has been writing for a while: to `recipient`, or to anybody here."""
    known = facts.acquaintance
    if known is None or not facts.aligned_pass or known.first_seen is None:
        return False
    if facts.now - known.first_seen < SETTLED * DAY:
        return False
    return (known.messages if recipient is None else known.by_recipient.get(recipient, 0)) >= ENOUGH


def was_answered(facts: Facts) -> bool:
    """Whether somebody here wrote to the author, who is proven."""
    known = facts.acquaintance
    return known is not None and facts.aligned_pass and bool(known.replied)
