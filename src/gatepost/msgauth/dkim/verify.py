"""Verifies the DKIM signatures of a message: parse, look up all keys at once, judge.

In: the message, a resolver, the time. Out: `DkimResult` with one `SignatureResult` a field, top to bottom.
Standard: RFC 6376 §6.1; RFC 8301 §3 (no SHA-1, no short keys), RFC 8463 (Ed25519), RFC 8601 §2.7.1 (result words).
Not here: alignment with the author's domain (`dmarc`), what is done with the result (`inspector`).
"""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from gatepost.message.message import Message
from gatepost.msgauth.dkim.content import Content, as_content
from gatepost.msgauth.dkim.lookup import NoKey, lookup_keys
from gatepost.msgauth.dkim.record import KeyRecord, PublicKey
from gatepost.msgauth.dkim.result import DkimResult, DkimStatus, SignatureResult, summarize
from gatepost.msgauth.dkim.settings import DkimSettings
from gatepost.msgauth.dkim.signature import ALGORITHMS, Signature, Unreadable, parse_signature
from gatepost.ports import Resolver

# Fields that a reader sees or a program obeys; one more of them above the signed one changes the message.
SHOWN_FIELDS = ("from", "subject", "to", "date", "reply-to", "sender", "content-type", "mime-version")

MAX_REPORTED = 50  # signature fields that appear in the result at all

_PADDING = PKCS1v15()
_HASHES: dict[str, SHA256 | SHA1] = {"sha256": SHA256(), "sha1": SHA1()}  # noqa: S303 - off unless a setting asks
_DEFAULTS = DkimSettings()


async def verify(
    raw: bytes | Message | Content, *, resolver: Resolver, now: float, settings: DkimSettings = _DEFAULTS
) -> DkimResult:
    """Verifies every DKIM-Signature of `raw`, up to `settings.max_signatures` of them.

    `now` is in seconds since the epoch. Never raises for what the message or DNS hold. A message whose header
    has LF line ends is taken for a saved file and read with CRLF. RFC 6376 §6.1.
    """
    content = as_content(raw)
    fields = content.message.header.all("dkim-signature")
    if not fields:
        return DkimResult(result=DkimStatus.NONE)
    signatures = [_precheck(content.signature(field), now, settings) for field in fields[: settings.max_signatures]]
    names = [one.key_name for one in signatures if isinstance(one, Signature)]
    keys = await lookup_keys(names, resolver, settings.lookup_timeout) if names else {}
    results = [judge(one, content, keys, settings) if isinstance(one, Signature) else one for one in signatures]
    if len(fields) > settings.max_signatures:
        results += [_unverified(parse_signature(field)) for field in fields[settings.max_signatures : MAX_REPORTED]]
    return summarize(tuple(results))


def _precheck(signature: Signature | Unreadable, now: float, settings: DkimSettings) -> Signature | SignatureResult:
    """The signature, or its result if something is against it before its key is known (RFC 6376 §6.1.1)."""
    if isinstance(signature, Unreadable):
        return SignatureResult(
            result=DkimStatus.NEUTRAL if signature.syntax else DkimStatus.PERMERROR,
            reason=signature.reason,
            domain=signature.domain,
            selector=signature.selector,
            algorithm=signature.algorithm,
        )
    if "from" not in signature.signed_fields:
        return _result(signature, DkimStatus.PERMERROR, "the From field is not signed")
    return check_age(signature, now, settings) or signature


def check_age(signature: Signature, now: float, settings: DkimSettings) -> SignatureResult | None:
    """Algorithm and times, which DKIM and ARC judge alike."""
    if signature.algorithm == "rsa-sha1" and not settings.allow_sha1:
        return _result(signature, DkimStatus.PERMERROR, "rsa-sha1 is no longer a valid algorithm (RFC 8301)")
    if signature.signed_at is not None and signature.signed_at > now + settings.clock_skew:
        return _result(signature, DkimStatus.PERMERROR, "the signature says it was made in the future")
    if signature.expires_at is not None and now > signature.expires_at + settings.clock_skew:
        return _result(signature, DkimStatus.PERMERROR, "the signature has expired", expired=True)
    return None


def judge(
    signature: Signature, content: Content, keys: dict[str, KeyRecord | NoKey], settings: DkimSettings
) -> SignatureResult:
    """The result of one signature, its key at hand."""
    key = keys[signature.key_name]
    if isinstance(key, NoKey):
        return _result(signature, DkimStatus.TEMPERROR if key.temporary else DkimStatus.PERMERROR, key.reason)
    status, reason = DkimStatus.PERMERROR, check_key(signature.algorithm, key, settings)
    reason = reason or check_identity(signature, key)
    if not reason:
        status, reason = check_hashes(signature, content, key)
    unsigned: tuple[str, ...] = ()
    if status is DkimStatus.PASS:
        unsigned = unsigned_fields(signature, content.message)
        status, reason = _acceptable(signature, content, unsigned, settings)
    return _result(
        signature,
        status,
        reason,
        key_bits=key.bits,
        testing=key.testing,
        unsigned_fields=unsigned,
        unsigned_body=_unsigned_body(signature, content),
    )


