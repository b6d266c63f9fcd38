"""What is known of one message, gathered once for all rules.

In: the message, who handed it in, what authentication found, the settings. Out: `Facts`, frozen.
Standard: RFC 5322 §3.6.2 (From, Sender, Reply-To), RFC 9989 §4.2 (the author domain).
Not here: the path (`trace`), authentication (`msgauth`), what is made of the facts (`rules`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from gatepost.inspector.classifier.model import Opinion
from gatepost.inspector.classifier.tokens import Features
from gatepost.inspector.content import Content
from gatepost.inspector.links.lookalike import Protected
from gatepost.inspector.people import NOBODY, People
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.standing import Standing
from gatepost.inspector.trace import Path
from gatepost.message.addresses import Mailbox
from gatepost.message.dates import ParsedDate, parse_date
from gatepost.message.header import Header
from gatepost.message.message import Message
from gatepost.msgauth.authenticate import AuthResults
from gatepost.names import DoorSign, Session, domain_of
from gatepost.ports import Acquaintance, Learned, Place, Scanned


@dataclass(frozen=True, slots=True)
class LineEnds:
    """How the lines of the message as it was handed in ended. A file with LF alone is how Unix saves mail."""

    crlf: int
    bare_lf: int
    bare_cr: int

    @property
    def mixed(self) -> bool:
        """More than one kind of line end, or CR alone anywhere."""
        return self.bare_cr > 0 or (self.crlf > 0 and self.bare_lf > 0)


MAX_NAME = 255  # characters from the end of a domain that are compared; no domain of ours is longer
CLEAN = LineEnds(0, 0, 0)  # what the server hands in: it lets only CRLF through


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`session` is the hop to judge (`trace.judge_from`). `mail_from` is None when unknown (a saved file without
    Return-Path), empty for the null sender. `own_domains` are in lower case. `received_at` is when the message came,
    `now` the clock of the judgement; for live mail both are the same. `date` is the topmost Date, None without one.
    `repeated` are the fields (in lower case) that stand more than once, and how often. `recipients` are addresses,
    empty when unknown. `people` are those whose names strangers borrow. `content`, `scanned`, `acquaintance`,
    `place` (of the client) `standing` (on lists) and `learned` (here, of words) are None where nobody
    was asked; `features` are the classifier's, None where they
    were not needed yet; `opinion` is its own, which comes after the other rules. `door` is what the door saw of
    the client."""

    message: Message
    header: Header
    raw_header: bytes
    session: Session
    mail_from: str | None
    auth: AuthResults
    path: Path
    authors: tuple[Mailbox, ...]
    author_domains: tuple[str, ...]
    own_domains: frozenset[str]
    settings: InspectorSettings
    now: float
    received_at: float
    date: ParsedDate | None
    repeated: Mapping[str, int]
    line_ends: LineEnds = CLEAN
    smtputf8: bool = False
    recipients: tuple[str, ...] = ()
    content: Content | None = None
    scanned: Scanned | None = None
    acquaintance: Acquaintance | None = None
    door: tuple[DoorSign, ...] = ()
    people: People = NOBODY
    place: Place | None = None
    standing: Standing | None = None
    features: Features | None = None
    learned: Learned | None = None
    opinion: Opinion | None = None

    def is_own(self, domain: str) -> bool:
        """Whether `domain` is one of ours or below one."""
        if not self.own_domains or not domain:
            return False
        above = domain[-MAX_NAME:]
        while above and above not in self.own_domains:
            above = above.partition(".")[2]
        return bool(above)

    @property
    def aligned_pass(self) -> bool:
        """The author domain is proven: the only ground for trust (TRAPS, "Spoofers inherit trust")."""
        return self.auth.dmarc.aligned

    @property
    def protected(self) -> Protected:
        """The names that are imitated: our own, our partners' and the shipped ones."""
        named = (*self.settings.partner_domains, *self.settings.links.protected_domains)
        return _protected(self.own_domains | _normalized(named))


def gather_facts(
    message: Message,
    *,
    session: Session,
    path: Path,
    mail_from: str | None,
    auth: AuthResults,
    settings: InspectorSettings,
    now: float,
    own_domains: Iterable[str] = (),
    line_ends: LineEnds = CLEAN,
    smtputf8: bool = False,
    recipients: Iterable[str] = (),
    content: Content | None = None,
    scanned: Scanned | None = None,
    acquaintance: Acquaintance | None = None,
    door: tuple[DoorSign, ...] = (),
    people: People | None = None,
    place: Place | None = None,
    standing: Standing | None = None,
    features: Features | None = None,
    learned: Learned | None = None,
) -> Facts:
    """The facts of `message`; `session` and `path` are what `trace.read_path` answers. `own_domains` are added to
    those of the settings."""
    header = message.header
    date = header.first("date")
    authors = auth.authors
    return Facts(
        message=message,
        header=header,
        raw_header=message.raw[: header.end],
        session=session,
        mail_from=mail_from,
        auth=auth,
        path=path,
        authors=authors,
        author_domains=tuple(dict.fromkeys(box.domain for box in authors if box.domain)),
        own_domains=_normalized((*own_domains, *settings.own_domains)),
        settings=settings,
        now=now,
        date=None if date is None else parse_date(date.value),
        received_at=session.received_at or path.received_at or now,
        repeated={key: len(found) for key, found in header.index.items() if len(found) > 1} if header.repeated else {},
        line_ends=line_ends,
        smtputf8=smtputf8,
        recipients=tuple(recipients),
        content=content,
        scanned=scanned,
        acquaintance=acquaintance,
        door=door,
        people=people if people is not None else _people(tuple(settings.people.items())),
        place=place,
        standing=standing,
        features=features,
        learned=learned,
    )


@lru_cache(maxsize=64)
def _normalized(domains: tuple[str, ...]) -> frozenset[str]:
    return frozenset(domain.lower().rstrip(".") for domain in domains)


@lru_cache(maxsize=8)
def _people(names: tuple[tuple[str, tuple[str, ...]], ...]) -> People:
    return People(dict(names)) if names else NOBODY


@lru_cache(maxsize=8)
def _protected(domains: frozenset[str]) -> Protected:
    return Protected(domains)


def count_line_ends(raw: bytes) -> LineEnds:
    """How the lines of `raw` end."""
    crlf = raw.count(b"\r\n")
    return LineEnds(crlf, raw.count(b"\n") - crlf, raw.count(b"\r") - crlf)


def with_crlf(raw: bytes, ends: LineEnds) -> bytes:
    """`raw` as it was on the wire: saved files have LF, and signatures are made over CRLF (RFC 6376 §5.3)."""
    if not ends.bare_lf:
        return raw
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def envelope_domain(mail_from: str | None) -> str:
    """The domain of the envelope sender, empty for the null sender and for an unknown one."""
    return domain_of(mail_from) if mail_from else ""
