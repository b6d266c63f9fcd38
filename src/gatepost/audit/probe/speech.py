"""The words that visits are made of: greetings, commands, mails, in steps.

In: little. Out: `Step`s whose octets hold words in braces (see `Aim.words`).
Standard: RFC 5321 §4.1.1, RFC 9051 §6, RFC 1939, RFC 5322 (the mails). Not here: what follows from the answers.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace

from gatepost.audit.probe.aim import Aim
from gatepost.ports.prober import Spoken
from gatepost.ports.visitor import Step

GREETING = Step()
EHLO = Step(send=b"EHLO {ehlo}\r\n")
STARTTLS = Step(send=b"STARTTLS\r\n", needs="STARTTLS", tls=True)
MAIL = Step(send=b"MAIL FROM:<{sender}>\r\n")
RCPT = Step(send=b"RCPT TO:<{recipient}>\r\n")
DATA = Step(send=b"DATA\r\n")
RSET = Step(send=b"RSET\r\n")
QUIT = Step(send=b"QUIT\r\n", last_word=True)
CAPABILITY = Step(send=b"c CAPABILITY\r\n")
IMAP_STARTTLS = Step(send=b"s STARTTLS\r\n", needs="STARTTLS", tls=True)
CAPA = Step(send=b"CAPA\r\n", several=True, refusals=True)
STLS = Step(send=b"STLS\r\n", needs="STLS", tls=True)
LOGOUT = Step(send=b"z LOGOUT\r\n", last_word=True)

TEXT = "Hello,\r\n\r\nthis mail was sent by gatepost probe to see what the server makes of it.\r\n"


def ask(step: Step) -> Step:
    """The same step as the visit's question."""
    return replace(step, question=True)


def session(aim: Aim, *, secure: bool | None = None) -> tuple[Step, ...]:
    """How a session of this protocol begins. `secure`: with STARTTLS; where not said, only where a login needs it."""
    wants_tls = aim.starttls and (aim.logs_in if secure is None else secure)
    if aim.target.spoken is Spoken.IMAP:
        return (GREETING, CAPABILITY, *((IMAP_STARTTLS, CAPABILITY) if wants_tls else ()))
    if aim.target.spoken is Spoken.POP3:
        return (GREETING, CAPA, *((STLS, CAPA) if wants_tls else ()))
    opened = (GREETING, EHLO, *((STARTTLS, EHLO) if wants_tls else ()))
    return (*opened, plain_login(aim.account, aim.password)) if aim.logs_in else opened


def plain_login(account: str, password: str) -> Step:
    """AUTH PLAIN in one line (RFC 4616, RFC 4954 §4)."""
    answer = base64.b64encode(f"\0{account}\0{password}".encode())
    return Step(send=b"AUTH PLAIN " + answer + b"\r\n", secret=True)


def goodbye(aim: Aim) -> Step:
    """The end of a session."""
    return LOGOUT if aim.target.spoken is Spoken.IMAP else QUIT


def mail(subject: str, *, author: str = "Probe <{author}>", text: str = TEXT, fields: Sequence[str] = ()) -> bytes:
    """A mail to the recipient, with CRLF. A field of the usual ones is left out where `fields` has it."""
    own = {field.partition(":")[0].lower() for field in fields}
    usual = [
        f"From: {author}",
        "To: {recipient}",
        f"Subject: {subject}",
        "Date: {date}",
        "Message-ID: <{mark}@{ehlo}>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    ]
    kept = [field for field in usual if field.partition(":")[0].lower() not in own]
    return ("\r\n".join([*kept, *fields]) + "\r\n\r\n").encode() + text.encode()


def content(raw: bytes, **options: float) -> Step:
    """The content after 354, dots stuffed, with its end (RFC 5321 §4.5.2)."""
    raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    return Step(send=stuffed + b".\r\n", **options)  # type: ignore[arg-type]


def hand_in(raw: bytes, **options: float) -> tuple[Step, ...]:
    """The envelope and a mail; the answer to the mail is the question."""
    return (MAIL, RCPT, DATA, ask(content(raw, **options)))
