"""The thread a message claims to belong to.

In: a header section. Out: the message ids it says it answers, and whether its subject looks like an answer.
Standard: RFC 5322 §3.6.4 (In-Reply-To, References), §3.6.5 ("Re:"); programs write "AW:", "Antw:", "RE :", "SV:", too.
Not here: whether those messages were ever seen (`ports.History`), what follows (`rules.acquaintance`).
"""

from __future__ import annotations

import re

from gatepost.message.header import Header

MAX_FIELD = 8192  # octets of References that are read, from its end: the near messages stand last
MAX_IDS = 50
_ID = re.compile(r"<([^<>\s]{3,250})>")
# Answers, not forwards: a forwarded message may well come from somewhere else.
_REPLY = re.compile(
    r"\s{0,9}(?:r[eé]|aw|antw|antwort|sv|vs|r[eé]f|rép|rif|res|odp|ynt)\s{0,3}(?:\[\d{1,3}\])?\s{0,3}:", re.I
)


def references_of(header: Header) -> tuple[str, ...]:
    """The message ids in References and In-Reply-To, each once, the nearest last; "<…>" with its brackets."""
    found: dict[str, None] = {}
    for name in ("references", "in-reply-to"):
        field = header.first(name)
        if field is not None:
            found.update(dict.fromkeys(f"<{one}>" for one in _ID.findall(field.text[-MAX_FIELD:])[-MAX_IDS:]))
    return tuple(found)[-MAX_IDS:]


def looks_like_reply(subject: str) -> bool:
    """Whether `subject` begins like an answer in some language."""
    return _REPLY.match(subject) is not None
