"""Who sent this message: all sender checks in one call.

In: the message, the session to judge, the envelope sender, a resolver, the time. Out: `AuthResults`, frozen.
Standard: RFC 7208, RFC 6376, RFC 9989, RFC 8617, RFC 8601 §2.7.3 in the parts. Never raises for what a message or DNS
can hold. Not here: whose hop is judged (`inspector.trace`), what follows (`inspector.rules`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from gatepost.message.addresses import Mailbox, parse_addresses
from gatepost.message.header import RawField
from gatepost.message.message import Message
from gatepost.msgauth import arc, dkim, dmarc
from gatepost.msgauth.dmarc.lookup import walk_domains
from gatepost.msgauth.iprev import IprevResult, check_iprev
from gatepost.msgauth.reverse import reverse_name
from gatepost.msgauth.settings import MsgauthSettings
from gatepost.msgauth.spf import SpfResult, check_ehlo, check_host
from gatepost.msgauth.spf.name import is_askable, to_ascii
from gatepost.names import Session, domain_of
from gatepost.ports import DnsStatus, Question, Resolver

MAX_AUTHORS = 20  # mailboxes read from From; real messages have one, rarely three
MAX_KEPT = 300  # octets of a From field whose mailboxes are remembered
MAX_FIELD = 8192  # octets of a From field that are read; the longest in the corpora has 300
_DEFAULTS = MsgauthSettings()
# The d= and s= tags of a signature, as all known signers write them (RFC 6376 §3.2).
_DOMAIN_TAG = re.compile(rb"[;:\s]d=([A-Za-z0-9._-]{1,253})")
_SELECTOR_TAG = re.compile(rb"[;:\s]s=([A-Za-z0-9._-]{1,253})")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthResults:
    """What each check found. `spf_mail_from` is None when the envelope sender is not known, `spf_ehlo` when the EHLO
    name is not; both when the client's address is not. `ehlo_found` is whether the EHLO name has an address in DNS,
    None when that is not known. `authors` are the mailboxes of From."""

    spf_mail_from: SpfResult | None
    spf_ehlo: SpfResult | None
    dkim: dkim.DkimResult
    dmarc: dmarc.DmarcResult
    arc: arc.ArcResult
    iprev: IprevResult
    ehlo_found: bool | None = None
    authors: tuple[Mailbox, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The results as JSON values; the schema is docs/schema/inspect.json."""
        return {
            "spf": {
                "mail_from": self.spf_mail_from.as_json() if self.spf_mail_from else None,
                "ehlo": self.spf_ehlo.as_json() if self.spf_ehlo else None,
            },
            "dkim": self.dkim.as_json(),
            "dmarc": self.dmarc.as_json(),
            "arc": self.arc.as_json(),
            "iprev": self.iprev.as_json(),
            "ehlo_found": self.ehlo_found,
        }


async def authenticate(
    message: Message,
    session: Session,
    envelope_mail_from: str | None,
    resolver: Resolver,
    now: float,
    settings: MsgauthSettings = _DEFAULTS,
) -> AuthResults:
    """All checks of `message` as `session` handed it in; `envelope_mail_from` is empty for the null sender and None
    when unknown. `message` has CRLF line ends. `now` is in seconds since the epoch."""
    authors = read_authors(message.header.all("from"))
    domains = dmarc.extract_author_domain(authors).domains
    content = dkim.Content(message)
    questions = _first_questions(content, session, envelope_mail_from, domains)
    if questions:
        await resolver.lookup_all(questions, settings.prefetch_deadline)
    ip, ehlo = session.client_ip, session.ehlo_domain
    spf_mail_from = spf_ehlo = None
    if ip and envelope_mail_from is not None:
        spf_mail_from = await check_host(
            ip=ip, ehlo=ehlo, mail_from=envelope_mail_from, resolver=resolver, now=now, settings=settings.spf
        )
    if ip and ehlo:
        spf_ehlo = await check_ehlo(ip=ip, ehlo=ehlo, resolver=resolver, now=now, settings=settings.spf)
    iprev = await check_iprev(ip, resolver)
    signatures = await dkim.verify(content, resolver=resolver, now=now, settings=settings.dkim)
    return AuthResults(
        spf_mail_from=spf_mail_from,
        spf_ehlo=spf_ehlo,
        dkim=signatures,
        dmarc=await dmarc.evaluate_all(domains, spf_mail_from, signatures, resolver=resolver, settings=settings.dmarc),
        arc=await arc.verify(content, resolver=resolver, now=now, settings=settings.dkim),
        iprev=iprev,
        ehlo_found=await _is_found(ehlo, iprev, resolver) if ip else None,
        authors=authors,
    )


