"""Validates the ARC chain of a message: collect the sets, look up all keys at once, judge.

In: the message, a resolver, the time. Out: `ArcResult`.
Standard: RFC 8617 §5.2. Not here: making a seal (`seal`), trusting a sealer (`dmarc`, `inspector`).
"""

from __future__ import annotations

from gatepost.message.message import Message
from gatepost.msgauth.arc.chain import ArcSet, Chain, collect_chain
from gatepost.msgauth.arc.result import ArcResult, ArcSetResult, ArcStatus
from gatepost.msgauth.dkim.canonical import relaxed_field, without_signature
from gatepost.msgauth.dkim.content import Content, as_content
from gatepost.msgauth.dkim.lookup import NoKey, lookup_keys
from gatepost.msgauth.dkim.record import KeyRecord
from gatepost.msgauth.dkim.result import DkimStatus
from gatepost.msgauth.dkim.settings import DkimSettings
from gatepost.msgauth.dkim.signature import ALGORITHMS, Signature
from gatepost.msgauth.dkim.verify import check_age, check_hashes, check_key, is_signed_by
from gatepost.ports import Resolver

_NO_CHAIN = ArcResult(result=ArcStatus.NONE)
Keys = dict[str, KeyRecord | NoKey]
_DEFAULTS = DkimSettings()


async def verify(
    raw: bytes | Message | Content, *, resolver: Resolver, now: float, settings: DkimSettings = _DEFAULTS
) -> ArcResult:
    """Validates the chain of `raw`. `now` is in seconds since the epoch. Never raises for what the message or DNS hold.
    RFC 8617 §5.2."""
    content = as_content(raw)
    chain = collect_chain(content.message.header)
    if not chain.highest and not chain.defect:
        return _NO_CHAIN
    if chain.defect:
        return _result(chain, ArcStatus.FAIL, chain.defect)
    names = key_names(chain)
    if len(names) > settings.max_arc_keys:
        return _result(chain, ArcStatus.FAIL, f"the chain needs more than {settings.max_arc_keys} keys")
    keys = await lookup_keys(names, resolver, settings.lookup_timeout)
    return judge(chain, content, keys, now, settings)


def key_names(chain: Chain) -> list[str]:
    """The names of all keys that seals and message signatures need."""
    names = [one.seal.key_name for one in chain.sets] + [one.message_signature.key_name for one in chain.sets]
    return list(dict.fromkeys(names))


def judge(chain: Chain, content: Content, keys: Keys, now: float, settings: DkimSettings) -> ArcResult:
    """RFC 8617 §5.2, steps 4 to 6: the newest message signature, then every seal from the newest down."""
    newest = chain.sets[-1]
    reason, temporary = _check_newest(newest, content, keys, now, settings)
    for one in reversed(chain.sets):
        if reason and not temporary:
            break
        found, late = _check_seal(one, chain, content, keys, settings)
        if found and (not reason or not late):
            reason, temporary = found, late
    if reason:
        return _result(chain, ArcStatus.TEMPERROR if temporary else ArcStatus.FAIL, reason)
    fits = {newest.instance: True}
    for one in reversed(chain.sets[:-1]):
        fits[one.instance] = not _check_signature(one.message_signature, content, keys, settings)[0]
        if not fits[one.instance]:
            break
    return _result(chain, ArcStatus.PASS, "", fits)


def _check_newest(one: ArcSet, content: Content, keys: Keys, now: float, settings: DkimSettings) -> tuple[str, bool]:
    refused = check_age(one.message_signature, now, settings)
    if refused is not None:
        return f"the message signature of instance {one.instance}: {refused.reason}", False
    reason, temporary = _check_signature(one.message_signature, content, keys, settings)
    return (f"the message signature of instance {one.instance}: {reason}" if reason else ""), temporary


def _check_signature(signature: Signature, content: Content, keys: Keys, settings: DkimSettings) -> tuple[str, bool]:
    """Why a message signature does not fit ("" when it does), and whether that may be otherwise later."""
    key = keys[signature.key_name]
    if isinstance(key, NoKey):
        return key.reason, key.temporary
    if signature.algorithm == "rsa-sha1" and not settings.allow_sha1:
        return "rsa-sha1 is no longer a valid algorithm", False
    reason = check_key(signature.algorithm, key, settings)
    if not reason:
        status, reason = check_hashes(signature, content, key)
        reason = "" if status is DkimStatus.PASS else reason
    return reason, False


def _check_seal(one: ArcSet, chain: Chain, content: Content, keys: Keys, settings: DkimSettings) -> tuple[str, bool]:
    """The same for a seal, which is over all sets up to its own (RFC 8617 §5.1.1)."""
    seal, key = one.seal, keys[one.seal.key_name]
    if isinstance(key, NoKey):
        return f"the seal of instance {one.instance}: {key.reason}", key.temporary
    reason = check_key(seal.algorithm, key, settings)
    if seal.algorithm == "rsa-sha1" and not settings.allow_sha1:
        reason = "rsa-sha1 is no longer a valid algorithm"
    if not reason:
        signed = seal_input(chain.sets[: one.instance], content)
        if is_signed_by(key.key, ALGORITHMS[seal.algorithm][1], seal.signature, signed):
            return "", False
        reason = "it does not fit the sets or the key"
    return f"the seal of instance {one.instance}: {reason}", False


def seal_input(sets: tuple[ArcSet, ...], content: Content) -> bytes:
    """What the seal of the last of `sets` signs: all fields in the order of instances, relaxed; its own without `b=`
    and without the line end (RFC 8617 §5.1.1)."""
    parts: list[bytes] = []
    for one in sets:
        parts += [content.relaxed(one.results_field), content.relaxed(one.message_signature.field)]
        parts.append(content.relaxed(one.seal.field))
    own = sets[-1].seal.field
    parts[-1] = relaxed_field(own, without_signature(own.raw))[:-2]
    return b"".join(parts)


def _result(chain: Chain, status: ArcStatus, reason: str, fits: dict[int, bool] | None = None) -> ArcResult:
    fits = fits or {}
    oldest = min((instance for instance, fit in fits.items() if fit), default=0)
    return ArcResult(
        result=status,
        instance=chain.highest,
        sealer=chain.sets[-1].seal.domain if chain.sets else "",
        sets=tuple(_set_result(one, fits.get(one.instance)) for one in chain.sets),
        oldest_pass=0 if oldest == 1 else oldest,
        reason=reason,
    )


def _set_result(one: ArcSet, fits: bool | None) -> ArcSetResult:
    return ArcSetResult(
        instance=one.instance,
        sealer=one.seal.domain,
        selector=one.seal.selector,
        cv=one.seal.cv.value,
        results=one.results,
        signer=one.message_signature.domain,
        message_signature=fits,
    )
