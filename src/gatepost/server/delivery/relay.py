"""One message over one open connection: what may be sent is sent, what may not is answered here.

In: a `Hop`, a `Job`, the octets and where their header section ends. Out: a `Result` for each recipient of the job.
Standard: RFC 5321 §4.3, RFC 2033, RFC 3461 §5.2 (DSN parameters to hops that know them), RFC 6531 §3.4 (SMTPUTF8 where
it is needed). Not here: opening and keeping connections (`lane`), the bytes on the wire (`wire.smtp`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from gatepost.names import Body, Envelope, Recipient
from gatepost.server.delivery.hop import Hop
from gatepost.server.delivery.job import Job
from gatepost.server.delivery.requirements import Needs, find_needs, refuse_message, refuse_recipient
from gatepost.server.delivery.result import Result, bounced, from_reply
from gatepost.server.delivery.routes import Carrier, Route


async def relay(hop: Hop, route: Route, job: Job, raw: bytes, header_end: int) -> list[Result]:
    """Sends the message to those whom the hop can serve. Raises HopFailed when nobody knows what became of it."""
    tls = hop.tls
    shown = (tls.version + (",verified" if tls.verified else "")) if tls is not None else "none"
    results = await _relay(hop, route, job, raw, header_end)
    return [dataclasses.replace(result, tls="" if route.path else shown, tls_by=hop.demanded_by) for result in results]


async def _relay(hop: Hop, route: Route, job: Job, raw: bytes, header_end: int) -> list[Result]:
    envelope, keywords = job.envelope, hop.keywords
    needs = find_needs(envelope, raw, header_end)
    proven = route.is_local or (hop.tls is not None and hop.tls.verified)
    asked = needs if _requiretls_applies(route) else dataclasses.replace(needs, requiretls=False)
    refusal = refuse_message(asked, keywords, utf8=envelope.smtputf8, tls_proven=proven)
    if refusal is not None:
        return job.all_bounced(refusal.code, refusal.text, hop.label)
    refused = _refused_recipients(envelope, keywords, hop.label)
    accepted = tuple(r for r in envelope.recipients if r.address not in refused)
    if not accepted:
        return [refused[r.address] for r in envelope.recipients]
    outgoing = _outgoing(envelope, accepted, needs, keywords)
    replies = await hop.send(outgoing, raw)
    # An LMTP server is the mailbox's own (RFC 2033 §2); an SMTP hop that knows DSN reports by itself.
    final, notifies = route.carrier is Carrier.LMTP, "DSN" in keywords
    results = {
        recipient.address: from_reply(
            recipient.address, reply.reply_code, reply.text, hop.label, code=reply.code, final=final, notifies=notifies
        )
        for recipient, reply in zip(accepted, replies, strict=True)
    }
    return [refused.get(r.address) or results[r.address] for r in envelope.recipients]


def _requiretls_applies(route: Route) -> bool:
    """RFC 8689 is about relaying; a hand-over to the mailbox server on this machine is not that."""
    return not (route.carrier is Carrier.LMTP and route.is_local)


def _refused_recipients(envelope: Envelope, keywords: Mapping[str, str], label: str) -> dict[str, Result]:
    refused: dict[str, Result] = {}
    for recipient in envelope.recipients:
        refusal = refuse_recipient(recipient.address, keywords)
        if refusal is not None:
            refused[recipient.address] = bounced(recipient.address, refusal.code, refusal.text, label)
    return refused


def _outgoing(
    envelope: Envelope, accepted: tuple[Recipient, ...], needs: Needs, keywords: Mapping[str, str]
) -> Envelope:
    """The envelope as this hop may hear it: only parameters it announced, and only those that are needed."""
    dsn = "DSN" in keywords
    utf8 = needs.utf8_header or needs.utf8_sender or not all(r.address.isascii() for r in accepted)
    return dataclasses.replace(
        envelope,
        recipients=accepted if dsn else tuple(Recipient(address=r.address) for r in accepted),
        body=Body.EIGHT_BIT if needs.eight_bit else Body.SEVEN_BIT,
        smtputf8=utf8 and "SMTPUTF8" in keywords,
        size=needs.size if "SIZE" in keywords else None,
        ret=envelope.ret if dsn else None,
        envid=envelope.envid if dsn else None,
        requiretls=envelope.requiretls and "REQUIRETLS" in keywords,
    )
