"""What lists say of everybody and everything a message names: the world's, and the house's own.

In: the message, the proven facts, what was found inside, `Lists`. Out: `Standing`.
Standard: RFC 5782 (the world's lists). TRAPS: an allow entry counts only for an author proven by an aligned pass, and a
list of home connections says nothing of an honest writer's own address further back.
Not here: asking (`reputation`), what it weighs (`rules.lists`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from gatepost.inspector.content import Content
from gatepost.inspector.links.url import Url
from gatepost.inspector.trace import Path
from gatepost.message.addresses import parse_addresses
from gatepost.message.message import Message
from gatepost.msgauth.authenticate import MAX_FIELD, AuthResults
from gatepost.names import Session, domain_of
from gatepost.reputation import Listings, Lists, LocalEntry, Subject, SubjectKind, Verdict
from gatepost.reputation.check import NOTHING
from gatepost.reputation.local import EntryKind
from gatepost.reputation.questions import is_public, read_address

MAX_LINKS = 500  # of one message that are looked at here; their hosts are few, and the settings bound what is asked
MAX_BODY = 100_000  # characters of its texts in which addresses are looked for
_IN_TEXT = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-zA-Z]{2,63}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalMatch:
    """An entry of the house, and what in the message it names; `where` as in `Subject`."""

    entry: LocalEntry
    value: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`blocks` and `allows` are the house's own entries that match; whether an allow counts is for the rules to say."""

    listings: Listings = NOTHING
    blocks: tuple[LocalMatch, ...] = ()
    allows: tuple[LocalMatch, ...] = ()


UNKNOWN = Standing()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """Who and what a message names, gathered once. `senders` and `domains` are (text, where); of the links those come
    first that a person may press, each with where it leads in the end."""

    senders: tuple[tuple[str, str], ...]
    domains: tuple[tuple[str, str], ...]
    links: tuple[Url, ...]


async def begin_standing(session: Session, mail_from: str | None, own_domains: Collection[str], lists: Lists) -> None:
    """Sends out what can be asked before the message is opened and its author known, so that the answers are there in
    time."""
    if lists.asked:
        subjects = [Subject(kind=SubjectKind.IP, value=session.client_ip, where="client")]
        named = ((domain_of(mail_from or ""), "mail-from"), (session.ehlo_domain, "ehlo"))
        subjects += [Subject(kind=SubjectKind.DOMAIN, value=domain, where=where) for domain, where in named]
        own = _normalized(own_domains)
        await lists.begin([subject for subject in subjects if not _is_own(subject, own)])


async def lookup_standing(
    message: Message,
    *,
    session: Session,
    path: Path,
    mail_from: str | None,
    auth: AuthResults,
    content: Content | None,
    own_domains: Collection[str],
    lists: Lists,
    now: float,
) -> Standing:
    """The standing of `message`. The only waiting is for DNS, within the lists' deadline."""
    if not lists.asked and not lists.local:
        return UNKNOWN
    named = _gather(message, session, mail_from, auth, content)
    matches = tuple(_local(named, session, lists, now)) if lists.local else ()
    blocks = tuple(match for match in matches if match.entry.verdict is Verdict.BLOCK)
    allows = tuple(match for match in matches if match.entry.verdict is Verdict.ALLOW)
    if auth.dmarc.aligned and any(m.where == "from" and m.entry.kind is EntryKind.SENDER for m in allows):
        # A person who is allowed and proven stands over a block of the whole domain.
        blocks = tuple(match for match in blocks if match.entry.kind is not EntryKind.DOMAIN)
    if not lists.asked:
        return Standing(blocks=blocks, allows=allows)
    spared = {match.value for match in allows if match.where == "link"}
    own = _normalized(own_domains)
    subjects = [s for s in _subjects(named, session, path, content, lists, spared) if not _is_own(s, own)]
    return Standing(listings=await lists.check(subjects, now), blocks=blocks, allows=allows)


