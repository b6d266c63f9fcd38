"""Rules on the marks that the sending program leaves: Message-IDs, forged names of programs, mass mailers.

In: `Facts`. Out: `Seen`. Each stands in honest mail too and weighs little; the group `shape` is capped below `tag_at`.
Standard: RFC 5322 §3.6.4 (Message-ID); practice of those who have watched bulk mailers for twenty years.
Not here: the other fields (`shape_header`), the body (`shape_body`, `shape_parts`).
"""

from __future__ import annotations

import re

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.shape_header import LIST_FIELDS

_MESSAGE_ID = re.compile(r"<[^<>@\s]{1,250}@[^<>@\s]{1,250}>")
# What these programs write, and nothing else: their Message-IDs' form, and a field that they never leave out.
_OUTLOOK_ID = re.compile(
    r"<[0-9a-f]{12}\$[0-9a-f]{8}\$[0-9a-f]{4,12}@|<[A-Z0-9]{20,}|<[0-9A-F]{32}@|<\w{5,}@phx\.gbl>|<BLU|<[A-Z]{2,6}\d",
    re.IGNORECASE,
)
_EUDORA_ID = re.compile(r"<(?:[a-z]?\d+(?:\.\d+){2,}|v0|a0|p0|f0|l0|\w*\d{8,})[\w.$%-]*@", re.IGNORECASE)
_BULK_PROGRAMS = re.compile(
    r"group ?mail|mass ?(?:sender|mail)|bulk|e-?merge|mach ?10|broadcast|diffondi|stealth|floodgate|extractor|avalanche"
    r"|advanced direct|crosscast|netmailer|worldmerge|aristotle|lencom|send-?safe|dynamic ?mail|jixing|mailking"
    r"|powerserv|gammadyne|rsp mass|dm mailer|dmailer|^version \d\.\d+$|^\W*$",
    re.IGNORECASE,
)


@rule(
    code="shape.message-id",
    severity=Severity.NOTICE,
    weight=0.8,
    group="shape",
    summary="The Message-ID is not of the form that programs write: {text}.",
    why="Bulk software is careless with what no reader sees.",
    remedy="The sending program has to be corrected.",
    reference="RFC 5322 §3.6.4",
)
def message_id(facts: Facts) -> Seen | None:
    field = facts.header.first("message-id")
    if field is None:
        return None
    text = field.text.strip()[:300]
    if _MESSAGE_ID.fullmatch(text):
        return None
    return Seen(evidence={"text": "".join(c for c in text[:80] if c.isprintable()) or "(empty)"})


@rule(
    code="shape.program-forged",
    severity=Severity.NOTICE,
    weight=2.3,
    group="shape",
    summary="It says that {program} wrote it, and lacks what that program writes: {missing}.",
    why="Bulk software borrows the names of well-known programs to look like a person's mail.",
    remedy="None is needed; a program in between that rewrites fields can make it look so.",
    reference="practice: forged mail programs",
)
def program_forged(facts: Facts) -> Seen | None:
    header = facts.header
    mailer = header.text("x-mailer")[:200].strip().lower()
    if not mailer or any(header.first(name) for name in LIST_FIELDS):
        return None
    ident = header.text("message-id")[:300].strip()
    missing = ""
    if "outlook express" in mailer:
        if header.first("x-mimeole") is None:
            missing = "X-MimeOLE"
        elif ident and not _OUTLOOK_ID.match(ident):
            missing = "its Message-ID"
    elif mailer.startswith("microsoft outlook") and ("build" in mailer or "imo" in mailer):
        missing = "its Message-ID" if ident and not _OUTLOOK_ID.match(ident) else ""
    elif mailer.startswith(("qualcomm", "eudora")):
        missing = "its Message-ID" if ident and not _EUDORA_ID.match(ident) else ""
    elif mailer.startswith("mozilla"):
        missing = "X-Accept-Language" if header.first("x-accept-language") is None and "[en]" not in mailer else ""
    return Seen(evidence={"program": mailer[:60], "missing": missing}) if missing else None


@rule(
    code="shape.bulk-program",
    severity=Severity.NOTICE,
    weight=1.5,
    group="shape",
    summary="A program for mass mailings wrote it: {program}.",
    why="Such programs were made for bought lists; those of honest mailings carry the fields of a list.",
    remedy="None is needed; it weighs only beside other signs.",
    reference="practice: unasked advertising",
)
def bulk_program(facts: Facts) -> Seen | None:
    mailer = facts.header.text("x-mailer")[:200].strip()
    if not mailer or any(facts.header.first(name) for name in LIST_FIELDS):
        return None
    return Seen(evidence={"program": mailer[:60]}) if _BULK_PROGRAMS.search(mailer) else None
