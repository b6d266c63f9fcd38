"""Mails and the steps that hand them in.

In: who writes to whom. Out: octets with CRLF, and `Step`s.
Standard: RFC 5322 (format), RFC 5321 §4.5.2 (dots), RFC 3464 (delivery status), RFC 3030 (BDAT).
Not here: which mails (`lab.scenarios`), signatures (`lab.internet`).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate

from gatepost.lab.scenario import Stage, Step

TEXT = "Hello,\n\nthis mail is part of the lab's tour.\n\nRegards\n"
QUIT = Step(send=b"QUIT\r\n", last_word=True)
GREETING = Step()


def compose(
    stage: Stage,
    sender: str,
    subject: str,
    *,
    text: str = TEXT,
    to: str | None = None,
    extra: Sequence[str] = (),
    top: Sequence[str] = (),
) -> bytes:
    """A mail from `sender` (a From body). `extra` are more fields, `top` such that stand above all others."""
    domain = sender.rpartition("@")[2].rstrip("> ") or "lab.example"
    fields = [
        *top,
        f"From: {sender}",
        f"To: {to or stage.target.recipient}",
        f"Subject: {subject}",
        f"Date: {formatdate(stage.now)}",
        f"Message-ID: <{stage.mark}@{domain}>",
        *([] if any(field.lower().startswith("content-type:") for field in extra) else plain_text()),
        *extra,
    ]
    return ("\n".join(fields) + "\n\n" + text).replace("\n", "\r\n").encode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Something attached. `cid` makes it a picture that the HTML text shows."""

    name: str
    media_type: str
    octets: bytes
    cid: str = ""


def compose_parts(
    stage: Stage,
    sender: str,
    subject: str,
    *,
    text: str = TEXT,
    html: str = "",
    files: Sequence[File] = (),
    extra: Sequence[str] = (),
) -> bytes:
    """A mail of several parts: text, perhaps HTML beside it, perhaps files."""
    texts = [_part("text/plain; charset=utf-8", text.encode())]
    if html:
        texts.append(_part("text/html; charset=utf-8", html.encode()))
    parts = [_multipart("alternative", texts) if html else texts[0]]
    for file in files:
        kind = "inline" if file.cid else "attachment"
        fields = [f'Content-Disposition: {kind}; filename="{file.name}"']
        fields += [f"Content-ID: <{file.cid}>"] if file.cid else []
        parts.append(_part(f'{file.media_type}; name="{file.name}"', file.octets, fields))
    whole = _multipart("mixed", parts) if files else parts[0]
    head, _, body = whole.partition("\n\n")
    return compose(stage, sender, subject, text=body, extra=["MIME-Version: 1.0", *head.split("\n"), *extra])


def _part(media_type: str, octets: bytes, fields: Sequence[str] = ()) -> str:
    head = [f"Content-Type: {media_type}", "Content-Transfer-Encoding: base64", *fields]
    return "\n".join(head) + "\n\n" + base64.encodebytes(octets).decode("ascii")


def _multipart(subtype: str, parts: Sequence[str]) -> str:
    boundary = f"lab-{subtype}"
    body = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"\n\n{body}--{boundary}--\n'


def plain_text() -> list[str]:
    """The MIME fields of a plain mail."""
    return ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]


def open_session(ehlo: str) -> tuple[Step, ...]:
    """The greeting and EHLO."""
    return (GREETING, Step(send=f"EHLO {ehlo}\r\n".encode()))


def envelope(stage: Stage, mail_from: str, *, to: str | None = None, parameters: str = "") -> tuple[Step, ...]:
    """MAIL and RCPT."""
    return (
        Step(send=f"MAIL FROM:<{mail_from}>{parameters}\r\n".encode()),
        Step(send=f"RCPT TO:<{to or stage.target.recipient}>\r\n".encode()),
    )


def data(raw: bytes) -> tuple[Step, ...]:
    """DATA and the mail, dots stuffed."""
    return Step(send=b"DATA\r\n"), Step(send=stuffed(raw) + b".\r\n")


def stuffed(raw: bytes) -> bytes:
    """RFC 5321 §4.5.2; ends with CRLF."""
    raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    raw = raw.replace(b"\r\n.", b"\r\n..")
    return b"." + raw if raw.startswith(b".") else raw


def hand_in(stage: Stage, ehlo: str, mail_from: str, raw: bytes, *, to: str | None = None) -> tuple[Step, ...]:
    """A whole visit for one mail."""
    return (*open_session(ehlo), *envelope(stage, mail_from, to=to), *data(raw), QUIT)


def secure_session(ehlo: str) -> tuple[Step, ...]:
    """The greeting, STARTTLS and EHLO again."""
    hello = Step(send=f"EHLO {ehlo}\r\n".encode())
    return (GREETING, hello, Step(send=b"STARTTLS\r\n", needs="STARTTLS", tls=True), hello)


def chunks(raw: bytes, size: int = 200) -> tuple[Step, ...]:
    """The mail in BDAT chunks (RFC 3030)."""
    parts = [raw[at : at + size] for at in range(0, len(raw), size)]
    steps = [
        Step(send=f"BDAT {len(part)}{' LAST' if part is parts[-1] else ''}\r\n".encode() + part, needs="CHUNKING")
        for part in parts
    ]
    return tuple(steps)


def delivery_status(stage: Stage, reporter: str) -> bytes:
    """A bounce to `stage`'s recipient, as a good server writes it (RFC 3464)."""
    text = "\n".join(
        [
            "--lab",
            "Content-Type: text/plain",
            "",
            "Your mail to bob@bank.example could not be delivered: the mailbox is full.",
            "--lab",
            "Content-Type: message/delivery-status",
            "",
            f"Reporting-MTA: dns; {reporter}",
            "",
            "Final-Recipient: rfc822; bob@bank.example",
            "Action: failed",
            "Status: 5.2.2",
            "",
            "--lab--",
            "",
        ]
    )
    extra = ["MIME-Version: 1.0", 'Content-Type: multipart/report; report-type=delivery-status; boundary="lab"']
    extra.append("Auto-Submitted: auto-replied")
    return compose(stage, f"Mail Delivery <MAILER-DAEMON@{reporter}>", "Undelivered mail", text=text, extra=extra)
