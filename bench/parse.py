"""Reading messages: header section and whole MIME tree, ours against the standard library's two policies.

In: messages made here, each different. Out: a table of microseconds a message and the ratio, best of several rounds
in turn (ours, then theirs, then ours …), so that a busy machine hurts both.

    python bench/parse.py [--rounds 5] [--messages 200]
"""

from __future__ import annotations

import argparse
import base64
import email
import email.policy
import random
import time
from collections.abc import Callable

from gatepost.message.header import parse_header
from gatepost.message.message import Message

HEADER = """Return-Path: <sender{n}@example.org>
Received: from mail.example.org (mail.example.org [192.0.2.{octet}])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
\tby mx.example.com (Postfix) with ESMTPS id ABC{n}
\tfor <user@example.com>; Thu, 5 Nov 2026 10:00:00 +0100 (CET)
Received: by mail.example.org with SMTP id {n}; Thu, 5 Nov 2026 09:59:59 +0000
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org;
\ts=sel; h=from:to:subject:date; bh={hash};
\tb={signature}
From: =?utf-8?q?J=C3=B6rg?= Sender <sender{n}@example.org>
To: "User, The" <user@example.com>, other{n}@example.net
Cc: a@example.net, b@example.net
Reply-To: sender{n}@example.org
Subject: =?utf-8?b?R3LDvMOfZQ==?= and a number {n}
Date: Thu, 5 Nov 2026 10:00:00 +0100
Message-ID: <{n}.{octet}@example.org>
MIME-Version: 1.0
List-Id: A list <list.example.org>
X-Mailer: example {n}
"""


def message(n: int, rng: random.Random) -> bytes:
    """A multipart message of about 10 KB with text, HTML and an attachment."""
    header = HEADER.format(
        n=n,
        octet=n % 250,
        hash=base64.b64encode(rng.randbytes(32)).decode(),
        signature=base64.b64encode(rng.randbytes(256)).decode(),
    )
    words = [f"word{rng.randrange(10_000)} gr=C3=BC=C3=9Fe" for _ in range(120)]
    html = "".join(f"<p>{word}</p>\n" for word in words)
    attachment = base64.encodebytes(rng.randbytes(2600)).decode()
    body = (
        f"Content-Type: multipart/mixed; boundary=outer{n}\n\n--outer{n}\n"
        f'Content-Type: multipart/alternative; boundary="inner{n}"\n\n--inner{n}\n'
        "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
        + "\n".join(words)
        + f"\n--inner{n}\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
        + html
        + f"\n--inner{n}--\n--outer{n}\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n"
        f"Content-Disposition: attachment; filename=a{n}.pdf\n\n" + attachment + f"--outer{n}--\n"
    )
    return (header + body).replace("\n", "\r\n").encode()


def decode_ours(raw: bytes) -> object:
    """Every leaf's text or octets."""
    parts = [part for part in Message(raw).tree.walk() if not part.children]
    return [part.text if part.content_type.maintype == "text" else part.decoded.octets for part in parts]


def decode_compat(raw: bytes) -> object:
    """The same with compat32."""
    return [part.get_payload(decode=True) for part in email.message_from_bytes(raw).walk() if not part.is_multipart()]


def decode_default(raw: bytes) -> object:
    """The same with the modern policy."""
    parts = email.message_from_bytes(raw, policy=email.policy.default).walk()
    return [part.get_content() for part in parts if not part.is_multipart()]  # type: ignore[attr-defined]


def addresses_default(raw: bytes) -> object:
    """From, To and Cc with the modern policy."""
    read = email.message_from_bytes(raw, policy=email.policy.default)
    return [read[name].addresses for name in ("from", "to", "cc")]


def addresses_ours(raw: bytes) -> object:
    """From, To and Cc, read by us."""
    from gatepost.message.addresses import parse_addresses

    header = parse_header(raw)
    return [parse_addresses(header.text(name)).mailboxes for name in ("from", "to", "cc")]


JOBS: tuple[tuple[str, str, Callable[[bytes], object]], ...] = (
    ("header section", "gatepost", parse_header),
    ("header section", "compat32", lambda raw: email.message_from_bytes(raw[: raw.index(b"\r\n\r\n") + 4])),
    ("header + MIME tree", "gatepost", lambda raw: Message(raw).tree),
    ("header + MIME tree", "compat32", lambda raw: email.message_from_bytes(raw)),
    ("header + MIME tree", "default", lambda raw: email.message_from_bytes(raw, policy=email.policy.default)),
    ("all bodies decoded", "gatepost", decode_ours),
    ("all bodies decoded", "compat32", decode_compat),
    ("all bodies decoded", "default", decode_default),
    ("From, To, Cc", "gatepost", addresses_ours),
    ("From, To, Cc", "default", addresses_default),
)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Reading messages against the standard library.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--messages", type=int, default=200)
    options = parser.parse_args()
    rng = random.Random(1)
    messages = [message(n, rng) for n in range(options.messages)]
    best = dict.fromkeys(range(len(JOBS)), float("inf"))
    for _ in range(options.rounds):
        for index, (_, _, job) in enumerate(JOBS):
            started = time.process_time()
            for raw in messages:
                job(raw)
            best[index] = min(best[index], (time.process_time() - started) / len(messages) * 1e6)
    size = sum(map(len, messages)) // len(messages)
    print(f"{len(messages)} messages of {size} octets, {len(parse_header(messages[0]))} fields, CPU time a message\n")
    print("| what | who | µs | ours is faster by |\n|---|---|---:|---:|")
    for index, (what, who, _) in enumerate(JOBS):
        ours = next(best[i] for i, job in enumerate(JOBS) if job[0] == what and job[1] == "gatepost")
        ratio = "" if who == "gatepost" else f"{best[index] / ours:.1f}"
        print(f"| {what} | {who} | {best[index]:.1f} | {ratio} |")


if __name__ == "__main__":
    main()
