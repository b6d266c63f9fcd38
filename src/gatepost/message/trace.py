"""The trace fields that we add: Received and Return-Path, safe whatever the client called itself.

In: what the session and the envelope say. Out: the octets of one field, folded, with CRLF. Never raises: what has no
place in the grammar is replaced, since mail must not be lost over the name a client gives itself.
Standard: RFC 5321 §4.4 (trace information), RFC 3848 (protocol names), RFC 8314 §4.3 (tls clause), RFC 6531 §3.7.3.
Not here: reading the trace (`received`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from gatepost.message.dates import write_date
from gatepost.names import Tls

# What a host name, an address literal or an id may hold; everything else becomes "?", which is atext and marks it.
_NOT_NAME = re.compile(r"[^A-Za-z0-9._:\[\]\x80-\U0010ffff-]")
_NOT_HOST = re.compile(r"[^A-Za-z0-9._\x80-\U0010ffff-]")
_NOT_ADDRESS = re.compile(r"[\x00-\x20\x7f<>()\\;,]")
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9._-]")
_WIDTH = 78


def write_received(
    *,
    ehlo_domain: str,
    client_ip: str,
    reverse_name: str,
    by: str,
    protocol: str,
    id: str,
    date: float,
    tls: Tls | None = None,
    for_: str = "",
    software: str = "Gatepost",
) -> bytes:
    """Our own Received field.

    `for_` is the recipient, given only where there is exactly one (RFC 5321 §7.2: else it tells who got a blind
    copy). `reverse_name` is empty when there is none. `date` is seconds since the epoch.
    """
    name = _clean(_NOT_NAME, ehlo_domain, 255) or "unknown"
    words = [f"from {name}"]
    if client_ip:
        words.append(f"({_clean(_NOT_HOST, reverse_name, 255) or 'unknown'} [{_literal(client_ip)}])")
    if tls is not None:
        words.append(f"(using {_clean(_NOT_TOKEN, tls.version, 20)} with cipher {_clean(_NOT_TOKEN, tls.cipher, 60)}")
        words.append(f"({tls.bits:d} bits))")
    words += [f"by {_clean(_NOT_NAME, by, 255)}", f"({_clean(_NOT_TOKEN, software, 40)})"]
    words += [f"with {_clean(_NOT_TOKEN, protocol, 20)}", f"id {_clean(_NOT_TOKEN, id, 80)}"]
    if for_:
        words.append(f"for <{_clean(_NOT_ADDRESS, for_, 320)}>")
    if tls is not None and tls.cipher.startswith("TLS_"):  # the clause takes IANA's names only
        words.append(f"tls {_clean(_NOT_TOKEN, tls.cipher, 60)}")
    words[-1] += ";"
    words.append(write_date(date))
    return _folded("Received:", words)


def write_return_path(mail_from: str) -> bytes:
    """Return-Path: the reverse-path, `<>` for the null one."""
    return f"Return-Path: <{_clean(_NOT_ADDRESS, mail_from, 320)}>\r\n".encode("utf-8", "replace")


def with_protocol(*, extended: bool, tls: bool, authenticated: bool, smtputf8: bool, lmtp: bool = False) -> str:
    """The WITH keyword (RFC 3848; RFC 6531 §4.3 for the UTF8 ones)."""
    base = "LMTP" if lmtp else "SMTP" if smtputf8 or not extended else "ESMTP"
    suffix = ("S" if tls else "") + ("A" if authenticated else "")
    if suffix and base == "SMTP" and not smtputf8:
        base = "ESMTP"
    return ("UTF8" if smtputf8 else "") + base + suffix


def _clean(unwanted: re.Pattern[str], text: str, limit: int) -> str:
    return _cleaned(unwanted, text[:limit])


@lru_cache(maxsize=1024)
def _cleaned(unwanted: re.Pattern[str], text: str) -> str:
    """Most of it is the same in every field: our own name, the protocol, a large sender's servers."""
    return unwanted.sub("?", text)


def _literal(address: str) -> str:
    """RFC 5321 §4.1.3: IPv6 addresses carry their tag."""
    clean = _clean(_NOT_NAME, address, 45)
    return f"IPv6:{clean}" if ":" in clean else clean


def _folded(head: str, words: list[str]) -> bytes:
    """Greedy lines of whole clauses, continued by a tab."""
    lines = []
    line = head
    for word in words:
        if len(line) + 1 + len(word) > _WIDTH and line != head:
            lines.append(line)
            line = "\t" + word
        else:
            line += " " + word
    return "\r\n".join([*lines, line, ""]).encode("utf-8", "replace")
