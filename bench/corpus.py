"""The mail that the SMTP benchmarks send: signed, of one size, no two alike, with the DNS zone that proves the senders.

In: a folder, a size, a count. Out: message files, a manifest for `load`, lines for a zone file. Kept and used again.
Each message has its own text, attachment, Message-ID, sender and signature; twenty sender domains with a key each.
Run in an environment with requirements-bench.lock (dkimpy signs, so that no contestant meets its own signatures).
"""

from __future__ import annotations

import base64
import random
from pathlib import Path

DOMAINS = tuple(f"sender{number:02}.example" for number in range(20))
SELECTOR = "bench"
RECIPIENT = "user@example.net"
SIGNED = (b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type")
TEXT = (
    "the of and message server account report meeting please invoice quarterly schedule project delivery customer "
    "review attached document update system network security team contract budget regarding confirm available monday"
)
WORDS = TEXT.split()


def make_corpus(folder: Path, size: int, count: int) -> Path:
    """Writes `count` messages of about `size` octets below `folder`, once; returns their manifest."""
    manifest = folder / f"{size}x{count}.manifest"
    if manifest.exists():
        return manifest
    import dkim

    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        domain = DOMAINS[number % len(DOMAINS)]
        sender = f"person{number}@{domain}"
        raw = _message(size, number, sender)
        key = _key(folder, domain)
        relaxed = (b"relaxed", b"relaxed")
        signature = dkim.sign(
            raw, SELECTOR.encode(), domain.encode(), key, canonicalize=relaxed, include_headers=SIGNED
        )
        path = folder / f"{size}-{number:05}.eml"
        path.write_bytes(signature + raw)
        lines.append(f"{path} {sender} {RECIPIENT}\n")
    manifest.write_text("".join(lines))
    return manifest


def zone_lines(folder: Path) -> str:
    """The records of the sender domains, for a zone file with $ORIGIN at the root."""
    lines = []
    for domain in DOMAINS:
        record = f"v=DKIM1; k=rsa; p={_public(_key(folder, domain))}"
        quoted = " ".join(f'"{record[at : at + 200]}"' for at in range(0, len(record), 200))
        lines += [
            f"{domain}. IN A 192.0.2.10",
            f"{domain}. IN MX 10 mail.example.com.",
            f'{domain}. IN TXT "v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/24 -all"',
            f'_dmarc.{domain}. IN TXT "v=DMARC1; p=reject; adkim=r; aspf=r"',
            f"{SELECTOR}._domainkey.{domain}. IN TXT {quoted}",
        ]
    return "\n".join(lines) + "\n"


def _key(folder: Path, domain: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path = folder / f"{domain}.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        key = generate_private_key(65537, 2048)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return path.read_bytes()


def _public(key: bytes) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    public = load_pem_private_key(key, None).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def _text(source: random.Random, size: int) -> str:
    lines: list[str] = []
    while sum(map(len, lines)) < size:
        lines.append(" ".join(source.choice(WORDS) for _ in range(source.randint(7, 11))) + "\r\n")
    return "".join(lines)


def _message(size: int, number: int, sender: str) -> bytes:
    """Text, HTML and an attachment, as mail of ten kilobytes mostly is; larger mail has the larger attachment."""
    source = random.Random(size * 1_000_003 + number)
    text = _text(source, 1800)
    html = "".join(f"<p>{line}</p>\r\n" for line in text.splitlines())
    head = (
        f"Received: from app.internal.example ([192.0.2.77])\r\n\tby mail.example.com with ESMTPS id {number:08X}\r\n"
        f"\tfor <{RECIPIENT}>; Mon, 16 Nov 2026 10:00:00 +0000\r\n"
        f"From: Person {number} <{sender}>\r\nTo: User <{RECIPIENT}>\r\n"
        f"Subject: {source.choice(WORDS)} {source.choice(WORDS)} {number}\r\n"
        "Date: Mon, 16 Nov 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{number}.{source.getrandbits(64):x}@mail.example.com>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\n'
    )
    parts = (
        '--outer\r\nContent-Type: multipart/alternative; boundary="inner"\r\n\r\n'
        f"--inner\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
        "--inner\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        f"<html><body>\r\n{html}</body></html>\r\n--inner--\r\n"
        '--outer\r\nContent-Type: application/pdf; name="report.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        'Content-Disposition: attachment; filename="report.pdf"\r\n\r\n'
    )
    left = max(300, size - len(head) - len(parts) - 900)
    attachment = base64.encodebytes(b"%PDF-1.4\n" + source.randbytes(left * 57 // 78)).decode().replace("\n", "\r\n")
    return (head + parts + attachment + "--outer--\r\n").encode()
