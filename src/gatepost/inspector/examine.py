"""Examines one message: asks every port at once, gathers the facts, judges.

In: the message, who handed it in and to whom, the ports. Out: `Judgement`. Never raises for what a message, DNS or a
port can answer; the only waiting is for the ports. Standard: DESIGN, "Parse first, look up second, judge third".
Not here: the checks (`msgauth`, `reputation`), the rules (`rules`), the decision (`policy`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field

from gatepost.inspector.classifier.tokens import message_features
from gatepost.inspector.content import Content
from gatepost.inspector.facts import CLEAN, LineEnds, gather_facts
from gatepost.inspector.judge import Judgement, judge
from gatepost.inspector.links.seen import shortened
from gatepost.inspector.people import People
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.standing import Standing, begin_standing, lookup_standing
from gatepost.inspector.threads import references_of
from gatepost.inspector.trace import Path
from gatepost.message.message import Message
from gatepost.msgauth.authenticate import AuthResults, authenticate
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.names import DoorSign, Session
from gatepost.ports import Acquaintance, Fetcher, History, Locator, Memory, Opened, Opener, Resolver, Scanner
from gatepost.reputation import Lists

FOLLOW_DEADLINE = 5.0  # seconds for all links of a message that are followed; the message waits for them


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Whom to ask. What is None is not asked, and its rules find nothing."""

    resolver: Resolver
    opener: Opener | None = None
    scanner: Scanner | None = None
    fetcher: Fetcher | None = None
    history: History | None = None
    locator: Locator | None = None
    lists: Lists | None = None
    memory: Memory | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How the message came. `session` and `path` are what `trace.read_path` answers; `mail_from` is None when unknown
    and `checked_from` what SPF is checked for then; `recipients` are addresses, empty when unknown.
    `people` are those whose names strangers borrow, None for those of the settings alone."""

    session: Session
    path: Path
    mail_from: str | None
    checked_from: str | None
    recipients: Sequence[str] = ()
    line_ends: LineEnds = CLEAN
    smtputf8: bool = False
    own_domains: Iterable[str] = field(default=())
    door: tuple[DoorSign, ...] = ()
    people: People | None = None


async def examine_message(
    message: Message,
    arrival: Arrival,
    ports: Ports,
    *,
    now: float,
    msgauth: MsgauthSettings,
    settings: InspectorSettings,
) -> Judgement:
    """The judgement of `message`. Opening and scanning run while DNS is asked."""
    opening = ports.opener.begin(message.raw) if ports.opener is not None else None
    scanning = ports.scanner.begin(message.raw) if ports.scanner is not None else None
    if ports.lists is not None:
        own_domains = (*arrival.own_domains, *settings.own_domains)
        await begin_standing(arrival.session, arrival.mail_from, own_domains, ports.lists)
    auth = await authenticate(message, arrival.session, arrival.checked_from, ports.resolver, now, msgauth)
    content = await _content(opening, ports.fetcher, settings) if opening is not None else None
    features = message_features(message, content) if ports.memory is not None and content is not None else None
    facts = gather_facts(
        message,
        session=arrival.session,
        path=arrival.path,
        mail_from=arrival.mail_from,
        auth=auth,
        settings=settings,
        now=now,
        own_domains=arrival.own_domains,
        line_ends=arrival.line_ends,
        smtputf8=arrival.smtputf8,
        recipients=arrival.recipients,
        door=arrival.door,
        content=content,
        scanned=await scanning if scanning is not None else None,
        acquaintance=await _acquaintance(message, arrival, auth, ports.history),
        people=arrival.people,
        place=ports.locator.locate(arrival.session.client_ip) if ports.locator is not None else None,
        features=features,
        learned=await ports.memory.recall(features.names) if ports.memory and features else None,
        standing=await _standing(message, arrival, auth, content, ports.lists, settings, now),
    )
    return judge(facts)


async def _content(opening: Awaitable[Opened], fetcher: Fetcher | None, settings: InspectorSettings) -> Content:
    """What is inside, with where its shortened links lead if the settings ask for that."""
    opened = await opening
    if fetcher is None or settings.links.follow_redirects == "never":
        return Content(opened)
    urls = shortened(opened)
    return Content(opened, await fetcher.follow_all(urls, FOLLOW_DEADLINE) if urls else ())


async def _acquaintance(
    message: Message, arrival: Arrival, auth: AuthResults, history: History | None
) -> Acquaintance | None:
    """What is remembered of the author: an address that anybody can write, so rules ask for an aligned pass first."""
    if history is None or not auth.authors:
        return None
    return await history.lookup(auth.authors[0].address, arrival.recipients, references_of(message.header))


async def _standing(
    message: Message,
    arrival: Arrival,
    auth: AuthResults,
    content: Content | None,
    lists: Lists | None,
    settings: InspectorSettings,
    now: float,
) -> Standing | None:
    """What lists say; asked when everything that they may know of is known."""
    if lists is None:
        return None
    return await lookup_standing(
        message,
        session=arrival.session,
        path=arrival.path,
        mail_from=arrival.mail_from,
        auth=auth,
        content=content,
        own_domains=(*arrival.own_domains, *settings.own_domains),
        lists=lists,
        now=now,
    )
