"""What a message needs of the next hop, and what is said when the hop cannot.

In: an envelope, the message, the hop's EHLO keywords and its TLS. Out: `Needs`, and per recipient an enhanced code with
reason or None. Standard: RFC 6531 §3.6 and RFC 6533 (SMTPUTF8), RFC 6152 §3 (8BITMIME), RFC 8689 §4.2 (REQUIRETLS),
RFC 1870 §6.1 (SIZE). Not here: down-conversion, which this server does not do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatepost.message.header import Header
from gatepost.names import Envelope
from gatepost.server.delivery.hop import TlsWish

TLS_REQUIRED = "TLS-Required"  # RFC 8689 §5


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the octets and the envelope ask for, found once a message."""

    eight_bit: bool
    utf8_header: bool
    utf8_sender: bool
    requiretls: bool
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a hop cannot take a message or a recipient: an enhanced status code and words."""

    code: str
    text: str


def find_needs(envelope: Envelope, raw: bytes, header_end: int) -> Needs:
    """What `raw` needs. An 8BITMIME or SMTPUTF8 that the client declared and did not use asks for nothing."""
    plain = raw.isascii()
    return Needs(
        eight_bit=not plain,
        utf8_header=not plain and not raw[:header_end].isascii(),
        utf8_sender=not envelope.mail_from.isascii(),
        requiretls=envelope.requiretls,
        size=len(raw),
    )


def refuse_message(needs: Needs, keywords: Mapping[str, str], *, utf8: bool, tls_proven: bool) -> Refusal | None:
    """Why the hop cannot take this message for anybody. `utf8` says that MAIL had SMTPUTF8; `tls_proven` that the
    connection is TLS with a verified certificate, or stays on this machine."""
    if needs.requiretls and not (tls_proven and "REQUIRETLS" in keywords):
        # RFC 8689 §4.2.1: no relaying to a server that does not offer it; §5: the code of the report
        return Refusal(code="5.7.30", text="REQUIRETLS was asked for, and the next hop cannot honour it")
    if "SMTPUTF8" not in keywords:
        if needs.utf8_sender:
            return Refusal(code="5.6.7", text="the sender's address is not ASCII, and the next hop has no SMTPUTF8")
        if utf8 and needs.utf8_header:
            return Refusal(code="5.6.9", text="the header is not ASCII, and the next hop has no SMTPUTF8")
    if needs.eight_bit and "8BITMIME" not in keywords:
        return Refusal(code="5.6.3", text="the message has 8-bit data, and the next hop has no 8BITMIME")
    limit = keywords.get("SIZE", "")
    if limit.isascii() and limit.isdigit() and 0 < int(limit[:20]) < needs.size:
        return Refusal(code="5.3.4", text=f"the message has {needs.size} octets, the next hop takes {limit}")
    return None


def refuse_recipient(address: str, keywords: Mapping[str, str]) -> Refusal | None:
    """Why the hop cannot take this recipient."""
    if not address.isascii() and "SMTPUTF8" not in keywords:
        return Refusal(code="5.6.7", text="the recipient's address is not ASCII, and the next hop has no SMTPUTF8")
    return None


def tls_wish(envelope: Envelope, header: Header) -> TlsWish:
    """What the message itself says about TLS: REQUIRETLS in the envelope, or the field "TLS-Required: No", which says
    nothing where REQUIRETLS stands (RFC 8689 §4.1) or where it stands twice."""
    if envelope.requiretls:
        return TlsWish.REQUIRED
    fields = header.all(TLS_REQUIRED)
    waived = len(fields) == 1 and fields[0].value.strip().lower() == b"no"
    return TlsWish.WAIVED if waived else TlsWish.USUAL
