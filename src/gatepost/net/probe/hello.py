"""A ClientHello made by hand, and the server's answer read by hand: versions and suites that OpenSSL no longer speaks.

In: a version, suites, a host's name. Out: octets to send; `ServerHello` or an alert from octets received.
Standard: RFC 8446 §4.1 (1.3), RFC 5246 §7.4.1 (1.0 to 1.2), RFC 6101 §5.6 (SSL 3.0), RFC 6066 §3 and §8 (name, status
request). Not here: sending (`prober`), what it means (`audit`). No handshake is finished: the answer is all that is
wanted.
"""

from __future__ import annotations

import enum
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.net.probe.suites import VERSIONS

MAX_ANSWER = 128 << 10  # octets of a server's first flight; long chains have some 8 KB
_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO, _CERTIFICATE, _STATUS, _DONE = 2, 11, 22, 14
_SCSV = 0x00FF  # RFC 5746 §3.3
_GROUPS = (29, 23, 24, 25, 30, 256, 257)
_SIGNATURES = (
    *(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B, 0x0804, 0x0805, 0x0806),
    *(0x0401, 0x0501, 0x0601, 0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602, 0x0203, 0x0201, 0x0202),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHello:
    """What the server chose. `staple` is its OCSP answer, `chain` its certificates in DER, where they came in the clear
    (before TLS 1.3) and were waited for."""

    version: int
    suite: int
    chain: tuple[bytes, ...] = ()
    staple: bytes | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """The server refused, with this description (RFC 8446 §6.2)."""

    description: int


class Need(enum.Enum):
    """What was received is the beginning of something."""

    MORE = "more"


class NoTls(ValueError):
    """What came is no TLS; `str()` says why."""


def write_hello(version: str, suites: Sequence[int], host: str, *, status: bool = False) -> bytes:
    """A ClientHello for `version` and no other, with `suites` in this order."""
    number = VERSIONS[version]
    legacy = min(number, 0x0303)
    chosen = [*suites, _SCSV] if number < 0x0304 else list(suites)
    body = struct.pack("!H", legacy) + os.urandom(32)
    body += bytes([32]) + os.urandom(32) if number == 0x0304 else b"\0"
    body += struct.pack(f"!H{len(chosen)}H", 2 * len(chosen), *chosen) + b"\1\0"
    extensions = b"" if number == 0x0300 else _extensions(number, host, status)
    if extensions:
        body += struct.pack("!H", len(extensions)) + extensions
    message = b"\1" + len(body).to_bytes(3, "big") + body
    return struct.pack("!BHH", _HANDSHAKE, min(legacy, 0x0301), len(message)) + message


def _extensions(number: int, host: str, status: bool) -> bytes:
    name = host.encode("ascii", "replace")
    found = _extension(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name) if _may_be_sent(host) else b""
    found += _extension(10, struct.pack(f"!H{len(_GROUPS)}H", 2 * len(_GROUPS), *_GROUPS)) + _extension(11, b"\1\0")
    if status:
        found += _extension(5, b"\1\0\0\0\0")
    if number >= 0x0303:
        found += _extension(13, struct.pack(f"!H{len(_SIGNATURES)}H", 2 * len(_SIGNATURES), *_SIGNATURES))
    if number == 0x0304:
        share = struct.pack("!HH", 29, 32) + os.urandom(32)  # any octets are a point of X25519
        found += _extension(43, b"\2\3\4") + _extension(45, b"\1\1")
        found += _extension(51, struct.pack("!H", len(share)) + share)
    return found


def _may_be_sent(host: str) -> bool:
    """RFC 6066 §3: names, not addresses."""
    return bool(host) and not host.replace(".", "").isdigit() and ":" not in host


def _extension(kind: int, content: bytes) -> bytes:
    return struct.pack("!HH", kind, len(content)) + content


def read_answer(octets: bytes, *, whole: bool = False) -> ServerHello | Alert | Need:
    """What the server said first; with `whole` the certificates behind it too. Raises NoTls."""
    messages, alert, rest_is_missing = _messages(octets)
    hello: ServerHello | None = None
    chain: tuple[bytes, ...] = ()
    staple = None
    done = False
    for kind, content in messages:
        if kind == _SERVER_HELLO and hello is None:
            hello = _hello(content)
        elif kind == _CERTIFICATE:
            chain = _chain(content)
        elif kind == _STATUS and len(content) > 4:
            staple = content[4 : 4 + int.from_bytes(content[1:4], "big")]
        elif kind == _DONE:
            done = True
    if hello is None:
        return alert if alert is not None else _too_much(octets)
    if whole and hello.version < 0x0304 and not done and alert is None and rest_is_missing:
        return _too_much(octets, ServerHello(version=hello.version, suite=hello.suite, chain=chain, staple=staple))
    return ServerHello(version=hello.version, suite=hello.suite, chain=chain, staple=staple)


def _too_much(octets: bytes, known: ServerHello | None = None) -> ServerHello | Need:
    if len(octets) < MAX_ANSWER:
        return Need.MORE
    if known is None:
        raise NoTls("the answer is too long")
    return known


def _messages(octets: bytes) -> tuple[list[tuple[int, bytes]], Alert | None, bool]:
    """The handshake messages that are whole, an alert, and whether more may come."""
    stream, alert, position = b"", None, 0
    while len(octets) - position >= 5:
        kind, version, size = struct.unpack_from("!BHH", octets, position)
        if kind not in (_HANDSHAKE, _ALERT, 20, 23) or version >> 8 != 3 or size > 18_432:
            raise NoTls("what came back is no TLS")
        record = octets[position + 5 : position + 5 + size]
        if len(record) < size:
            break
        position += 5 + size
        if kind == _ALERT and len(record) >= 2:
            alert = Alert(record[1]) if record[0] == 2 or record[1] == 0 else alert
        elif kind == _HANDSHAKE:
            stream += record
        else:
            break  # what follows is encrypted
    if octets and not position and octets[:1] not in b"\x14\x15\x16\x17":
        raise NoTls("what came back is no TLS")
    found: list[tuple[int, bytes]] = []
    at = 0
    while len(stream) - at >= 4:
        size = int.from_bytes(stream[at + 1 : at + 4], "big")
        if len(stream) - at - 4 < size:
            break
        found.append((stream[at], stream[at + 4 : at + 4 + size]))
        at += 4 + size
    return found, alert, True


def _hello(content: bytes) -> ServerHello:
    """RFC 8446 §4.1.3: the true version of 1.3 stands in an extension. A request to retry chose a suite as well."""
    try:
        version = int.from_bytes(content[:2], "big")
        at = 35 + content[34]
        suite = int.from_bytes(content[at : at + 2], "big")
        at += 5
        while at + 4 <= len(content):
            kind, size = struct.unpack_from("!HH", content, at)
            if kind == 43 and size == 2:
                version = int.from_bytes(content[at + 4 : at + 6], "big")
            at += 4 + size
    except (IndexError, struct.error):
        raise NoTls("a ServerHello that is cut short") from None
    return ServerHello(version=version, suite=suite)


def _chain(content: bytes) -> tuple[bytes, ...]:
    found: list[bytes] = []
    at = 3
    while at + 3 <= len(content) and len(found) < 20:
        size = int.from_bytes(content[at : at + 3], "big")
        found.append(content[at + 3 : at + 3 + size])
        at += 3 + size
    return tuple(found)
