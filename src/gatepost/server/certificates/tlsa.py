"""The TLSA records of our own mail exchangers: what DNS shows of our keys, and what must change there.

In: keys, answers of DNS. Out: `Sight`s; changes to publish; the lines to publish by hand.
Standard: RFC 7672 §3.1 (3 1 1 is what SMTP should use), RFC 7671 §8.1 and §8.4 (next key's record first).
Not here: other people's records (`server.delivery`), when a key is used (`renewal`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gatepost.msgauth.tlsa import matches_certificate, parse_tlsa
from gatepost.net.tls import ascii_name
from gatepost.ports.dns import Answer, DnsStatus, Question, Resolver
from gatepost.ports.publisher import Action, Change, Outcome, Publisher
from gatepost.server.certificates.folder import public_octets
from gatepost.server.settings import GateSettings

PORT = 25
DEADLINE = 30.0  # seconds for all questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What DNS shows at one name. `known` is False when nobody knows. `data` are our kind's (3 1 1), in hexadecimal;
    `stands`: there are TLSA records of whatever kind; `covers`: one of them names the certificate in use."""

    name: str
    known: bool
    stands: bool = False
    data: frozenset[str] = frozenset()
    covers: bool = False
    ttl: int = 0
    reason: str = ""


def tlsa_names(settings: GateSettings) -> tuple[str, ...]:
    """Where the records of our mail exchangers stand."""
    hosts = settings.acme.tlsa_names or (settings.hostname,)
    return tuple(dict.fromkeys(f"_{PORT}._tcp.{ascii_name(host)}" for host in hosts))


def tlsa_data(key: bytes) -> str:
    """What a record 3 1 1 of a private key holds."""
    return hashlib.sha256(public_octets(key)).hexdigest()


def record_text(data: str) -> str:
    """A record of our kind: this key, whoever signed its certificate and however long that is good."""
    return f"3 1 1 {data}"


async def look(names: Sequence[str], leaf: x509.Certificate, resolver: Resolver) -> tuple[Sight, ...]:
    """What the world is told now."""
    answers = await resolver.lookup_all([Question(name, "TLSA") for name in names], DEADLINE)
    octets = leaf.public_bytes(Encoding.DER)
    return tuple(_sight(name, answer, octets) for name, answer in zip(names, answers, strict=True))


def _sight(name: str, answer: Answer, leaf: bytes) -> Sight:
    if answer.status is DnsStatus.TEMPFAIL:
        return Sight(name=name, known=False, reason=answer.reason)
    records = [found for record in answer.records if (found := parse_tlsa(str(record))) is not None]
    ours = frozenset(one.data.hex() for one in records if (one.usage, one.selector, one.matching_type) == (3, 1, 1))
    covers = any(matches_certificate(one, leaf) for one in records)
    return Sight(name=name, known=True, stands=bool(records), data=ours, covers=covers, ttl=answer.ttl)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What came of keeping the records right. `ttl` is the longest that a set before may still be cached, `trouble`
    why a change was not made; `published` and `removed` are the data that were."""

    ttl: int = 0
    trouble: str = ""
    published: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


async def keep_published(
    publisher: Publisher, names: Sequence[str], wanted: Collection[str], spent: Collection[str], ttl: int
) -> Kept:
    """Adds the records of `wanted` keys where they are missing, then takes those of `spent` keys away; records that are
    not ours stay. Raises InputError."""
    longest, changes = 0, []
    for name in names:
        standing = await publisher.read(name, "TLSA")
        if standing.status is DnsStatus.TEMPFAIL:
            return Kept(ttl=longest, trouble=standing.reason)
        longest = max(longest, standing.ttl)
        there = {found.data.hex() for text in standing.records if (found := parse_tlsa(text)) is not None}
        for action, data in ((Action.ADD, sorted(set(wanted) - there)), (Action.DELETE, sorted(set(spent) & there))):
            if data:
                records = tuple(record_text(one) for one in data)
                changes.append(Change(action=action, name=name, rtype="TLSA", records=records, ttl=ttl))
    for done in await publisher.publish(changes) if changes else ():
        if done.outcome is not Outcome.DONE:
            return Kept(ttl=longest, trouble=done.reason)
    words = {action: {text.rpartition(" ")[2] for one in changes if one.action is action for text in one.records}
             for action in (Action.ADD, Action.DELETE)}  # fmt: skip
    return Kept(ttl=longest, published=tuple(words[Action.ADD]), removed=tuple(words[Action.DELETE]))
