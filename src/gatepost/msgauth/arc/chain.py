"""Puts the ARC fields of a message together to a chain of sets.

In: a header. Out: `Chain`, lowest instance first, with the defect that makes it fail before any key is asked for.
Standard: RFC 8617 §4.2 and §5.2, steps 1 to 3. Not here: signatures (`verify`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from gatepost.message.header import Header, RawField
from gatepost.msgauth.arc.record import (
    MAX_INSTANCE,
    ChainValidation,
    Seal,
    parse_message_signature,
    parse_results_instance,
    parse_seal,
)
from gatepost.msgauth.dkim.signature import Signature

T = TypeVar("T")

RESULTS, MESSAGE_SIGNATURE, SEAL = "arc-authentication-results", "arc-message-signature", "arc-seal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcSet:
    """The three fields of one instance; `results` is the body behind `i=…;`."""

    instance: int
    results_field: RawField
    results: bytes
    message_signature: Signature
    seal: Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """All sets, lowest instance first. `highest` is the highest instance that any field names, whole set or not.
    `defect` says in words why the chain fails as it stands, `sealed_as_failed` that its last sealer said so."""

    sets: tuple[ArcSet, ...] = ()
    highest: int = 0
    defect: str = ""
    sealed_as_failed: bool = False


@dataclass(slots=True)
class _Parts:
    results: dict[int, tuple[RawField, bytes]]
    signatures: dict[int, Signature]
    seals: dict[int, Seal]
    defect: str = ""

    @property
    def instances(self) -> set[int]:
        return {*self.results, *self.signatures, *self.seals}


def collect_chain(header: Header) -> Chain:
    """The chain of a message; empty, without a defect, when no ARC field is there. Total."""
    if not any(header.all(name) for name in (RESULTS, MESSAGE_SIGNATURE, SEAL)):
        return Chain()
    parts = _collect(header)
    highest = max(parts.instances, default=0)
    last = parts.seals.get(highest)
    failed = last is not None and last.cv is ChainValidation.FAIL
    defect = parts.defect or _gap(parts, highest)
    if failed:
        defect = "the last sealer found the chain broken"  # RFC 8617 §5.2, step 2: nothing more to be said
    if defect:
        return Chain(highest=highest, defect=defect, sealed_as_failed=failed)
    sets = tuple(
        ArcSet(
            instance=instance,
            results_field=parts.results[instance][0],
            results=parts.results[instance][1],
            message_signature=parts.signatures[instance],
            seal=parts.seals[instance],
        )
        for instance in range(1, highest + 1)
    )
    return Chain(sets=sets, highest=highest, defect=_wrong_cv(sets))


def _collect(header: Header) -> _Parts:
    """Every field, by instance; what cannot be read or stands twice is the defect (RFC 8617 §5.2, step 3)."""
    parts = _Parts({}, {}, {})
    if max(len(header.all(name)) for name in (RESULTS, MESSAGE_SIGNATURE, SEAL)) > MAX_INSTANCE:
        parts.defect = "there are more than 50 ARC sets"
        return parts
    for field in header.all(RESULTS):
        found = parse_results_instance(field)
        if isinstance(found, str):
            parts.defect = parts.defect or found
        else:
            _put(parts, parts.results, found[0], (field, found[1]))
    for field in header.all(MESSAGE_SIGNATURE):
        read = parse_message_signature(field)
        if isinstance(read, str):
            parts.defect = parts.defect or read
        else:
            _put(parts, parts.signatures, read[0], read[1])
    for field in header.all(SEAL):
        seal = parse_seal(field)
        if isinstance(seal, str):
            parts.defect = parts.defect or seal
        else:
            _put(parts, parts.seals, seal.instance, seal)
    return parts


def _put(parts: _Parts, place: dict[int, T], instance: int, value: T) -> None:
    if instance in place:
        parts.defect = parts.defect or f"an ARC field of instance {instance} stands twice"
    else:
        place[instance] = value


def _gap(parts: _Parts, highest: int) -> str:
    whole = set(range(1, highest + 1))
    if not (parts.results.keys() == parts.signatures.keys() == parts.seals.keys() == whole):
        return "the ARC sets are not complete"
    return ""


def _wrong_cv(sets: tuple[ArcSet, ...]) -> str:
    """RFC 8617 §5.2, step 3: the first seal says none, all others pass."""
    for one in sets:
        wanted = ChainValidation.NONE if one.instance == 1 else ChainValidation.PASS
        if one.seal.cv is not wanted:
            return f"the seal of instance {one.instance} says cv={one.seal.cv.value}"
    return ""