def _gather(
    message: Message, session: Session, mail_from: str | None, auth: AuthResults, content: Content | None
) -> _Named:
    reply_to = message.header.first("reply-to")
    answers = parse_addresses(reply_to.value[:MAX_FIELD]).mailboxes[:20] if reply_to is not None else ()
    senders = [(mail_from or "", "mail-from"), *((box.address, "from") for box in auth.authors)]
    senders += [(box.address, "reply-to") for box in answers]
    domains = [(domain_of(address), where) for address, where in senders]
    domains += [(found.domain, "dkim") for found in auth.dkim.signatures if found.result == "pass"]
    domains += [(session.ehlo_domain, "ehlo"), (auth.iprev.name, "reverse-name")]
    links = sorted(content.links.every, key=lambda seen: not seen.pressed) if content is not None else []
    return _Named(
        senders=tuple((address, where) for address, where in senders if "@" in address),
        domains=tuple((domain, where) for domain, where in domains if "." in domain and not read_address(domain)),
        links=tuple({url.text: url for seen in links for url in seen.ends}.values())[:MAX_LINKS],
    )


def _local(named: _Named, session: Session, lists: Lists, now: float) -> Iterator[LocalMatch]:
    local = lists.local
    found: list[tuple[LocalEntry | None, str, str]] = [
        (local.address(session.client_ip, now), session.client_ip, "client")
    ]
    found += [(local.sender(address, now), address, where) for address, where in named.senders]
    found += [(local.domain(domain, now), domain, where) for domain, where in named.domains]
    found += [(local.url(url.text, now), url.text, "link") for url in named.links]
    seen = set()
    for entry, value, where in found:
        if entry is not None and (entry, where) not in seen:
            seen.add((entry, where))
            yield LocalMatch(entry=entry, value=value[:1000], where=where)


def _subjects(
    named: _Named, session: Session, path: Path, content: Content | None, lists: Lists, spared: Collection[str]
) -> Iterator[Subject]:
    """Everything that some list in use may know, the weightiest first: the settings bound how many are asked."""
    yield Subject(kind=SubjectKind.IP, value=session.client_ip, where="client")
    if lists.settings.ask_path:
        first = _first_public(path, session.client_ip)
        if first:
            yield Subject(kind=SubjectKind.IP, value=first, where="path")
    for domain, where in named.domains:
        yield Subject(kind=SubjectKind.DOMAIN, value=domain, where=where)
    for url in named.links:
        if url.is_web and url.text not in spared:
            yield Subject(kind=SubjectKind.HOST, value=url.host.ascii, where="link")
    if any(one.kind.value == "email" for one in lists.asked):
        yield from _addresses(named, content)
    for item in content.attachments if content is not None else ():
        yield Subject(kind=SubjectKind.HASH, value=item.sha256, where=item.name[:100] or item.path)


def _addresses(named: _Named, content: Content | None) -> Iterator[Subject]:
    for address, where in named.senders:
        yield Subject(kind=SubjectKind.EMAIL, value=address, where=where)
    for url in named.links:
        if url.scheme == "mailto":
            yield Subject(kind=SubjectKind.EMAIL, value=url.path[:320], where="link")
    left = MAX_BODY
    for text in content.opened.texts if content is not None else ():
        for match in _IN_TEXT.finditer(text.visible[: max(left, 0)]):
            yield Subject(kind=SubjectKind.EMAIL, value=match[0], where="text")
        left -= len(text.visible)


def _first_public(path: Path, client: str) -> str:
    """The address that the message first came from, as its path says (strangers write it), empty when unknown."""
    for hop in path.hops:
        address = read_address(hop.address) if hop.address else None
        if address is not None and is_public(address):
            return "" if str(address) == client else str(address)
    return ""


def _normalized(domains: Collection[str]) -> frozenset[str]:
    return frozenset(domain.lower().rstrip(".") for domain in domains)


def _is_own(subject: Subject, own: Collection[str]) -> bool:
    """Nobody asks the world about himself, message by message."""
    if subject.kind not in (SubjectKind.DOMAIN, SubjectKind.HOST, SubjectKind.EMAIL):
        return False
    name = subject.value.rpartition("@")[2].lower().rstrip(".")
    return any(name == domain or name.endswith("." + domain) for domain in own)


def counted(matches: Sequence[LocalMatch], *, proven: bool) -> tuple[LocalMatch, ...]:
    """The allow entries that speak for the message: of its author or client, and only where the author is proven."""
    return tuple(match for match in matches if proven and match.where in ("from", "client"))


def gravest_block(blocks: Sequence[LocalMatch]) -> LocalMatch | None:
    """The entry whose action is taken."""
    ranks = {"tag": 1, "quarantine": 2, "reject": 3}
    return max(blocks, key=lambda match: ranks.get(match.entry.action, 0), default=None)
