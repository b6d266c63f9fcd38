"""The first octets of TLS, by hand: a ClientHello that offers what our own OpenSSL would not, and the answer to it.

In: version, suites, extensions. Out: octets; of the answer the version, suite and extensions, or the alert.
Standard: RFC 5246 §7.4.1 and RFC 8446 §4.1 (hellos), RFC 7507 (TLS_FALLBACK_SCSV), RFC 5746 (renegotiation).
Not here: a handshake (OpenSSL does that), who asks what (`audit.probe`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SSL_3, TLS_1_0, TLS_1_1, TLS_1_2 = 0x0300, 0x0301, 0x0302, 0x0303
NAMES = {SSL_3: "SSL 3.0", TLS_1_0: "TLS 1.0", TLS_1_1: "TLS 1.1", TLS_1_2: "TLS 1.2"}
FALLBACK_SCSV, RENEGOTIATION_SCSV = 0x5600, 0x00FF
RENEGOTIATION_INFO = 0xFF01
INAPPROPRIATE_FALLBACK = 86  # RFC 7507 §3
_HANDSHAKE, _ALERT, _SERVER_HELLO = 22, 21, 2

# By the registry of cipher suites: those that a server of any age knows, then the broken kinds.
COMMON = (
    0xC02F, 0xC02B, 0xC030, 0xC02C, 0xCCA8, 0xCCA9, 0x009E, 0x009C, 0x009D, 0xC027, 0xC023, 0xC013, 0xC009, 0xC014,
    0xC00A, 0x0033, 0x0039, 0x003C, 0x003D, 0x002F, 0x0035, 0x000A, 0xC012, 0xC008, 0x0016, 0x0005, 0x0004,
)  # fmt: skip
WEAK = {
    "NULL": (0x0001, 0x0002, 0x003B, 0xC001, 0xC006, 0xC00B, 0xC010),
    "EXPORT": (0x0003, 0x0006, 0x0008, 0x000B, 0x000E, 0x0011, 0x0014, 0x0017, 0x0019),
    "DES": (0x0009, 0x000C, 0x000F, 0x0012, 0x0015, 0x001A),
    "RC4": (0x0004, 0x0005, 0xC002, 0xC007, 0xC00C, 0xC011),
    "3DES": (0x000A, 0x000D, 0x0010, 0x0013, 0x0016, 0xC003, 0xC008, 0xC00D, 0xC012),
}
ANONYMOUS = (0x0018, 0x001B, 0x0034, 0x003A, 0x006C, 0x006D, 0x00A6, 0x00A7, 0xC017, 0xC018, 0xC019)
_GROUPS = (29, 23, 24, 25)  # x25519, secp256r1, secp384r1, secp521r1
_SIGNATURES = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloAnswer:
    """`version` and `suite` that the server chose, with its extensions; 0 where it did not. `alert` is what it said
    instead. `is_tls` is False for octets that are no TLS, or too few."""

    version: int = 0
    suite: int = 0
    compression: int = 0
    extensions: tuple[int, ...] = ()
    alert: int | None = None
    is_tls: bool = True


def write_client_hello(
    version: int,
    suites: Sequence[int],
    random: bytes,
    *,
    name: str = "",
    compressions: bytes = b"\0",
    renegotiation: bytes = b"",
) -> bytes:
    """A record with a ClientHello. `random` are 32 octets; `name` goes into SNI, where it is one,
    `renegotiation` is how the handshake before this one ended (RFC 5746 §3.5)."""
    listed = b"".join(suite.to_bytes(2, "big") for suite in suites)
    extensions = b"" if version == SSL_3 else _extensions(name, version, renegotiation)
    body = version.to_bytes(2, "big") + random[:32].ljust(32, b"\0") + b"\0" + _sized(listed, 2)
    body += _sized(compressions, 1) + (_sized(extensions, 2) if extensions else b"")
    handshake = b"\x01" + _sized(body, 3)
    return b"\x16" + min(version, TLS_1_0).to_bytes(2, "big") + _sized(handshake, 2)


def _extensions(name: str, version: int, renegotiation: bytes) -> bytes:
    parts = []
    if name and not name[-1].isdigit() and ":" not in name:
        parts.append((0, _sized(b"\0" + _sized(name.encode("ascii", "replace"), 2), 2)))
    parts.append((10, _sized(b"".join(group.to_bytes(2, "big") for group in _GROUPS), 2)))
    parts.append((11, b"\x01\0"))
    if version >= TLS_1_2:
        parts.append((13, _sized(b"".join(one.to_bytes(2, "big") for one in _SIGNATURES), 2)))
    if renegotiation:
        parts.append((RENEGOTIATION_INFO, _sized(renegotiation, 1)))
    return b"".join(kind.to_bytes(2, "big") + _sized(octets, 2) for kind, octets in parts)


def _sized(octets: bytes, width: int) -> bytes:
    return len(octets).to_bytes(width, "big") + octets


def read_hello_answer(octets: bytes) -> HelloAnswer:
    """What a server answered; any octets give an answer."""
    if len(octets) < 7 or octets[0] not in (_HANDSHAKE, _ALERT) or octets[1] != 3:
        return HelloAnswer(is_tls=False)
    if octets[0] == _ALERT:
        return HelloAnswer(alert=octets[6])
    message = octets[5:]
    if message[0] != _SERVER_HELLO or len(message) < 42:
        return HelloAnswer(is_tls=False)
    body = message[4 : 4 + int.from_bytes(message[1:4], "big")]
    after = 35 + body[34] if len(body) > 34 else 0
    if not after or len(body) < after + 3:
        return HelloAnswer(is_tls=False)
    return HelloAnswer(
        version=int.from_bytes(body[:2], "big"),
        suite=int.from_bytes(body[after : after + 2], "big"),
        compression=body[after + 2],
        extensions=_extension_kinds(body[after + 5 :]),
    )


def _extension_kinds(octets: bytes) -> tuple[int, ...]:
    kinds, at = [], 0
    while at + 4 <= len(octets):
        kinds.append(int.from_bytes(octets[at : at + 2], "big"))
        at += 4 + int.from_bytes(octets[at + 2 : at + 4], "big")
    return tuple(kinds)
