"""Which addresses and ports a probe goes to, and whether it may.

In: HOST as people write it, a resolver. Out: `Target`s. Standard: RFC 3986 (URLs), RFC 6890 (addresses that are nobody
else's), RFC 8314 §7.3 and RFC 6409 §3.1 (ports). Only hosts that the user names are connected to.
Not here: what is done there (`probe_run`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from gatepost.cli.probe_options import Options
from gatepost.errors import InputError
from gatepost.net.tls import ascii_name
from gatepost.net.visits.connection import Connection, Cut
from gatepost.net.visits.play import spoken_in
from gatepost.ports.dns import Question, Resolver
from gatepost.ports.prober import Spoken, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """What is usual at a port."""

    spoken: Spoken
    implicit_tls: bool = False


USUAL = {
    25: Port(spoken=Spoken.SMTP),
    465: Port(spoken=Spoken.SMTP, implicit_tls=True),
    587: Port(spoken=Spoken.SMTP),
    143: Port(spoken=Spoken.IMAP),
    993: Port(spoken=Spoken.IMAP, implicit_tls=True),
    110: Port(spoken=Spoken.POP3),
    995: Port(spoken=Spoken.POP3, implicit_tls=True),
}
SCHEMES = {
    "smtp": (Port(spoken=Spoken.SMTP), 25),
    "smtps": (Port(spoken=Spoken.SMTP, implicit_tls=True), 465),
    "submission": (Port(spoken=Spoken.SMTP), 587),
    "submissions": (Port(spoken=Spoken.SMTP, implicit_tls=True), 465),
    "imap": (Port(spoken=Spoken.IMAP), 143),
    "imaps": (Port(spoken=Spoken.IMAP, implicit_tls=True), 993),
    "pop3": (Port(spoken=Spoken.POP3), 110),
    "pop3s": (Port(spoken=Spoken.POP3, implicit_tls=True), 995),
}
DNS_WAIT, CONNECT, GREETING = 10.0, 5.0, 12.0  # seconds; a server may make strangers wait for its greeting


def read_host(text: str) -> tuple[str, int, Port | None]:
    """Host, port (0 for none named), and what is spoken there if that was said."""
    if "://" in text:
        parts = urlsplit(text)
        known = SCHEMES.get(parts.scheme.lower())
        if known is None:
            raise InputError("HOST", text, f"the scheme must be one of {', '.join(SCHEMES)}")
        host, port = _split(parts.netloc, text)
        return host, port or known[1], known[0]
    return (*_split(text, text), None)


def _split(text: str, whole: str) -> tuple[str, int]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    if not host or not host.isprintable() or set(host) & set(" /@<>") or (port and not 0 < number < 65536):
        raise InputError("HOST", whole, "give a name or an address, with a port or without: mx.example.org:25")
    return ascii_name(host), number


def may_be_tested(address: str, options: Options) -> None:
    """A public address belongs to somebody: the user must say that he may."""
    where = ip_address(address)
    mapped = getattr(where, "ipv4_mapped", None) or where
    if mapped.is_multicast or mapped.is_unspecified:
        raise InputError("HOST", address, "is no address of a host")
    if not (mapped.is_loopback or mapped.is_private or mapped.is_link_local) and not options.public:
        raise InputError("HOST", address, "is a public address; if you may test it, say --i-may-test-this-host")


async def find_address(host: str, options: Options, resolver: Resolver) -> str:
    """The address of `host`: its own, what --resolve says, or what DNS does."""
    given = dict(_pairs(options.address))
    try:
        return str(ip_address(given.get(host, host)))
    except ValueError:
        pass
    answers = await resolver.lookup_all([Question(host, "A"), Question(host, "AAAA")], DNS_WAIT)
    found = [name for answer in answers for name in answer.names]
    if not found:
        reason = answers[0].reason or answers[0].status.value
        raise InputError("HOST", host, f"has no address in DNS ({reason}); --resolve {host}=ADDRESS gives one")
    return found[0]


def _pairs(pairs: tuple[str, ...]) -> list[tuple[str, str]]:
    read = []
    for pair in pairs:
        name, _, address = pair.partition("=")
        try:
            read.append((ascii_name(name), str(ip_address(address))))
        except ValueError:
            raise InputError("--resolve", pair, "give NAME=ADDRESS, as mx.example.org=192.0.2.1") from None
    return read


async def find_targets(text: str, options: Options, resolver: Resolver) -> list[Target]:
    """The ports to test of one HOST. Without a port, those of the usual ones that answer."""
    host, port, said = read_host(text)
    address = await find_address(host, options, resolver)
    may_be_tested(address, options)
    if not port:
        open_ports = [port for port in USUAL if await _answers(address, port)]
        if not open_ports:
            ports = ", ".join(map(str, USUAL))
            raise InputError("HOST", text, f"nobody answers at {address} on the ports {ports}; name a port")
    else:
        open_ports = [port]
    return [await _target(host, address, one, said, options) for one in open_ports]


async def _target(host: str, address: str, port: int, said: Port | None, options: Options) -> Target:
    usual = said or USUAL.get(port) or Port(spoken=Spoken.SMTP)
    spoken, tls = usual.spoken, usual.implicit_tls or options.implicit_tls
    if options.spoken:
        spoken = Spoken(options.spoken)
    elif said is None and port not in USUAL and not tls:
        spoken = await _listen(address, port) or spoken
    return Target(host=options.name or host, address=address, port=port, spoken=spoken, implicit_tls=tls)


async def _answers(address: str, port: int) -> bool:
    try:
        connection = await Connection.open(address, port, source="", seconds=CONNECT, max_octets=1 << 16)
    except (OSError, TimeoutError):
        return False
    connection.close()
    return True


async def _listen(address: str, port: int) -> Spoken | None:
    """What the greeting sounds like; None when there is none."""
    try:
        connection = await Connection.open(address, port, source="", seconds=CONNECT, max_octets=1 << 16)
    except (OSError, TimeoutError):
        return None
    try:
        async with asyncio.timeout(GREETING):
            return spoken_in(await connection.receive())
    except (Cut, TimeoutError):
        return None
    finally:
        connection.close()
