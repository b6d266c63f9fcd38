"""Teaching the classifier: one message and what it is, from whoever knows (a command, a release, a move to Junk).

In: the octets of a message, as delivered or as saved; "ham", "spam" or "phish". Out: True when that was news.
Fields that the gate and other servers add on the way do not change which message it is, nor what is learnt of it.
Workers use what was learnt with the next message they judge. Standard: none.
Not here: what is remembered (`store.learned`), what a feature is (`inspector.classifier.tokens`), the command
(`cli.learn`).

    learn(LearnedStore(folder, settings.store.learned), raw, "spam", now)
    unlearn(LearnedStore(folder, settings.store.learned), raw)
"""

from __future__ import annotations

from hashlib import blake2b

from gatepost.inspector.classifier.tokens import message_features
from gatepost.inspector.content import Content
from gatepost.message.message import Message, parse_message
from gatepost.store.learned import LearnedStore

# What tells one message from the next, and no server changes on the way.
_IDENTITY = ("message-id", "from", "date", "subject")
MAX_BODY = 1 << 20  # octets of the body that count for the identity


def learn(store: LearnedStore, raw: bytes, label: str, now: float, content: Content | None = None) -> bool:
    """Learns `raw` as `label`; False when it was known as that. Raises StoreError; InputError for another label."""
    message = parse_message(_without_from_line(raw))
    return store.learn(fingerprint_of(message), label, message_features(message, content).names, now)


def unlearn(store: LearnedStore, raw: bytes) -> bool:
    """Forgets `raw`; False when it was not known. Raises StoreError."""
    return store.forget(fingerprint_of(parse_message(_without_from_line(raw))))


def fingerprint_of(message: Message) -> bytes:
    """The same for a message as it came, as it was delivered and as it was saved (with either line ends)."""
    digest = blake2b(digest_size=16)
    for name in _IDENTITY:
        digest.update(message.header.text(name).encode("utf-8", "replace") + b"\0")
    digest.update(message.body[:MAX_BODY].replace(b"\r\n", b"\n").rstrip(b"\n"))
    return digest.digest()


def _without_from_line(raw: bytes) -> bytes:
    """The line before each message of an mbox (RFC 4155) is no part of the message."""
    return raw[raw.find(b"\n") + 1 or len(raw) :] if raw.startswith(b"From ") else raw
