"""DNS names and records between dnspython's types and the plain values of `ports`.

In: a name as text, or an rdata of dnspython. Out: labels, text, a `Record`.
Standard: RFC 1035 §2.3.4 (sizes), §3.1 (labels); RFC 4343 (case). RFC 5952 for IPv6 text.
Not here: questions on the wire (`net.resolver.query`), who answers (`net.zone`, `net.resolver`).
"""

from __future__ import annotations

from typing import cast

import dns.name
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.TXT
from dns.rdtypes import nsbase

from gatepost.ports import Mx, Record

MAX_LABEL = 63
MAX_NAME = 255  # octets on the wire, length octets and the root label included

_NAME_TYPES = frozenset({dns.rdatatype.PTR, dns.rdatatype.NS, dns.rdatatype.CNAME})


class BadName(ValueError):
    """A name that cannot exist in DNS; `str()` says why. Stays inside `net`: callers get NXDOMAIN."""


def parse_name(text: str) -> tuple[bytes, ...]:
    """The labels of `text`, lower case, leftmost first; the root is the empty tuple.

    Text is literal: dots part labels and nothing is escaped, other characters than ASCII become UTF-8.
    """
    if text.endswith("."):
        text = text[:-1]
    if not text:
        return ()
    labels = tuple(text.lower().encode("utf-8", "surrogateescape").split(b"."))
    if sum(map(len, labels)) + len(labels) + 1 > MAX_NAME:
        raise BadName("the name is longer than 255 octets")
    for label in labels:
        if not label:
            raise BadName("the name has an empty label")
        if len(label) > MAX_LABEL:
            raise BadName("the name has a label longer than 63 octets")
    return labels


def name_text(name: dns.name.Name) -> str:
    """`name` as `labels_text` writes it."""
    return labels_text(name.labels[:-1] if name.is_absolute() else name.labels)


def labels_text(labels: tuple[bytes, ...]) -> str:
    """`labels` in lower case without the trailing dot, "." for the root.

    A dot inside a label is escaped as in a master file, so that nobody's label reads as two.
    """
    joined = b".".join(labels)
    if b"\\" in joined or joined.count(b".") >= len(labels):
        joined = b".".join(label.replace(b"\\", b"\\\\").replace(b".", b"\\.") for label in labels)
    return joined.lower().decode("utf-8", "surrogateescape") or "."


def record_of(rdata: dns.rdata.Rdata) -> Record:
    """`rdata` decoded as `ports.Answer` promises."""
    rtype = rdata.rdtype
    if rtype in (dns.rdatatype.TXT, dns.rdatatype.SPF):
        return b"".join(cast("dns.rdtypes.ANY.TXT.TXT", rdata).strings)
    if rtype == dns.rdatatype.MX:
        mx = cast("dns.rdtypes.ANY.MX.MX", rdata)
        return Mx(mx.preference, name_text(mx.exchange))
    if rtype in _NAME_TYPES:
        return name_text(cast("nsbase.NSBase", rdata).target)
    return rdata.to_text()
