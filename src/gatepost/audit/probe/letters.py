"""Mails of several parts for the probe, as programs write them.

In: texts and files. Out: octets with CRLF and words in braces (see `Aim.words`).
Standard: RFC 2045 and RFC 2046 (parts), RFC 2183 (file names), RFC 5322. Nothing in them does anything.
Not here: which mails (`scenarios.letters`), plain ones (`speech`).
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.audit.probe.speech import mail

# Test strings in two halves, so that no scanner takes this source for what it tests.
TEST_VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
TEST_SPAM = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-" + "STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(44) + b"\x40\x00\x00\x00PE\x00\x00"
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Something attached."""

    name: str
    media_type: str
    octets: bytes


def archive(name: str, octets: bytes) -> bytes:
    """A zip archive with one file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr(zipfile.ZipInfo(name), octets)
    return made.getvalue()


def letter(
    subject: str,
    text: str,
    *,
    author: str = "Probe <{author}>",
    html: str = "",
    files: Sequence[File] = (),
    fields: Sequence[str] = (),
) -> bytes:
    """A mail with a text, perhaps HTML beside it, perhaps files."""
    parts = [_text("plain", text)]
    if html:
        parts = [_multipart("alternative", [*parts, _text("html", html)])]
    parts += [_file(file) for file in files]
    whole = _multipart("mixed", parts) if files else parts[0]
    head, _, body = whole.partition("\r\n\r\n")
    return mail(subject, author=author, text=body, fields=[*head.split("\r\n"), *fields])


def _text(subtype: str, text: str) -> str:
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return head + _quoted_printable(text)


def _quoted_printable(text: str) -> str:
    """RFC 2045 §6.7; braces stay, since words are put in later."""
    lines = []
    for line in text.splitlines():
        written = ""
        for octet in line.encode():
            piece = chr(octet) if 32 <= octet < 127 and octet != 61 else f"={octet:02X}"
            if len(written) + len(piece) > 72:
                lines.append(written + "=")
                written = ""
            written += piece
        lines.append(written[:-1] + "=20" if written.endswith(" ") else written)
    return "\r\n".join(lines) + "\r\n"


def _file(file: File) -> str:
    head = [
        f'Content-Type: {file.media_type}; name="{file.name}"',
        f'Content-Disposition: attachment; filename="{file.name}"',
        "Content-Transfer-Encoding: base64",
    ]
    return "\r\n".join(head) + "\r\n\r\n" + base64.encodebytes(file.octets).decode().replace("\n", "\r\n")


def _multipart(subtype: str, parts: Sequence[str]) -> str:
    boundary = f"=_gatepost-probe-{subtype}"
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n{body}--{boundary}--\r\n'
