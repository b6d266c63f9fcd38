"""What the journal holds: an entry a message, an attempt a delivery that was tried.

In: the pipeline's and the delivery's facts. Out: frozen values, and rows. Standard: none.
Not here: the tables (`schema`), reading and writing (`journal`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatepost.finding import Finding, Severity
from gatepost.store.spool.ids import parse_id, write_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message, or one attempt to hand one in.

    `id` is the spool's; empty where there was none. `at` is seconds since the epoch. `action` is the decision's word
    (accept, tag, quarantine, reject, defer) or what else became of it; `reply` is what the client was told.
    `basis` is what the decision rests on besides the findings, as JSON that the judges can read; empty for none.
    """

    id: str = ""
    at: float
    client_ip: str = ""
    ehlo_domain: str = ""
    mail_from: str = ""
    recipients: tuple[str, ...] = ()
    message_id: str = ""
    subject: str = ""
    size: int = 0
    action: str = ""
    score: float = 0.0
    decided_by: tuple[str, ...] = ()
    reply: str = ""
    findings: Sequence[Finding] = ()
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One delivery tried for one recipient. `status` is sent, deferred or bounced; `relay` says where it went;
    `code` is the enhanced status code, `text` what the other side said, `delay` seconds since the arrival.

    Or what was done to one recipient's copy without a delivery (`relay` is empty): `status` is released, deleted, held,
    unheld, returned, rerouted, expired or learnt-ham, -spam or -phish, `text` who did it, or why."""

    id: str
    at: float
    rcpt_to: str
    status: str
    relay: str = ""
    code: str = ""
    text: str = ""
    delay: float = 0.0


ENTRY_COLUMNS = (
    "number, at, client_ip, ehlo_domain, mail_from, recipients, message_id, subject, size, action, score,"
    " decided_by, reply"
)
ATTEMPT_COLUMNS = "number, at, rcpt_to, status, relay, code, text, delay"


def entry_row(entry: Entry) -> tuple[Any, ...]:
    """The values of ENTRY_COLUMNS. Lists are joined by line feeds, which no address and no code contains."""
    return (
        parse_id(entry.id),
        entry.at,
        _storable(entry.client_ip),
        _storable(entry.ehlo_domain),
        _storable(entry.mail_from),
        _storable("\n".join(entry.recipients)),
        _storable(entry.message_id),
        _storable(entry.subject),
        entry.size,
        _storable(entry.action),
        entry.score,
        _storable("\n".join(entry.decided_by)),
        _storable(entry.reply),
    )


def read_entry(row: tuple[Any, ...], findings: str | None, basis: str | None = None) -> Entry:
    """The entry of a row of ENTRY_COLUMNS, its findings' JSON and its basis."""
    number, at, client_ip, ehlo, mail_from, recipients, message_id, subject, size, action, score, decided_by, reply = (
        row
    )
    return Entry(
        id=write_id(number) if number is not None else "",
        at=at,
        client_ip=client_ip,
        ehlo_domain=ehlo,
        mail_from=mail_from,
        recipients=tuple(recipients.split("\n")) if recipients else (),
        message_id=message_id,
        subject=subject,
        size=size,
        action=action,
        score=score,
        decided_by=tuple(decided_by.split("\n")) if decided_by else (),
        reply=reply,
        findings=read_findings(findings) if findings else (),
        basis=basis or "",
    )


def attempt_row(attempt: Attempt) -> tuple[Any, ...]:
    """The values of ATTEMPT_COLUMNS."""
    return (
        parse_id(attempt.id),
        attempt.at,
        _storable(attempt.rcpt_to),
        _storable(attempt.status),
        _storable(attempt.relay),
        _storable(attempt.code),
        _storable(attempt.text),
        attempt.delay,
    )


def read_attempt(row: tuple[Any, ...]) -> Attempt:
    """The attempt of a row of ATTEMPT_COLUMNS."""
    number, at, rcpt_to, status, relay, code, text, delay = row
    message_id = write_id(number) if number is not None else ""
    return Attempt(id=message_id, at=at, rcpt_to=rcpt_to, status=status, relay=relay, code=code, text=text, delay=delay)


def write_findings(findings: Sequence[Finding]) -> str:
    """Findings as JSON lists without names: half the octets and time of objects, and only we read them."""
    return _encode([_listed(finding) for finding in findings])


def _listed(f: Finding) -> tuple[Any, ...]:
    listed = (f.code, f.severity, f.weight, f.group, f.summary, dict(f.evidence), f.remedy, f.reference, f.recipient)
    return listed if f.given_weight is None else (*listed, f.given_weight)


_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode  # `json.dumps` would make one each time


def read_findings(text: str) -> tuple[Finding, ...]:
    """The findings that `write_findings` wrote."""
    return tuple(_unlisted(*listed) for listed in json.loads(text))


def _unlisted(
    code: str,
    severity: str,
    weight: float,
    group: str,
    summary: str,
    evidence: dict[str, Any],
    remedy: str,
    reference: str,
    recipient: str | None,
    given_weight: float | None = None,
) -> Finding:
    return Finding(
        code=code,
        severity=Severity(severity),
        weight=weight,
        group=group,
        summary=summary,
        evidence=evidence,
        remedy=remedy,
        reference=reference,
        recipient=recipient,
        given_weight=given_weight,
    )


def _storable(text: str) -> str:
    """Text from the outside; SQLite takes no lone surrogates."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
