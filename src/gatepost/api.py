"""The library's face: judge one message as the gate would, without a server.

In: the octets of a message, as received or as saved; who handed it in, if known; a resolver. Out: `Inspection`.
Standard: DESIGN, "What others may lean on". Never raises for what a message or DNS can hold.
Not here: the parts (`message`, `msgauth`, `inspector`), printing it (`cli.inspect`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from gatepost.errors import InputError
from gatepost.finding import Finding
from gatepost.inspector.decision import Decision
from gatepost.inspector.examine import Arrival, Ports, examine_message
from gatepost.inspector.facts import Facts, count_line_ends, with_crlf
from gatepost.inspector.people import People
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.trace import JudgedFrom, Path, read_path
from gatepost.message.addresses import Mailbox, parse_addresses
from gatepost.message.message import Message, parse_message
from gatepost.message.words import decode_words
from gatepost.msgauth.authenticate import MAX_FIELD, AuthResults, read_authors
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.names import Session
from gatepost.net.resolver import DnsResolver
from gatepost.ports import Fetcher, History, Item, Link, Locator, Memory, Opener, Resolver, Scanner
from gatepost.reputation import Lists
from gatepost.sandbox.pool import Sandbox
from gatepost.sandbox.settings import ContentSettings

MAX_SHOWN = 50  # addresses of a message that are told; the rest is counted by nobody
MAX_TEXT = 998  # characters of a name, an address or a subject that are told (a line of RFC 5322 §2.1.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionSettings:
    """What `inspect_message` may be told besides the message."""

    inspector: InspectorSettings = field(default_factory=InspectorSettings)
    msgauth: MsgauthSettings = field(default_factory=MsgauthSettings)
    own_domains: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    content: ContentSettings = field(default_factory=ContentSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The verdict on one message, with all it rests on."""

    decision: Decision
    findings: tuple[Finding, ...]
    facts: Facts
    size: int

    @property
    def path(self) -> Path:
        """How the message came."""
        return self.facts.path

    @property
    def authentication(self) -> AuthResults:
        """What each sender check found."""
        return self.facts.auth

    def as_json(self) -> dict[str, Any]:
        """The whole as JSON values; the schema is docs/schema/inspect.json."""
        content = self.facts.content
        return {
            "decision": self.decision.as_json(),
            "findings": [finding.as_json() for finding in self.findings],
            "path": [hop.as_json() for hop in self.path.hops],
            "authentication": self.authentication.as_json(),
            "links": [_link(link) for link in content.opened.links] if content is not None else [],
            "attachments": [_attachment(item) for item in content.attachments] if content is not None else [],
            "message": _about(self),
        }


async def inspect_message(
    raw: bytes,
    *,
    session: Session | None = None,
    mail_from: str | None = None,
    resolver: Resolver | None = None,
    scanner: Scanner | None = None,
    opener: Opener | None = None,
    history: History | None = None,
    memory: Memory | None = None,
    locator: Locator | None = None,
    lists: Lists | None = None,
    fetcher: Fetcher | None = None,
    now: float | None = None,
    settings: InspectionSettings | None = None,
) -> Inspection:
    """Judges `raw`, with LF or CRLF line ends.

    `session` says who handed it in; without it (or its address) the topmost Received field is believed, as that of the
    server which kept the file. `mail_from` is the envelope sender, empty for the null sender; None takes it from
    Return-Path, else SPF is checked for the author's address and the verdict is milder. `now` is in seconds since the
    epoch; None is the present, or for a saved file the time it arrived. Without a `resolver` the network is asked;
    without a `scanner` nothing is scanned, without a `history` nobody is a stranger, without a `memory` only the
    classifier's start model has a say, without a `locator` no place is told, without `lists` no list is asked,
    without a `fetcher` no link is followed, whatever `inspector.links.follow_redirects` says. What is inside is opened
    by `opener`, or by children of our own, which end with the call: who judges many messages hands in one
    `gatepost.Sandbox`.
    Raises InputError for an address in `session` that is none.
    """
    chosen = settings or InspectionSettings()
    if raw.startswith(b"From "):  # the line before each message of an mbox (RFC 4155) is no part of the message
        raw = raw[raw.find(b"\n") + 1 or len(raw) :]
    ends = count_line_ends(raw)
    message = parse_message(with_crlf(raw, ends))
    judged, path = read_path(message, _checked(session), chosen.inspector.trusted_relays, saved=True)
    clock = _clock(path, now)
    sender = return_path(message) if mail_from is None else mail_from.strip("<>")
    arrival = Arrival(
        session=judged,
        path=path,
        mail_from=sender,
        checked_from=_likely_sender(message) if sender is None else sender,
        line_ends=ends,
        recipients=_recipients(message, chosen.own_domains),
        smtputf8=judged.protocol.upper().startswith("UTF8"),
        own_domains=chosen.own_domains,
        people=_people_of(tuple(chosen.inspector.people.items()), chosen.accounts) if chosen.accounts else None,
    )
    own = Sandbox(chosen.content, preload=False) if opener is None and chosen.content.enabled else None
    ports = Ports(
        resolver=resolver or DnsResolver(),
        scanner=scanner,
        opener=opener or own,
        history=history,
        memory=memory,
        locator=locator,
        lists=lists,
        fetcher=fetcher,
    )
    try:
        if lists is not None:
            await lists.probe(time.time())
        judgement = await examine_message(
            message, arrival, ports, now=clock, msgauth=chosen.msgauth, settings=chosen.inspector
        )
    finally:
        if own is not None:
            await own.close()
    return Inspection(decision=judgement.decide(), findings=judgement.findings, facts=judgement.facts, size=len(raw))


