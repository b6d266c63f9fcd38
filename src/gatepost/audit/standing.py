"""How DNS compares with the records that are wanted: what stands, what is missing, what is wrong, what is the owner's.

In: `WantedRecord`s, what stands in DNS by name and type. Out: `Planned`, one for each. What the owner may tune (MX,
SPF, DMARC, report addresses) counts as his own where it stands; what only the gate can know must be as it says.
Standard: RFC 6376 §3.6.1 (tag-lists), RFC 7208 §4.5 (one SPF record), RFC 7671 §8.1 (keys beside each other).
Not here: what is wanted (`records`), asking DNS (`server.records.plan`).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gatepost.audit.records import Kind, Need, WantedRecord, canonical

_SPACE = re.compile(r"\s+")


class Compared(enum.StrEnum):
    """What DNS says of a wanted record."""

    RIGHT = "right"
    MISSING = "missing"
    YOURS = "yours"  # another one of its kind stands there, which is the owner's to choose
    DIFFERS = "differs"  # it is not as it must be
    UNKNOWN = "unknown"  # DNS did not answer: nobody knows
    BY_HAND = "by-hand"  # nobody here knows its value


OWNERS = frozenset((Kind.MX, Kind.SPF, Kind.DMARC, Kind.TLS_RPT, Kind.WEB, Kind.CAA))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What DNS has at a name and type, in canonical form (`canonical`). `known` is False when nobody knows; `hidden`:
    the name has addresses of its own, so that no CNAME may stand there."""

    known: bool = True
    records: tuple[str, ...] = ()
    reason: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """How one wanted record compares. `found` are the records of its kind that stand there; `words` say what it means
    and what to do."""

    wanted: WantedRecord
    compared: Compared
    found: tuple[str, ...] = ()
    words: str = ""
    others: tuple[str, ...] = field(default=())

    @property
    def is_trouble(self) -> bool:
        """Whether somebody has to do something: a MAY never does."""
        return self.compared in (Compared.MISSING, Compared.DIFFERS) and self.wanted.need is not Need.MAY


def compare_records(
    wanted: Sequence[WantedRecord], standing: Mapping[tuple[str, str], Standing]
) -> tuple[Planned, ...]:
    """One answer for each wanted record; `standing` is by name and type."""
    sets: dict[tuple[str, str, Kind], set[str]] = {}
    for record in wanted:
        sets.setdefault((record.name, record.rtype, record.kind), set()).add(canonical(record.rtype, record.rdata))
    return tuple(_compare(one, standing, sets[one.name, one.rtype, one.kind]) for one in wanted)


def _compare(wanted: WantedRecord, standing: Mapping[tuple[str, str], Standing], siblings: set[str]) -> Planned:
    if wanted.kind is Kind.ADDRESS:
        return Planned(wanted=wanted, compared=Compared.BY_HAND, words="fill in the server's address, and its reverse")
    there = standing.get((wanted.name, wanted.rtype), Standing(known=False, reason="DNS was not asked"))
    if not there.known:
        return Planned(wanted=wanted, compared=Compared.UNKNOWN, words=there.reason)
    ours = canonical(wanted.rtype, wanted.rdata)
    found = tuple(text for text in there.records if wanted.is_like(text))
    others = tuple(text for text in there.records if text not in found)
    compared, words = _verdict(wanted, ours, found, there, siblings)
    return Planned(wanted=wanted, compared=compared, found=found, words=words, others=others)


def _verdict(
    wanted: WantedRecord, ours: str, found: tuple[str, ...], there: Standing, siblings: set[str]
) -> tuple[Compared, str]:
    single = wanted.rtype == "TXT"
    if there.hidden:
        return Compared.YOURS, "the name has addresses of its own; see that they lead to the gate"
    if single and len(found) > 1:
        return Compared.DIFFERS, f"{len(found)} records of this kind stand there; receivers then take none: leave one"
    if ours in found or (wanted.kind is Kind.DKIM and found and _tags(found[0]) == _tags(ours)):
        strangers = [] if single else [text for text in found if text not in siblings]
        return Compared.RIGHT, f"stands, beside {', '.join(strangers[:3])}" if strangers else "stands"
    if not found or wanted.kind is Kind.TLSA:  # a key's record stands beside those of others
        return Compared.MISSING, "publish it, and leave what stands" if found else "publish it"
    if wanted.kind is Kind.MX:
        return Compared.YOURS, f"mail does not come to this gate; --overwrite {wanted.kind} would change that"
    if wanted.kind in OWNERS:
        return Compared.YOURS, f"yours stands and is kept; --overwrite {wanted.kind} would replace it"
    return Compared.DIFFERS, "something else stands there"


def _tags(text: str) -> set[str]:
    """A tag-list without its blanks and its order."""
    return {_SPACE.sub("", part) for part in text.split(";") if part.strip()}
