"""Rules that notice S/MIME and OpenPGP: signed or encrypted parts, whatever they are worth.

In: `Facts`: the message's own Content-Type, and the opened items. Out: `Seen`, for information only: an unverified
signature proves nothing, and an encrypted part was read by nobody here.
Standard: RFC 1847 (multipart/signed, multipart/encrypted), RFC 8551 §3 (S/MIME), RFC 3156 (OpenPGP in MIME), RFC 9580
§6 (armor). Not here: verifying and decrypting.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.message.parameters import parse_content_type

_SMIME = ("application/pkcs7-mime", "application/x-pkcs7-mime")
_SMIME_SIGNATURE = ("application/pkcs7-signature", "application/x-pkcs7-signature")
MAX_FIELD = 2000  # octets of Content-Type that are read
MAX_ITEMS = 500


def _types(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Type, smime-type and protocol of the message itself, then the types of what was opened."""
    field = facts.header.first("content-type")
    if field is not None:
        own = parse_content_type(field.value[:MAX_FIELD])
        kind = f"{own.maintype}/{own.subtype}".lower()
        yield kind, own.get("smime-type").lower(), own.get("protocol").lower()
    if facts.content is not None:
        for item in facts.content.opened.items[:MAX_ITEMS]:
            yield item.declared_type, "", ""


def _may_be_sealed(facts: Facts) -> bool:
    """Most mail is not, and says so in one field."""
    field = facts.header.first("content-type")
    value = field.value[:MAX_FIELD].lower() if field is not None else b""
    return facts.content is not None or any(word in value for word in (b"signed", b"pkcs7", b"encrypted", b"pgp"))


@rule(
    code="sealed.smime-signed",
    severity=Severity.INFO,
    group="sealed",
    summary="It carries an S/MIME signature, which was not verified here.",
    why="Verified, it proves who wrote the message and that nobody changed it; unverified, it proves nothing.",
    reference="RFC 8551 §3.5",
    when=_may_be_sealed,
)
def smime_signed(facts: Facts) -> Seen | None:
    for kind, smime_type, protocol in _types(facts):
        if kind in _SMIME_SIGNATURE or (kind == "multipart/signed" and protocol in _SMIME_SIGNATURE):
            return Seen(evidence={"type": kind})
        if kind in _SMIME and smime_type == "signed-data":
            return Seen(evidence={"type": kind, "smime_type": smime_type})
    return None


@rule(
    code="sealed.smime-encrypted",
    severity=Severity.INFO,
    group="sealed",
    summary="It is encrypted with S/MIME: what is inside was not looked at.",
    why="Nobody on the way can read it; nor can this gate, so its links and attachments are unknown.",
    reference="RFC 8551 §3.3",
    when=_may_be_sealed,
)
def smime_encrypted(facts: Facts) -> Seen | None:
    for kind, smime_type, _ in _types(facts):
        if kind in _SMIME and smime_type in ("enveloped-data", "authenveloped-data", ""):
            if not smime_type and _any_type(facts, "signed-data"):
                return None
            return Seen(evidence={"type": kind, "smime_type": smime_type})
    return None


def _any_type(facts: Facts, wanted: str) -> bool:
    return any(smime_type == wanted for _, smime_type, _ in _types(facts))


@rule(
    code="sealed.pgp-signed",
    severity=Severity.INFO,
    group="sealed",
    summary="It carries an OpenPGP signature, which was not verified here.",
    why="Verified, it proves who wrote the message and that nobody changed it; unverified, it proves nothing.",
    reference="RFC 3156 §5",
    when=_may_be_sealed,
)
def pgp_signed(facts: Facts) -> Seen | None:
    for kind, _, protocol in _types(facts):
        if kind == "application/pgp-signature" or (
            kind == "multipart/signed" and protocol == "application/pgp-signature"
        ):
            return Seen(evidence={"type": kind})
    if _has_armor(facts, "SIGNED MESSAGE"):
        return Seen(evidence={"type": "inline"})
    return None


@rule(
    code="sealed.pgp-encrypted",
    severity=Severity.INFO,
    group="sealed",
    summary="It is encrypted with OpenPGP: what is inside was not looked at.",
    why="Nobody on the way can read it; nor can this gate, so its links and attachments are unknown.",
    reference="RFC 3156 §4",
    when=_may_be_sealed,
)
def pgp_encrypted(facts: Facts) -> Seen | None:
    for kind, _, protocol in _types(facts):
        if "application/pgp-encrypted" in (kind, protocol):
            return Seen(evidence={"type": kind})
    if _has_armor(facts, "MESSAGE"):
        return Seen(evidence={"type": "inline"})
    return None


def _has_armor(facts: Facts, kind: str) -> bool:
    """Whether a line of a text begins an armored block (RFC 9580 §6.2)."""
    line = f"-----BEGIN PGP {kind}-----"
    if facts.content is None:
        return False
    return any(text.visible.startswith(line) or f"\n{line}" in text.visible for text in facts.content.opened.texts)