def inspect_message_sync(
    raw: bytes,
    *,
    session: Session | None = None,
    mail_from: str | None = None,
    resolver: Resolver | None = None,
    now: float | None = None,
    settings: InspectionSettings | None = None,
) -> Inspection:
    """`inspect_message` for scripts that have no event loop."""
    return asyncio.run(
        inspect_message(raw, session=session, mail_from=mail_from, resolver=resolver, now=now, settings=settings)
    )


def _link(link: Link) -> dict[str, str]:
    """One link, as it stood in the message."""
    return {"target": link.target, "shown": link.shown, "source": link.source, "item": link.item}


def _attachment(item: Item) -> dict[str, Any]:
    """One attachment, or a file in one."""
    return {
        "path": item.path,
        "parent": item.parent,
        "name": item.name,
        "declared_type": item.declared_type,
        "kind": item.kind,
        "size": item.size,
        "sha256": item.sha256,
        "traits": [{"code": trait.code, "evidence": dict(trait.evidence)} for trait in item.traits],
    }


def return_path(message: Message) -> str | None:
    """The envelope sender as the last server wrote it on top, empty for the null sender, None when it did not."""
    found = message.header.first("return-path")
    if found is None:
        return None
    boxes = parse_addresses(found.value[:MAX_FIELD]).mailboxes
    return boxes[0].address[:MAX_TEXT] if boxes else ""


def _recipients(message: Message, own_domains: Sequence[str]) -> tuple[str, ...]:
    """Whom a saved message reached: as the delivery wrote on top, else those of ours whom it names."""
    delivered = message.header.all("delivered-to")[:1]
    fields = delivered or [field for name in ("to", "cc") for field in message.header.all(name)[:1]]
    boxes = [box for field in fields for box in parse_addresses(field.value[:MAX_FIELD]).mailboxes]
    ours = {domain.lower() for domain in own_domains}
    return tuple(box.address for box in boxes[:MAX_SHOWN] if delivered or box.domain in ours)


@lru_cache(maxsize=4)
def _people_of(names: tuple[tuple[str, tuple[str, ...]], ...], accounts: tuple[str, ...]) -> People:
    return People(dict(names), accounts)


def _likely_sender(message: Message) -> str | None:
    """The author's address: of mail that comes straight from its author mostly the envelope sender too."""
    authors = read_authors(message.header.all("from"))
    return authors[0].address or None if authors else None


def _checked(session: Session | None) -> Session:
    if session is None:
        return Session()
    if session.client_ip:
        try:
            ip_address(session.client_ip)
        except ValueError:
            raise InputError(
                "client_ip", session.client_ip, "is no IP address; give 192.0.2.1 or 2001:db8::1"
            ) from None
    return session


def _clock(path: Path, now: float | None) -> float:
    """The time of the judgement. A saved message is judged as of its arrival, so that a signature which has expired
    since does not count against it; never later than the present."""
    if now is not None:
        return now
    present = time.time()
    arrived = path.received_at if path.judged_from is JudgedFrom.RECEIVED else None
    return present if arrived is None else min(present, arrived)


def _about(inspection: Inspection) -> dict[str, Any]:
    """Who and what the message is, for those who read the verdict."""
    facts = inspection.facts
    header = facts.header
    return {
        "size": inspection.size,
        "message_id": header.text("message-id")[:MAX_TEXT],
        "subject": decode_words(header.text("subject"))[:MAX_TEXT],
        "date": facts.date.epoch if facts.date is not None else None,
        "from": _people(facts.authors),
        "to": _people([box for f in header.all("to")[:5] for box in parse_addresses(f.value[:MAX_FIELD]).mailboxes]),
        "mail_from": facts.mail_from,
        "client_ip": facts.session.client_ip,
        "ehlo_domain": facts.session.ehlo_domain,
        "judged_from": facts.path.judged_from.value,
        "judged_at": facts.now,
        "line_ends": {"crlf": facts.line_ends.crlf, "lf": facts.line_ends.bare_lf, "cr": facts.line_ends.bare_cr},
        "defects": list(header.defects),
    }


def _people(boxes: Sequence[Mailbox]) -> list[dict[str, str]]:
    return [{"name": b.display_name[:MAX_TEXT], "address": b.address[:MAX_TEXT]} for b in boxes[:MAX_SHOWN]]
