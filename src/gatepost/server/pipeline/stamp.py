"""Our fields on top of a message, and no forged ones below.

In: the message, what the checks found, the decision. Out: the octets as they will be delivered.
Standard: RFC 5321 §4.4 (Received), RFC 8601 §5 (results that claim our id go), DESIGN "Forged verdicts".
Not here: Return-Path, which final delivery adds (RFC 5321 §4.4) after any forged one was removed here.
"""

from __future__ import annotations

from gatepost.inspector.decision import Decision
from gatepost.message.message import Message
from gatepost.message.trace import write_received
from gatepost.msgauth.authenticate import AuthResults
from gatepost.msgauth.authres import (
    describe_arc,
    describe_dkim,
    describe_dmarc,
    describe_iprev,
    describe_spf,
    ranges_to_drop,
    without_ranges,
    write_authentication_results,
)
from gatepost.names import Envelope, Session

MAX_CODES = 6  # in the verdict field; the journal has all


def stamp(
    message: Message,
    *,
    hostname: str,
    session: Session,
    envelope: Envelope,
    auth: AuthResults,
    decision: Decision,
    spool_id: str,
    now: float,
) -> bytes:
    """The message with Received, Authentication-Results and Gatepost-Verdict in front.

    `session` is the connection itself: Received tells of the hop to us, also behind a trusted relay.
    """
    received = write_received(
        ehlo_domain=session.ehlo_domain,
        client_ip=session.client_ip,
        reverse_name=auth.iprev.name if auth.iprev.ip == session.client_ip else "",
        by=hostname,
        protocol=session.protocol,
        id=spool_id,
        date=now,
        tls=session.tls,
        for_=envelope.recipients[0].address if len(envelope.recipients) == 1 else "",
    )
    raw = without_ranges(message.raw, ranges_to_drop(message.header, hostname))
    # Octets without any field are all body: an empty line keeps them from being read as fields below ours.
    border = b"\r\n" if not message.header.fields and not raw.startswith(b"\r\n") else b""
    return b"".join((received, write_results(hostname, envelope, auth), write_verdict(decision), border, raw))


def write_results(hostname: str, envelope: Envelope, auth: AuthResults) -> bytes:
    """The Authentication-Results field."""
    results = [describe_iprev(auth.iprev)]
    if auth.spf_mail_from is not None:
        results.append(describe_spf(auth.spf_mail_from, envelope.mail_from))
    if auth.spf_ehlo is not None and not envelope.mail_from:
        results.append(describe_spf(auth.spf_ehlo))
    results += describe_dkim(auth.dkim)
    results.append(describe_dmarc(auth.dmarc))
    if auth.arc.result.value != "none":
        results.append(describe_arc(auth.arc, auth.iprev.ip))
    return write_authentication_results(hostname, results, utf8=envelope.smtputf8)


def write_verdict(decision: Decision) -> bytes:
    """`Gatepost-Verdict: tag; score=6.5; by=auth.dmarc.fail,path.no-reverse-dns`: for the rules of mail clients.

    Every part is ours: an enum's word, a number, codes of rules.
    """
    by = f"; by={','.join(decision.decided_by[:MAX_CODES])}" if decision.decided_by else ""
    line = f"Gatepost-Verdict: {decision.action.value}; score={decision.score:g}"
    fold = "\r\n\t" if len(line) + len(by) > 76 else " "
    return f"{line}{by.replace('; ', ';' + fold, 1)}\r\n".encode("ascii")