def read_authors(fields: list[RawField]) -> tuple[Mailbox, ...]:
    """The mailboxes of all From fields together, up to limits that no honest message meets."""
    if len(fields) == 1:
        value = fields[0].value
        return _usual_authors(value) if len(value) < MAX_KEPT else _authors(value[:MAX_FIELD])
    found: list[Mailbox] = []
    for field in fields[:MAX_AUTHORS]:
        found += parse_addresses(field.value[: MAX_FIELD // MAX_AUTHORS]).mailboxes[:MAX_AUTHORS]
    return tuple(found)


def _authors(value: bytes) -> tuple[Mailbox, ...]:
    return parse_addresses(value).mailboxes[:MAX_AUTHORS]


_usual_authors = lru_cache(maxsize=2048)(_authors)  # the same people write again


async def _is_found(ehlo: str, iprev: IprevResult, resolver: Resolver) -> bool | None:
    """Whether the EHLO name has an address (RFC 5321 §4.1.4); None for address literals and what is no full name."""
    name = to_ascii(ehlo[:255])
    if name == iprev.name and name:
        return True
    if "." not in name or name.startswith("[") or not is_askable(name):
        return None
    for rtype in ("A", "AAAA"):
        answer = await resolver.lookup(name, rtype)
        if answer.status is DnsStatus.OK:
            return True
        if answer.status is DnsStatus.TEMPFAIL:
            return None
        if answer.status is DnsStatus.NXDOMAIN:
            return False
    return False


def _first_questions(
    content: dkim.Content, session: Session, mail_from: str | None, domains: tuple[str, ...]
) -> list[Question]:
    """What the checks will ask first, so that with a cold cache they wait once and not five times. A name that is
    guessed wrong here costs a question, never a result."""
    questions: list[Question] = []
    if session.client_ip:
        questions += _questions_of_session(session.client_ip, session.ehlo_domain, domain_of(mail_from or ""))
    for domain in domains[:2]:
        questions += _questions_of_author(domain)
    header = content.message.header
    for field in header.all("dkim-signature")[:8]:
        signature = content.signature(field)
        if isinstance(signature, dkim.Signature):
            questions.append(Question(signature.key_name, "TXT"))
    return questions + _seal_questions(header.all("arc-seal")[:4])


@lru_cache(maxsize=1024)
def _questions_of_author(domain: str) -> tuple[Question, ...]:
    return tuple(Question("_dmarc." + name, "TXT") for name in walk_domains(domain) if len(name) < 240)


@lru_cache(maxsize=1024)
def _questions_of_session(ip: str, ehlo: str, sender: str) -> tuple[Question, ...]:
    try:
        questions = [Question(reverse_name(ip_address(ip)), "PTR")]
    except ValueError:
        return ()
    names = {to_ascii(ehlo[:255]), to_ascii(sender[:255])}
    questions += [Question(name, "TXT") for name in sorted(names) if "." in name and is_askable(name)]
    return tuple(questions)


def _seal_questions(fields: list[RawField]) -> list[Question]:
    """The key names of ARC seals, read roughly; the real parser decides."""
    questions = []
    for field in fields:
        domain, selector = _DOMAIN_TAG.search(field.raw), _SELECTOR_TAG.search(field.raw)
        if domain and selector:
            name = f"{selector[1].decode('ascii')}._domainkey.{domain[1].decode('ascii')}".lower()
            if is_askable(name):
                questions.append(Question(name, "TXT"))
    return questions
