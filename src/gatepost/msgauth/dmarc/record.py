"""DMARC policy records, read into values. Parsing asks nothing of DNS.

In: the octets of a TXT record at `_dmarc.`. Out: `DmarcRecord`, or None for what is none.
Standard: RFC 9989 §4.7 (tags), §4.8 (grammar), Appendix C (what is gone). Not here: the walk (`lookup`).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TypeVar

from gatepost.msgauth.generations import Generations

MAX_RECORD = 8192  # octets; long lists of report addresses reach 1 KB
MAX_TAGS = 64
MAX_URIS = 32

# RFC 9989 §4.8: dmarc-version = "v" equals %s"DMARC1"; equals = *WSP "=" *WSP; dmarc-sep = *WSP ";" *WSP
_VERSION = re.compile(rb"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
# RFC 9989 §4.8: dmarc-tag = 1*ALPHA equals 1*dmarc-value
_TAG_NAME = re.compile(r"[a-z]{1,32}", re.ASCII)
_REPORT_URI = re.compile(r"[a-z][a-z0-9+.\-]*:[^\s,!]+", re.ASCII | re.IGNORECASE)
_REMOVED = frozenset(("pct", "rf", "ri"))  # RFC 9989 Appendix C: historic


class DmarcPolicy(enum.StrEnum):
    """What the domain's owner asks for mail that fails (RFC 9989 §4.7, p), mildest first."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def rank(self) -> int:
        """0 for none to 2 for reject."""
        return _RANK[self]

    @property
    def one_step_milder(self) -> DmarcPolicy:
        """What test mode makes of it (RFC 9989 §4.7, t)."""
        return DmarcPolicy.QUARANTINE if self is DmarcPolicy.REJECT else DmarcPolicy.NONE


_RANK = {policy: index for index, policy in enumerate(DmarcPolicy)}


class AlignmentMode(enum.StrEnum):
    """RFC 9989 §4.7, adkim and aspf."""

    RELAXED = "r"
    STRICT = "s"