def check_key(algorithm: str, key: KeyRecord, settings: DkimSettings) -> str:
    """Why the key may not verify signatures of `algorithm`, "" when it may (RFC 6376 §6.1.2, RFC 8301 §3.2)."""
    key_type, hash_name = ALGORITHMS[algorithm]
    if key.key_type != key_type:
        return "the key is of another type than the signature's algorithm"
    if key.hashes and hash_name not in key.hashes:
        return "the key does not allow the signature's hash"
    if key_type == "rsa" and not settings.min_rsa_bits <= key.bits <= settings.max_rsa_bits:
        short = key.bits < settings.min_rsa_bits
        return f"the RSA key of {key.bits} bits is too {'short' if short else 'long'} (RFC 8301 §3.2)"
    return ""


def check_identity(signature: Signature, key: KeyRecord) -> str:
    """RFC 6376 §3.6.1: with `t=s` in the key the domain of `i=` must be `d=` itself."""
    if key.strict and signature.identity.rpartition("@")[2] != signature.domain:
        return "the key forbids that i= is below d="
    return ""


def check_hashes(signature: Signature, content: Content, key: KeyRecord) -> tuple[DkimStatus, str]:
    """Body hash, then the signature itself (RFC 6376 §6.1.3)."""
    if signature.body_length is not None and _unsigned_body(signature, content) < 0:
        return DkimStatus.PERMERROR, "l= is longer than the body"
    hash_name = ALGORITHMS[signature.algorithm][1]
    found = content.body_hash(signature.body_canonicalization, hash_name, signature.body_length)
    if found != signature.body_hash:
        return DkimStatus.FAIL, "the body was changed after it was signed"
    if not is_signed_by(key.key, hash_name, signature.signature, content.header_input(signature)):
        return DkimStatus.FAIL, "the signature does not fit the header or the key"
    return DkimStatus.PASS, ""


def is_signed_by(key: PublicKey, hash_name: str, signature: bytes, signed: bytes) -> bool:
    """True when `signature` is that of `signed` by `key`. Ed25519 signs the hash (RFC 8463 §3)."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, sha256(signed).digest())
        else:
            key.verify(signature, signed, _PADDING, _HASHES[hash_name])
    except (InvalidSignature, ValueError):
        return False
    return True


def unsigned_fields(signature: Signature, message: Message) -> tuple[str, ...]:
    """The shown fields of which the message holds more than are signed (RFC 6376 §8.15), From and others."""
    header, signed = message.header, signature.signed_fields
    several = header.repeated  # one alone is the signer's choice
    if several.isdisjoint(SHOWN_FIELDS):
        return ()
    return tuple(name for name in SHOWN_FIELDS if name in several and len(header.index[name]) > signed.count(name))


def _acceptable(
    signature: Signature, content: Content, unsigned: tuple[str, ...], settings: DkimSettings
) -> tuple[DkimStatus, str]:
    """What is against a signature that fits (RFC 6376 §8.2, §8.15), and what is to be noted of one that passes."""
    if "from" in unsigned:
        return DkimStatus.POLICY, "there is a From field above the signed one"
    if signature.body_length is None:
        return DkimStatus.PASS, ""
    count = _unsigned_body(signature, content)
    reason = f"l= leaves the end of the body unsigned ({count} octets are beyond it)"
    return (DkimStatus.POLICY if settings.body_length == "refuse" else DkimStatus.PASS), reason


def _unsigned_body(signature: Signature, content: Content) -> int:
    if signature.body_length is None:
        return 0
    return content.body_length(signature.body_canonicalization) - signature.body_length


def _unverified(signature: Signature | Unreadable) -> SignatureResult:
    return SignatureResult(
        result=DkimStatus.POLICY,
        reason="not verified: the message has more signatures than are looked at",
        domain=signature.domain,
        selector=signature.selector,
        algorithm=signature.algorithm,
        verified=False,
    )


def _result(
    signature: Signature,
    status: DkimStatus,
    reason: str,
    *,
    key_bits: int = 0,
    testing: bool = False,
    expired: bool = False,
    unsigned_fields: tuple[str, ...] = (),
    unsigned_body: int = 0,
) -> SignatureResult:
    return SignatureResult(
        domain=signature.domain,
        selector=signature.selector,
        algorithm=signature.algorithm,
        result=status,
        reason=reason,
        identity=signature.identity,
        body_length=signature.body_length,
        unsigned_body=max(unsigned_body, 0),
        signed_fields=signature.signed_fields,
        unsigned_fields=unsigned_fields,
        key_bits=key_bits,
        testing=testing,
        expired=expired,
        signed_at=signature.signed_at,
        expires_at=signature.expires_at,
        signature_start=signature.signature_start,
    )
