"""MTA-STS: the record that announces a policy, and the policy.

In: TXT records; the octets of a policy file. Out: `StsRecord`, `StsPolicy`, or in one sentence why there is none.
Standard: RFC 8461 §3.1 (record), §3.2 (policy), §4.1 (which hosts a pattern names).
Not here: fetching it (`ports.pages`), keeping and obeying it (`server.delivery`), the checks on it (`audit`).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_POLICY = 64 << 10  # octets; RFC 8461 §3.3 suggests 64 KB
MAX_AGE = 31_557_600  # seconds, a year (RFC 8461 §3.2)
MAX_PATTERNS = 200

# RFC 8461 §3.1: sts-id = 1*32(ALPHA / DIGIT)
_ID = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,10}", re.ASCII)


class StsMode(enum.StrEnum):
    """What a sender does when TLS or the certificate is not as the policy says (RFC 8461 §5)."""

    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class StsRecord:
    """The announcement: a new `id` means a new policy."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StsPolicy:
    """`mx` are patterns in lower case: a name, or "*." and a name. `max_age` is in seconds. `unknown` are keys that are
    ignored."""

    mode: StsMode
    max_age: int
    mx: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def names(self, host: str) -> bool:
        """Whether `host` (A-labels) is one of the policy's."""
        return any(matches_pattern(pattern, host) for pattern in self.mx)


def select_sts_records(texts: Sequence[bytes]) -> list[bytes]:
    """RFC 8461 §3.1: records that do not begin with the version are no concern of ours."""
    return [text for text in texts if re.match(rb"v=STSv1[ \t]*(;|$)", text)]


def parse_sts_record(texts: Sequence[bytes]) -> StsRecord | str | None:
    """The record among the TXT records at `_mta-sts`; None when there is none; a sentence when it cannot be used."""
    found = select_sts_records(texts)
    if not found:
        return None
    if len(found) > 1:  # RFC 8461 §3.1: anything but one is as if there were none
        return f"{len(found)} MTA-STS records stand at the name, and only one is allowed"
    fields: dict[str, str] = {}
    for piece in found[0][:1024].decode("ascii", "replace").split(";"):
        name, equals, value = piece.strip(" \t").partition("=")
        if name and not equals:
            return f"{name[:40]} is no field of a record"
        if name:
            fields.setdefault(name, value)
    if not _ID.fullmatch(fields.get("id", "")):
        return "id= must hold 1 to 32 letters and digits"
    return StsRecord(fields["id"])


def parse_sts_policy(body: bytes) -> StsPolicy | str:
    """RFC 8461 §3.2. Lines end with CRLF or LF; unknown keys are ignored; of a key that stands twice the first counts,
    but for mx. Total: any octets give a policy or a sentence."""
    if len(body) > MAX_POLICY:
        return f"the policy is longer than {MAX_POLICY} octets"
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return "the policy is no text"
    fields: dict[str, str] = {}
    patterns: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip(" \t"):
            continue
        key, colon, value = line.partition(":")
        if not colon:
            return f"the line {line[:40]!r} has no colon"
        key, value = key.strip(" \t"), value.strip(" \t")
        if key == "mx":
            patterns.append(value.lower().removesuffix("."))
        else:
            fields.setdefault(key, value)
    return _policy(fields, patterns)


def _policy(fields: dict[str, str], patterns: list[str]) -> StsPolicy | str:
    if fields.get("version") != "STSv1":
        return "the policy does not say version: STSv1"
    try:
        mode = StsMode(fields.get("mode", ""))
    except ValueError:
        return f"mode must be enforce, testing or none, not {fields.get('mode', '')[:40]!r}"
    age = fields.get("max_age", "")
    if not _DIGITS.fullmatch(age):
        return f"max_age must be a number of seconds, not {age[:40]!r}"
    if len(patterns) > MAX_PATTERNS:
        return f"the policy names more than {MAX_PATTERNS} mail exchangers"
    wrong = next((one for one in patterns if not is_pattern(one)), None)
    if wrong is not None:
        return f"mx: {wrong[:80]!r} is neither a host's name nor *. and a name"
    if not patterns and mode is not StsMode.NONE:
        return "the policy names no mail exchanger (mx)"
    return StsPolicy(
        mode=mode,
        max_age=min(int(age), MAX_AGE),
        mx=tuple(dict.fromkeys(patterns)),
        unknown=tuple(name for name in fields if name not in ("version", "mode", "max_age")),
    )


def is_pattern(text: str) -> bool:
    """RFC 8461 §3.2: a domain name, perhaps with "*" as its leftmost label."""
    labels = text.removeprefix("*.").split(".")
    return len(text) <= 253 and all(_LABEL.fullmatch(label) and len(label) < 64 for label in labels)


def matches_pattern(pattern: str, host: str) -> bool:
    """RFC 8461 §4.1: the wildcard stands for exactly one label."""
    name = host.lower().removesuffix(".")
    return name.partition(".")[2] == pattern[2:] if pattern.startswith("*.") else name == pattern
