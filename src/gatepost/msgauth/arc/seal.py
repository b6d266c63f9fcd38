"""Seals a message that is passed on: one more ARC set on top.

In: the message, what was found of it, the chain's validation, domain, selector and key, the time. Out: the message with
its new set, or unchanged where none may be added.
Standard: RFC 8617 §5.1. Not here: validation (`verify`), whether to seal at all (`server.forward`: only
what is forwarded).
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.errors import InputError
from gatepost.msgauth.arc.chain import ArcSet, Chain, collect_chain
from gatepost.msgauth.arc.record import MAX_INSTANCE
from gatepost.msgauth.arc.result import ArcResult, ArcStatus
from gatepost.msgauth.dkim.content import Content, as_content
from gatepost.msgauth.dkim.domains import to_ascii
from gatepost.msgauth.dkim.sign import (
    SIGNED_FIELDS,
    PrivateKey,
    choose_names,
    encode,
    finish_field,
    key_type,
    relaxed_octets,
    sign_field,
)
from gatepost.msgauth.dkim.signature import Canonicalization

_RELAXED = Canonicalization.RELAXED
_CV = {ArcStatus.NONE: "none", ArcStatus.PASS: "pass", ArcStatus.FAIL: "fail"}
LINE = 76


def seal_message(
    raw: bytes,
    *,
    chain: ArcResult,
    results: bytes,
    domain: str,
    selector: str,
    key: PrivateKey,
    now: float,
    fields: Sequence[str] | None = None,
) -> bytes:
    """`raw` with one more ARC set on top (LF line ends become CRLF).

    `chain` is what `verify` said of `raw` just now. `results` is the body of an Authentication-Results field of ours:
    authserv-id and results (`authres.write_authentication_results`). `fields` are those to sign (default: what DKIM
    signs, and DKIM-Signature). Nothing is added where the chain's state is not known (temperror), where the last sealer
    found it broken (RFC 8617 §5.1.2), or where it has 50 sets. Raises `InputError` for names that are no domain.
    """
    content = as_content(raw)
    before = collect_chain(content.message.header)
    instance = before.highest + 1
    if chain.result not in _CV or before.sealed_as_failed or instance > MAX_INSTANCE:
        return content.message.raw
    cv, who = _CV[chain.result], [("d", _name("domain", domain)), ("s", _name("selector", selector))]
    who.append(("t", str(int(now))))
    first = [("i", str(instance)), ("a", f"{key_type(key)}-sha256")]
    results_field = write_results(instance, results)
    signature = _sign_message(
        content, first, who, key, (*SIGNED_FIELDS, "dkim-signature") if fields is None else fields
    )
    own = relaxed_octets(results_field) + relaxed_octets(signature)
    below = b"" if cv == "fail" else _below(before, content)
    seal = finish_field("ARC-Seal", [*first, ("cv", cv), *who], below + own, key, _RELAXED)
    # What has no header section at all gets an empty line between our fields and itself.
    gap = b"\r\n" if "no-header" in content.message.header.defects else b""
    return seal + signature + results_field + gap + content.message.raw


def write_results(instance: int, results: bytes) -> bytes:
    """An ARC-Authentication-Results field: folded anew at white space, so that nothing in `results` can end it."""
    words = results.split()
    lines = [f"ARC-Authentication-Results: i={instance};".encode("ascii")]
    for word in words:
        if len(lines[-1]) + len(word) + 1 > LINE:
            lines.append(b"\t" + word)
        else:
            lines[-1] += b" " + word
    return b"\r\n".join(lines) + b"\r\n"


def _sign_message(
    content: Content, first: list[tuple[str, str]], who: list[tuple[str, str]], key: PrivateKey, fields: Sequence[str]
) -> bytes:
    """The ARC-Message-Signature (RFC 8617 §5.1.1): fields that are there, never ARC's own nor results that are ours."""
    wanted = [name for name in fields if not name.lower().startswith("arc-")]
    names = choose_names(content.message, wanted, ())
    body_hash = encode(content.body_hash(_RELAXED, "sha256", None))
    tags = [*first, ("c", "relaxed/relaxed"), *who, ("h", ":".join(names)), ("bh", body_hash)]
    return sign_field(content, "ARC-Message-Signature", tags, names, key, _RELAXED)


def _below(chain: Chain, content: Content) -> bytes:
    """All fields of the sets below, in the order of instances; not looked at when the chain has failed: the seal is
    then over its own set alone (RFC 8617 §5.1.2)."""
    return b"".join(_set_fields(one, content) for one in chain.sets)


def _set_fields(one: ArcSet, content: Content) -> bytes:
    fields = (one.results_field, one.message_signature.field, one.seal.field)
    return b"".join(content.relaxed(field) for field in fields)


def _name(field: str, value: str) -> str:
    name = to_ascii(value.encode("utf-8"))
    if not name:
        raise InputError(field, value, "give a domain name")
    return name
