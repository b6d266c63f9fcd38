"""Reads failure reports: what a receiver tells of one message that failed DMARC, DKIM or SPF.

In: the `Message` that the report is. Out: `FailureReport`, or None for a message that is no such report.
`defects`: "not-a-report" (in another multipart than multipart/report), "no-feedback-part" (told only in words to
people), "no-domain", "bad-address", "no-address", "bad-date", "no-original".
Standard: RFC 9991, RFC 6591 (authentication failures), RFC 5965 (the Abuse Reporting Format), RFC 6522.
The person it was for is not kept: RFC 9991's privacy considerations. Not here: other feedback (abuse, fraud).
"""

from __future__ import annotations

import re
from hashlib import sha256

from gatepost.message.addresses import parse_addresses
from gatepost.message.dates import parse_date
from gatepost.message.header import Header, parse_header
from gatepost.message.message import Message
from gatepost.message.part import Part
from gatepost.message.words import decode_words
from gatepost.ports.reported import FailureReport
from gatepost.reports.reading import LAST, Defects, address, clean, domain, word

_FEEDBACK = "message/feedback-report"
_ORIGINAL = frozenset(("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"))
_TOLD = re.compile(r"^[ \t]{0,8}([A-Za-z][A-Za-z -]{2,30}):[ \t]{0,8}(\S[^\r\n]{0,200})$", re.MULTILINE)
_COPY = re.compile(r"^-{3,}[^\r\n]{0,120}\r?\n\r?\n?", re.MULTILINE)
_HEADER_FROM = re.compile(r"header\.from=([\w.-]{1,253})", re.ASCII | re.IGNORECASE)
_SMALL = 1 << 20  # octets of a text that is searched


def parse_failure(message: Message) -> FailureReport | None:
    """The report that `message` is, or None. Total: any message gives an answer."""
    parts = list(message.tree.walk())[:200]
    feedback = next((part for part in parts if part.content_type.value == _FEEDBACK), None)
    if feedback is not None:
        fields = parse_header(feedback.decoded.octets[:_SMALL].lstrip(b"\r\n"))
        kind = clean(fields.text("feedback-type"), 40).lower()
        if kind not in ("auth-failure", ""):
            return None
        return _from_fields(message, parts, fields)
    if message.tree.content_type.value == "multipart/report" or "dmarc" in _subject(message.header).lower():
        return _from_words(message, parts)
    return None


def _from_fields(message: Message, parts: list[Part], fields: Header) -> FailureReport:
    defects = Defects()
    if message.tree.content_type.value != "multipart/report":
        defects.note("not-a-report")
    original = _original(parts, defects)
    verdict = clean(fields.text("authentication-results"), 500)
    name = domain(fields.text("reported-domain"), defects) or _in_header(original, verdict)
    if not name:
        defects.note("no-domain")
    return FailureReport(
        reporter=_reporter(message),
        report_id=_report_id(message),
        domain=name,
        at=_time(fields.text("arrival-date") or fields.text("received-date") or message.header.text("date"), defects),
        source_ip=address(fields.text("source-ip").partition(" ")[0], defects),
        auth_failure=word(fields.text("auth-failure"), Defects()),
        delivery_result=word(fields.text("delivery-result"), Defects()),
        identity_alignment=clean(fields.text("identity-alignment"), 40).lower(),
        mail_from=clean(fields.text("original-mail-from").strip("<> ")),
        dkim_domain=domain(fields.text("dkim-domain"), defects),
        authentication_results=verdict,
        **_about(original),
        defects=defects.codes(),
    )


def _from_words(message: Message, parts: list[Part]) -> FailureReport | None:
    """A report that only people were meant to read: "Sender Domain: …", as Exim writes it."""
    text = next((part.text for part in parts if part.content_type.value == "text/plain" and not part.children), "")
    text = text[:_SMALL]
    copy = _COPY.search(text)
    told = {key.lower(): value for key, value in _TOLD.findall(text[: copy.start()] if copy else text)}
    if "sender domain" not in told or "sender ip address" not in told:
        return None
    defects = Defects()
    defects.note("no-feedback-part")
    header = parse_header(text[copy.end() :].encode("utf-8", "replace")) if copy else Header((), 0)
    return FailureReport(
        reporter=_reporter(message),
        report_id=_report_id(message),
        domain=domain(told["sender domain"], defects),
        at=_time(told.get("received date", "") or message.header.text("date"), defects),
        source_ip=address(told["sender ip address"], defects),
        auth_failure="dmarc",
        delivery_result=clean(told.get("dmarc results", ""), 40).lower(),
        authentication_results=clean(header.text("authentication-results"), 500),
        **_about(header),
        defects=defects.codes(),
    )


def _original(parts: list[Part], defects: Defects) -> Header:
    """The header of the message that failed, as far as the report holds it."""
    for part in parts:
        if part.content_type.value in _ORIGINAL:
            return part.children[0].header if part.children else parse_header(part.decoded.octets[:_SMALL])
    defects.note("no-original")
    return Header((), 0)


def _about(header: Header) -> dict[str, str]:
    return {
        "header_from": _author(header),
        "subject": clean(_subject(header), 200),
        "message_id": clean(header.text("message-id")),
    }


def _author(header: Header) -> str:
    found = parse_addresses(header.text("from")).addresses if header.all("from") else ()
    return clean(found[0]) if found else ""


def _subject(header: Header) -> str:
    return decode_words(header.text("subject")) if header.all("subject") else ""


def _in_header(original: Header, verdict: str) -> str:
    """The domain where Reported-Domain does not name it: that of From, or what Authentication-Results says."""
    found = _HEADER_FROM.search(verdict)
    return (found[1] if found else _author(original).rpartition("@")[2]).lower()


def _reporter(message: Message) -> str:
    return _author(message.header).rpartition("@")[2].lower() or "unknown"


def _report_id(message: Message) -> str:
    """The Message-ID; of a message without one, its hash."""
    return clean(message.header.text("message-id")) or "sha256:" + sha256(message.raw).hexdigest()[:32]


def _time(text: str, defects: Defects) -> int | None:
    found = parse_date(text).epoch
    if found is None or not 0 < found <= LAST:
        defects.note("bad-date")
        return None
    return int(found)
