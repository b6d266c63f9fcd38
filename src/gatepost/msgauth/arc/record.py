"""Reads the three fields of an ARC set.

In: raw fields. Out: `Seal`, `Signature` (the same as DKIM's) and the results' body, each with its instance, or a
reason. Total: any octets give one of the two.
Standard: RFC 8617 §4.1 and §4.2.1 (instances from 1 to 50). Not here: what makes a chain of sets (`chain`).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from gatepost.message.header import RawField
from gatepost.msgauth.dkim.domains import to_ascii
from gatepost.msgauth.dkim.signature import Signature, decode_base64, read_algorithm, read_signature
from gatepost.msgauth.taglist import Tags, parse_number, parse_tags, without_whitespace

MAX_INSTANCE = 50  # RFC 8617 §4.2.1

# RFC 8617 §4.1.1: arc-info = instance [CFWS] ";" authserv-id …; comments before or within i= are allowed there.
_RESULTS = re.compile(rb"\s*i\s*=\s*([0-9]{1,2})\s*;")
_COMMENT = re.compile(rb"\([^()\\;]*\)")


class ChainValidation(enum.StrEnum):
    """`cv=` (RFC 8617 §4.1.3)."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a tag's value
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """An ARC-Seal that can be read."""

    field: RawField
    instance: int
    algorithm: str
    signature: bytes
    cv: ChainValidation
    domain: str
    selector: str

    @property
    def key_name(self) -> str:
        """Where the key is published."""
        return f"{self.selector}._domainkey.{self.domain}"


def parse_results_instance(field: RawField) -> tuple[int, bytes] | str:
    """An ARC-Authentication-Results field: its instance and what stands behind it."""
    body = field.body
    match = _RESULTS.match(body)
    if match is None:  # the rare writer of comments
        head, semicolon, rest = body.partition(b";")
        body = _COMMENT.sub(b" ", head[:200]) + semicolon + rest
        match = _RESULTS.match(body)
    instance = _instance(match[1]) if match else None
    if match is None or instance is None:
        return "an ARC-Authentication-Results does not begin with its instance"
    return instance, body[match.end() :]


def parse_message_signature(field: RawField) -> tuple[int, Signature] | str:
    """An ARC-Message-Signature: DKIM's tags, `i=` being the instance, and no `v=` (RFC 8617 §4.1.2)."""
    tags, defect = parse_tags(field.body)
    signature = read_signature(field, tags, defect, arc=True)
    if not isinstance(signature, Signature):
        return f"an ARC-Message-Signature cannot be used: {signature.reason}"
    instance = _instance(tags.get("i", b""))
    if instance is None:
        return "an ARC-Message-Signature has no instance from 1 to 50"
    if "arc-seal" in signature.signed_fields:
        return "an ARC-Message-Signature signs an ARC-Seal"  # RFC 8617 §4.1.2 forbids it
    return instance, signature


def parse_seal(field: RawField) -> Seal | str:
    """An ARC-Seal (RFC 8617 §4.1.3)."""
    tags, defect = parse_tags(field.body)
    defect = defect or _seal_defect(tags)
    if defect:
        return f"an ARC-Seal cannot be used: {defect}"
    instance = _instance(tags["i"])
    if instance is None:
        return "an ARC-Seal has no instance from 1 to 50"
    return Seal(
        field=field,
        instance=instance,
        algorithm=read_algorithm(tags),
        signature=decode_base64(without_whitespace(tags["b"])),
        cv=ChainValidation(tags["cv"].decode("ascii")),
        domain=to_ascii(tags["d"]),
        selector=to_ascii(tags["s"]),
    )


def _seal_defect(tags: Tags) -> str:
    for name in ("i", "a", "b", "cv", "d", "s"):
        if name not in tags:
            return f"the tag {name}= is missing"
    if "h" in tags:
        return "it has h=, which fails the chain"  # RFC 8617 §4.1.3
    if not read_algorithm(tags):
        return "the algorithm of a= is unknown"
    if tags["cv"] not in (b"none", b"pass", b"fail"):
        return "cv= is none of none, pass and fail"
    if not to_ascii(tags["d"]) or not to_ascii(tags["s"]):
        return "d= or s= is no domain name"
    if "t" in tags and parse_number(tags["t"], 12) is None:
        return "t= is no time"
    return ""


def _instance(text: bytes) -> int | None:
    number = parse_number(text, 2)
    return number if number is not None and 1 <= number <= MAX_INSTANCE else None
