"""Rules on the header section as a whole: fields that are missing, doubled, or no fields at all.

In: `Facts`. Out: `Seen`. Standard: RFC 5322 §3.6 (how often each field may occur), §2.1.1 and §2.2 (what a field is),
RFC 6532 §3 (UTF-8 in fields), RFC 2045 §4 and §6 (MIME fields).
Not here: what is in From, Reply-To (`senders`) and Date (`dates`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts, LineEnds
from gatepost.inspector.rule import Seen, rule

# RFC 5322 §3.6: max number 1; From has a rule of its own, the MIME fields too
SINGLETONS = frozenset(
    ("date", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject")
)
# RFC 2045 §3: each field of a MIME header occurs once
MIME_SINGLETONS = frozenset(
    ("content-type", "content-transfer-encoding", "mime-version", "content-disposition", "content-id")
)


@rule(
    code="header.several-from",
    severity=Severity.DANGER,
    weight=6.0,
    group="header",
    summary="The message has {count} From fields: each mail program may show another sender.",
    why="Authentication is done for one of the fields while the reader sees the other; no honest program writes two.",
    remedy="Refuse it. If it is from one of your own programs, let that program write one From field.",
    reference="RFC 5322 §3.6",
)
def several_from(facts: Facts) -> Seen | None:
    if "from" not in facts.repeated:
        return None
    found = facts.header.all("from")
    return Seen(evidence={"count": len(found), "fields": [f.text for f in found[:5]]})


@rule(
    code="header.no-from",
    severity=Severity.WARNING,
    weight=4.0,
    group="header",
    summary="The message names no sender: it has no From field.",
    why="Without a From field there is no author domain, and so no DMARC check; spammers use that.",
    remedy="The sending program has to write a From field.",
    reference="RFC 5322 §3.6",
)
def no_from(facts: Facts) -> Seen | None:
    return None if facts.header.first("from") else Seen()


@rule(
    code="header.duplicate-field",
    severity=Severity.WARNING,
    weight=2.0,
    group="header",
    summary="Fields that may occur once occur several times: {names}.",
    why="Filters and mail programs may read different ones, so what is checked is not what is shown.",
    remedy="The sending program has to write each of these fields once.",
    reference="RFC 5322 §3.6",
)
def duplicate_field(facts: Facts) -> Seen | None:
    return _repeated(facts, SINGLETONS)


@rule(
    code="header.duplicate-mime-field",
    severity=Severity.WARNING,
    weight=3.0,
    group="header",
    summary="The message says several times, and maybe differently, how its content is to be read: {names}.",
    why="A scanner that believes one Content-Type and a mail program that believes the other see different contents.",
    remedy="Treat its attachments with care. The sending program has to write each of these fields once.",
    reference="RFC 2045 §4",
)
def duplicate_mime_field(facts: Facts) -> Seen | None:
    return _repeated(facts, MIME_SINGLETONS)


@rule(
    code="header.no-message-id",
    severity=Severity.NOTICE,
    weight=0.7,
    group="header",
    summary="The message has no Message-ID, which nearly every mail program writes.",
    why="Messages made by hand or by simple bulk software often lack it; threads and duplicates cannot be told.",
    remedy="Let the sending program write a Message-ID (submission servers add one).",
    reference="RFC 5322 §3.6.4",
)
def no_message_id(facts: Facts) -> Seen | None:
    return None if facts.header.first("message-id") else Seen()


@rule(
    code="header.no-date",
    severity=Severity.NOTICE,
    weight=0.7,
    group="header",
    summary="The message has no Date field, which every message must have.",
    why="Messages made by hand or by simple bulk software lack it; it will be shown at a misleading place.",
    remedy="Let the sending program write a Date field.",
    reference="RFC 5322 §3.6.1",
)
def no_date(facts: Facts) -> Seen | None:
    return None if facts.header.first("date") else Seen()


@rule(
    code="header.nul",
    severity=Severity.DANGER,
    weight=5.0,
    group="header",
    summary="The header section contains a NUL octet, at which many programs stop reading.",
    why="What follows the NUL is seen by some programs only, so it hides fields and parts from filters.",
    remedy="Refuse it; no mail program writes NUL octets.",
    reference="RFC 5322 §4",
)
def nul(facts: Facts) -> Seen | None:
    where = facts.message.raw.find(b"\0", 0, facts.header.end)
    return Seen(evidence={"offset": where}) if where >= 0 else None


@rule(
    code="header.raw-8bit",
    severity=Severity.INFO,
    weight=0.5,
    group="header",
    summary="The header section has characters outside ASCII that are not encoded: {names}.",
    why="Only SMTPUTF8 messages may carry them; programs guess the alphabet and may show different text.",
    remedy="The sending program has to encode them (RFC 2047) or use SMTPUTF8.",
    reference="RFC 5322 §2.2",
)
def raw_8bit(facts: Facts) -> Seen | None:
    if facts.smtputf8 or facts.raw_header.isascii():
        return None
    fields = [f for f in facts.header if not f.raw.isascii()]
    names = list(dict.fromkeys(f.name or "(no field)" for f in fields))[:10]
    valid = all(_is_utf8(f.raw) for f in fields)
    return Seen(evidence={"names": ", ".join(names), "utf8": valid}, weight=None if valid else 1.0)


@rule(
    code="header.malformed",
    severity=Severity.NOTICE,
    weight=1.0,
    group="header",
    summary="The header section is not well formed: {defects}.",
    why="Programs differ in how they read broken sections, and attackers use the differences.",
    remedy="The sending program has to be corrected; look at the raw message.",
    reference="RFC 5322 §2.1",
)
def malformed(facts: Facts) -> Seen | None:
    defects = facts.header.defects
    if not defects:
        return None
    if set(defects) == {"no-empty-line"}:  # a message of nothing but a header section ends without one
        return Seen(evidence={"defects": "no-empty-line"}, severity=Severity.INFO, weight=0.2)
    grave = {"too-large", "too-many-fields"} & set(defects)
    return Seen(evidence={"defects": ", ".join(defects)}, weight=4.0 if grave else None)


@rule(
    code="header.bare-line-ends",
    severity=Severity.WARNING,
    weight=2.0,
    group="header",
    summary="The message mixes line ends: {bare_cr} bare CR and {bare_lf} bare LF beside {crlf} proper ones.",
    why="Servers that disagree on where a line ends can be made to see another message in it (SMTP smuggling).",
    remedy="Servers should refuse it on arrival. A file edited by hand can also look so.",
    reference="RFC 5321 §2.3.8",
)
def bare_line_ends(facts: Facts) -> Seen | None:
    ends: LineEnds = facts.line_ends
    if not ends.mixed:
        return None
    return Seen(evidence={"crlf": ends.crlf, "bare_lf": ends.bare_lf, "bare_cr": ends.bare_cr})


def _repeated(facts: Facts, singletons: frozenset[str]) -> Seen | None:
    if not facts.repeated:
        return None
    twice = {name: count for name, count in facts.repeated.items() if name in singletons}
    return Seen(evidence={"names": ", ".join(twice), "counts": twice}) if twice else None


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