class Psd(enum.StrEnum):
    """RFC 9989 §4.7, psd: a public suffix, an organizational domain, or not said."""

    YES = "y"
    NO = "n"
    UNKNOWN = "u"


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRecord:
    """A policy record. `p` is None when the tag is missing; `unusable` names those of p, sp and np whose value is none
    of the three. `removed` holds pct, rf and ri as written; they are not obeyed. `unknown` are names of tags that are
    ignored. `notes` says in plain words what is odd. `text` is the record as it stands in DNS."""

    text: str
    p: DmarcPolicy | None = None
    sp: DmarcPolicy | None = None
    np: DmarcPolicy | None = None
    adkim: AlignmentMode = AlignmentMode.RELAXED
    aspf: AlignmentMode = AlignmentMode.RELAXED
    psd: Psd = Psd.UNKNOWN
    t: bool = False
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    fo: tuple[str, ...] = ("0",)
    unusable: tuple[str, ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def for_subdomains(self) -> DmarcPolicy | None:
        """What holds for subdomains that exist: sp, else p."""
        return self.sp if self.sp is not None else self.p

    @property
    def for_missing_subdomains(self) -> DmarcPolicy | None:
        """What holds for subdomains that do not exist: np, else sp, else p."""
        return self.np if self.np is not None else self.for_subdomains


_parsed: Generations[bytes, DmarcRecord] = Generations(1 << 19)


def is_policy_record(raw: bytes) -> bool:
    """Whether `raw` starts with the version tag (RFC 9989 §4.10 steps 2 and 6); anything else is discarded."""
    return _VERSION.match(raw) is not None


def parse_record(raw: bytes) -> DmarcRecord | None:
    """Reads a record; None when it does not start with `v=DMARC1`. Total; lately read ones come from a cache.

    Tags may stand in any order after v, unknown ones are ignored, and a value that cannot be read leaves the default
    (RFC 9989 §4.7). Of a tag that stands twice the first counts.
    """
    record = _parsed.get(raw)
    if record is None:
        if not is_policy_record(raw):
            return None
        record = _parse(raw)
        _parsed.put(raw, record, len(raw))
    return record


def _parse(raw: bytes) -> DmarcRecord:
    text = raw[:MAX_RECORD].decode("utf-8", "replace")
    notes = [f"the record is longer than {MAX_RECORD} octets; the rest is not read"] if len(raw) > MAX_RECORD else []
    tags = _split(text, notes)
    policies = {name: _policy(tags, name) for name in ("p", "sp", "np")}
    unusable = tuple(name for name, policy in policies.items() if policy is None and name in tags)
    notes += [f"{name}={tags[name][:40]} is none of none, quarantine and reject" for name in unusable]
    removed = tuple((name, tags[name]) for name in sorted(_REMOVED & tags.keys()))
    notes += [f"{name} is no longer part of DMARC and is not obeyed" for name, _ in removed]
    return DmarcRecord(
        text=text,
        p=policies["p"],
        sp=policies["sp"],
        np=policies["np"],
        adkim=_choice(tags, "adkim", AlignmentMode.RELAXED, notes),
        aspf=_choice(tags, "aspf", AlignmentMode.RELAXED, notes),
        psd=_choice(tags, "psd", Psd.UNKNOWN, notes),
        t=_is_yes(tags, notes),
        rua=_uris(tags, "rua", notes),
        ruf=_uris(tags, "ruf", notes),
        fo=_failure_options(tags, notes),
        unusable=unusable,
        removed=removed,
        unknown=tuple(name for name in tags if name not in _KNOWN and name not in _REMOVED),
        notes=tuple(notes),
    )


_KNOWN = frozenset(("v", "p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo"))


def _split(text: str, notes: list[str]) -> dict[str, str]:
    """The tags by lower-case name. What is no tag is left out and noted."""
    tags: dict[str, str] = {}
    pieces = text.split(";", MAX_TAGS)
    if len(pieces) > MAX_TAGS:
        notes.append(f"the record has more than {MAX_TAGS} tags; the rest is not read")
        pieces.pop()
    for piece in pieces:
        name, equals, value = piece.partition("=")
        key, value = name.strip(" \t").lower(), value.strip(" \t")
        if not equals or not value or _TAG_NAME.fullmatch(key) is None:
            if piece.strip(" \t"):
                notes.append(f"{piece.strip()[:40]} is no tag")
        elif key in tags:
            notes.append(f"{key} stands twice; the first counts")
        else:
            tags[key] = value
    return tags


def _policy(tags: dict[str, str], name: str) -> DmarcPolicy | None:
    try:
        return DmarcPolicy(tags.get(name, "").lower())
    except ValueError:
        return None


Choice = TypeVar("Choice", AlignmentMode, Psd)


def _choice(tags: dict[str, str], name: str, default: Choice, notes: list[str]) -> Choice:
    value = tags.get(name, default.value)
    try:
        return type(default)(value.lower())
    except ValueError:
        notes.append(f"{name}={value[:40]} cannot be read; {default.value} holds")
        return default


def _is_yes(tags: dict[str, str], notes: list[str]) -> bool:
    value = tags.get("t", "n").lower()
    if value not in ("y", "n"):
        notes.append(f"t={value[:40]} cannot be read; n holds")
    return value == "y"


def _uris(tags: dict[str, str], name: str, notes: list[str]) -> tuple[str, ...]:
    """Report addresses. The `!10m` that older records end in was a size limit and is cut off (RFC 9989 Appendix C)."""
    found = []
    for item in tags.get(name, "").split(",", MAX_URIS)[:MAX_URIS]:
        uri, mark, _ = item.strip(" \t").partition("!")
        if mark:
            notes.append(f"the size limit in {name} is no longer part of DMARC")
        scheme, _, rest = uri.partition(":")
        if _REPORT_URI.fullmatch(uri) is None or (scheme.lower() == "mailto" and "@" not in rest):
            if uri:
                notes.append(f"{name} names {uri[:60]}, which is no report address")
            continue
        found.append(uri)
    return tuple(found)


def _failure_options(tags: dict[str, str], notes: list[str]) -> tuple[str, ...]:
    """fo, a colon-separated list of 0, 1, d and s; without ruf it means nothing (RFC 9989 §4.7)."""
    if "fo" not in tags or "ruf" not in tags:
        return ("0",)
    options = [option.strip(" \t").lower() for option in tags["fo"].split(":", 8)]
    known = tuple(dict.fromkeys(option for option in options if option in ("0", "1", "d", "s")))
    if len(known) != len(options):
        notes.append(f"fo={tags['fo'][:40]} cannot be read whole")
    return known or ("0",)
