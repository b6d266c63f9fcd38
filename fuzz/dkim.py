"""Fuzzes DKIM verification: mutated signed messages and key records, never an exception, never a forged pass.

python fuzz/dkim.py --seconds 60
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from harness import main

from gatepost.msgauth.dkim import sign_message, verify
from gatepost.msgauth.dkim.record import parse_key_record
from gatepost.ports import Answer, DnsStatus, Question

NOW = 1_790_000_000.0
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RECORD = b"v=DKIM1; k=ed25519; p=" + b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
HEADER = b"From: Ann <ann@example.com>\r\nTo: bob@example.org\r\nSubject: a\r\n\tb  c\r\n\r\n"
RAW = HEADER + b"Hello  there \r\n\t\r\nBye\r\n\r\n"
SEPARATOR = b"\0record\0"


class Dns:
    """Every key name has the same record."""

    def __init__(self, record: bytes) -> None:
        self.record = record

    async def lookup(self, name: str, rtype: str) -> Answer:
        return Answer(question=Question(name, rtype), status=DnsStatus.OK, records=(self.record,))

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        return tuple([await self.lookup(question.name, question.rtype) for question in questions])


def verified(raw: bytes, record: bytes) -> object:
    coroutine = verify(raw, resolver=Dns(record), now=NOW)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("verification waits for something that is no look-up")


def target(data: bytes) -> None:
    """The first half is a message, what follows the separator a key record."""
    raw, _, record = data.partition(SEPARATOR)
    result = verified(raw, record or RECORD)
    assert result.as_json()["result"] in {"pass", "fail", "none", "neutral", "policy", "temperror", "permerror"}  # type: ignore[attr-defined]
    parse_key_record(data)
    parse_key_record(b"k=rsa; p=" + b64encode(data[:400]))
    parse_key_record(b"k=rsa; p=" + b64encode(mutated_der(data)))


def mutated_der(data: bytes) -> bytes:
    """The RSA key's DER with octets of the input written over it, at a place that the input chooses."""
    at = data[0] % len(PUBLIC) if data else 0
    return PUBLIC[:at] + data[1:4] + PUBLIC[at + len(data[1:4]) :]


def signed(form: str) -> bytes:
    return sign_message(
        RAW, domain="example.com", selector="s", key=KEY, now=NOW, canonicalization=form, expire=9999, body_length=True
    )


CORPUS = [signed(form) for form in ("simple/simple", "relaxed/relaxed", "simple/relaxed")]
# Another RSA key each time: only its form matters, and what is found is printed whole.
PUBLIC = generate_private_key(65537, 1024).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
CORPUS += [b"v=DKIM1; k=rsa; p=" + b64encode(PUBLIC)] * 3
CORPUS += [raw + SEPARATOR + RECORD + b"; t=y:s; s=email; h=sha256; n=notes" for raw in CORPUS] + [RECORD]

if __name__ == "__main__":
    main(target, CORPUS)
