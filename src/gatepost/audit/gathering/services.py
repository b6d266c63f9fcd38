"""Which ports of which hosts are looked at, and the look itself.

In: mail exchangers, SRV records, a prober. Out: `Service`s.
Standard: RFC 5321 (25), RFC 6409 and RFC 8314 (465, 587), RFC 9051 (143, 993), RFC 1939 (110, 995); 2525 is registered
nowhere and used widely. Not here: connections (`net.probe`), what is made of them (`checks`).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.audit.facts import Host, MoreRecords
from gatepost.audit.gathering.records import srv_target
from gatepost.audit.settings import AuditSettings
from gatepost.ports import Answer, DnsStatus, Prober, Question, Resolver, Service, Spoken, Target

MAX_HOSTS = 6
NOBODY = "gatepost-audit-asks-whether-nobody-is-taken"
SMTP = 25
PORTS = {
    SMTP: (Spoken.SMTP, False),
    465: (Spoken.SMTP, True),
    587: (Spoken.SMTP, False),
    2525: (Spoken.SMTP, False),
    143: (Spoken.IMAP, False),
    993: (Spoken.IMAP, True),
    110: (Spoken.POP3, False),
    995: (Spoken.POP3, True),
}
_SRV = {"_submissions": 465, "_submission": 587, "_imaps": 993, "_imap": 143, "_pop3s": 995, "_pop3": 110}


async def gather_services(
    domain: str,
    hosts: Sequence[Host],
    more: MoreRecords | None,
    resolver: Resolver,
    prober: Prober,
    settings: AuditSettings,
    deadline: float,
) -> tuple[Service, ...]:
    """Every port of the first mail exchangers, and the ports that SRV records name; one address of each family."""
    targets = [target for host in hosts[:MAX_HOSTS] for target in _of_exchanger(domain, host, settings)]
    seen = {(target.host, target.port) for target in targets}
    named = [(name, port) for name, port in _named(more) if (name, port) not in seen]
    if named:
        names = list(dict.fromkeys(name for name, _ in named))[:MAX_HOSTS]
        answers = await resolver.lookup_all([Question(name, "A") for name in names], settings.dns_wait)
        found = {name: answer.names[:1] for name, answer in zip(names, answers, strict=True)}
        targets += [
            _target(name, address, port, _standard(more, name, port))
            for name, port in named
            for address in found.get(name, ())
        ]
    return await prober.look_all(targets, deadline)


def _of_exchanger(domain: str, host: Host, settings: AuditSettings) -> list[Target]:
    tried = (f"postmaster@{domain}", f"{NOBODY}@{domain}") if settings.recipients else ()
    chosen = (*host.a.names[:1], *host.aaaa.names[:1])
    return [
        Target(
            host=host.name,
            address=address,
            port=port,
            spoken=spoken,
            implicit_tls=implicit,
            recipients=tried if port == SMTP else (),
        )
        for address in chosen
        for port, (spoken, implicit) in PORTS.items()
        if port == SMTP or settings.depth == "full"
    ]


def _named(more: MoreRecords | None) -> list[tuple[str, int]]:
    if more is None:
        return []
    places = [srv_target(record) for service in _SRV for record in _srv(more, service).records[:4]]
    return list(dict.fromkeys(place for place in places if place[0]))


def _standard(more: MoreRecords | None, name: str, port: int) -> int:
    """The usual port of the service that names this place: it says what is spoken there."""
    for service, usual in _SRV.items():
        if more is not None and any(srv_target(record) == (name, port) for record in _srv(more, service).records):
            return usual
    return port


def _srv(more: MoreRecords, service: str) -> Answer:
    """The answer for a service; an empty one where nobody asked."""
    nothing = Answer(question=Question(service, "SRV"), status=DnsStatus.NODATA)
    return more.srv.get(service, nothing)


def _target(name: str, address: str, port: int, usual: int) -> Target:
    spoken, implicit = PORTS[usual]
    return Target(host=name, address=address, port=port, spoken=spoken, implicit_tls=implicit)
