"""What DANE says of a mail exchanger: nothing, its TLSA records, or that nobody knows, so that it must not be used.

In: a host with whether the answer that named it was authentic. Out: `Dane`. Standard: RFC 7672 §2.1 (what cannot be
looked up makes a host unusable), §2.2.1 to §2.2.3 (which answers must be authentic, CNAMEs, where the records are),
§3.1.3 (records of no use), RFC 6698 §3 (the name asked for).
Only the authentic-data bit of a resolver in `dns.authentic_from` counts, so nobody on the way can switch this off.
Not here: certificates (`msgauth.tlsa_chain`), what follows (`demands`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.msgauth.tlsa import Tlsa, parse_tlsa
from gatepost.ports import Answer, DnsStatus, Question, Resolver
from gatepost.server.delivery.protection import MxHost

LOOKUP_SECONDS = 20.0
MAX_CNAMES = 8  # as many as the resolver follows
MAX_RECORDS = 50  # of one host; four are many


@dataclass(frozen=True, slots=True, kw_only=True)
class Dane:
    """`published` says that authentic TLSA records stand at `base`: TLS is a must. `records` are the usable ones; with
    none of them no certificate is checked. `error` says why nobody knows."""

    published: bool = False
    records: tuple[Tlsa, ...] = ()
    base: str = ""
    error: str = ""


async def find_dane(host: MxHost, resolver: Resolver, port: int = 25) -> Dane:
    """Asks for the records of `host`. Never raises."""
    if not host.authentic:
        return Dane()
    questions = (Question(host.name, "A"), Question(host.name, "AAAA"))
    answers = await resolver.lookup_all(questions, LOOKUP_SECONDS)
    there = [answer for answer in answers if answer.status is DnsStatus.OK]
    if not there and any(answer.status is DnsStatus.TEMPFAIL for answer in answers):
        return Dane(error=f"DNS gives no address of {host.name}{_because(answers[0])}")
    secure = bool(there) and all(answer.authentic for answer in there)
    # RFC 7672 §2.2.2: without a signature nothing is asked, which also spares name servers that break at TLSA
    bases = await _bases(host.name, resolver, secure)
    if bases is None:  # the same: who hides an alias hides the records behind it
        return Dane(error=f"DNS does not say whether {host.name} is an alias")
    for base in bases:
        name = f"_{port}._tcp.{base}"
        answer = (await resolver.lookup_all((Question(name, "TLSA"),), LOOKUP_SECONDS))[0]
        if answer.status is DnsStatus.TEMPFAIL:  # RFC 7672 §2.1.2: it may be an attacker who answers so
            return Dane(error=f"DNS gives no answer for TLSA at {name}{_because(answer)}")
        if answer.status is DnsStatus.OK and answer.authentic:
            return Dane(published=True, base=base, records=read_records(answer))
    return Dane()


def read_records(answer: Answer) -> tuple[Tlsa, ...]:
    """The usable records of a TLSA answer; what cannot be read is of no use."""
    found = [parse_tlsa(text) for text in answer.names[:MAX_RECORDS]]
    return tuple(dict.fromkeys(record for record in found if record is not None and record.is_usable))


async def _bases(name: str, resolver: Resolver, secure: bool) -> list[str] | None:
    """RFC 7672 §2.2.2: where the host is an alias, the records stand at what it stands for, else at the alias. Of an
    alias that is signed and leads to where nothing is, only at the alias. `secure`: the addresses are authentic.
    None when nobody knows."""
    chain = [name]
    while len(chain) <= MAX_CNAMES:
        answer = (await resolver.lookup_all((Question(chain[-1], "CNAME"),), LOOKUP_SECONDS))[0]
        if answer.status is DnsStatus.TEMPFAIL:
            return None
        if answer.status is not DnsStatus.OK or not answer.authentic or answer.names[0] in chain:
            break
        chain.append(answer.names[0])
    if not secure:
        return [name] if len(chain) > 1 else []
    return list(dict.fromkeys((chain[-1], name)))


def _because(answer: Answer) -> str:
    return f" ({answer.reason})" if answer.reason else ""
