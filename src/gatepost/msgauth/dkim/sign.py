"""Signs a message with DKIM.

In: the message (CRLF, or LF as saved), domain, selector, private key, the time. Out: the message with a DKIM-Signature
on top, or the field alone.
Standard: RFC 6376 §5, §3.5; RFC 8301 §3 (never SHA-1), RFC 8463 (Ed25519).
Not here: which key signs for whom and its roll-over (`server.signing`); the key's record (`publish`).
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from gatepost.errors import InputError
from gatepost.message.header import parse_header
from gatepost.message.message import Message
from gatepost.msgauth.dkim.canonical import relaxed_field, simple_field
from gatepost.msgauth.dkim.content import Content, as_content, choose_fields
from gatepost.msgauth.dkim.domains import to_ascii
from gatepost.msgauth.dkim.signature import Canonicalization

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

# RFC 6376 §5.4.1, with the fields of lists and of threads; those that are there are signed.
SIGNED_FIELDS = (
    *("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-language"),
    *("list-id", "list-help", "list-unsubscribe", "list-unsubscribe-post", "list-subscribe", "list-post", "list-owner"),
    *("autocrypt", "resent-from", "resent-to", "resent-date", "resent-message-id"),
)
# Signed once more than they stand, so that none can be added above (RFC 6376 §8.15).
OVERSIGNED_FIELDS = ("from", "to", "cc", "subject", "date", "reply-to", "mime-version", "content-type")

LINE = 76  # RFC 5322 §2.1.1 asks for 78 at most


def sign_message(
    raw: bytes,
    *,
    domain: str,
    selector: str,
    key: PrivateKey,
    now: float,
    fields: Sequence[str] | None = None,
    oversign: Sequence[str] = OVERSIGNED_FIELDS,
    canonicalization: str = "relaxed/relaxed",
    expire: int | None = None,
    identity: str | None = None,
    body_length: bool = False,
) -> bytes:
    """`raw` with one more DKIM-Signature on top; LF line ends become CRLF.

    `fields` are those of the message's to sign (default: `SIGNED_FIELDS` that are there), `oversign` those of them or
    beside them to sign once more than they stand. `expire` is the signature's life in seconds. `body_length` writes
    `l=`: only for tests, RFC 6376 §8.2 says why. Raises `InputError` for a message without From and for names that
    are no domain. RFC 6376 §5.
    """
    content = as_content(raw)
    field = write_signature(
        content,
        domain=domain,
        selector=selector,
        key=key,
        now=now,
        fields=fields,
        oversign=oversign,
        canonicalization=canonicalization,
        expire=expire,
        identity=identity,
        body_length=body_length,
    )
    return field + content.message.raw


def write_signature(
    content: Content,
    *,
    domain: str,
    selector: str,
    key: PrivateKey,
    now: float,
    fields: Sequence[str] | None = None,
    oversign: Sequence[str] = OVERSIGNED_FIELDS,
    canonicalization: str = "relaxed/relaxed",
    expire: int | None = None,
    identity: str | None = None,
    body_length: bool = False,
) -> bytes:
    """The DKIM-Signature field alone, as `sign_message` puts it on top. Several over one `Content` share its body
    hash."""
    names = choose_names(content.message, SIGNED_FIELDS if fields is None else fields, oversign)
    if "from" not in names or not content.message.header.all("from"):
        raise InputError("message", "no From field", "only a message with a From field can be signed")
    header_form, _, body_form = canonicalization.partition("/")
    tags = [("v", "1"), ("a", f"{key_type(key)}-sha256"), ("c", canonicalization)]
    tags += [("d", _name("domain", domain)), ("s", _name("selector", selector))]
    if identity is not None:
        tags.append(("i", identity))
    tags.append(("t", str(int(now))))
    if expire is not None:
        tags.append(("x", str(int(now) + expire)))
    body = Canonicalization(body_form or "simple")
    if body_length:
        tags.append(("l", str(content.body_length(body))))
    tags += [("h", ":".join(names)), ("bh", encode(content.body_hash(body, "sha256", None)))]
    return sign_field(content, "DKIM-Signature", tags, names, key, Canonicalization(header_form))


def choose_names(message: Message, fields: Iterable[str], oversign: Iterable[str]) -> tuple[str, ...]:
    """The names of `h=`: each as often as it stands, and once more where it is to be oversigned."""
    more = {name.lower() for name in oversign}
    wanted = dict.fromkeys(name.lower() for name in fields)
    names: list[str] = []
    for name in wanted:
        names += [name] * (len(message.header.all(name)) + (name in more))
    return tuple(names)


def sign_field(
    content: Content,
    name: str,
    tags: Sequence[tuple[str, str]],
    signed: Collection[str],
    key: PrivateKey,
    form: Canonicalization,
) -> bytes:
    """A complete signature field over the fields `signed` and itself (RFC 6376 §3.7), with CRLF."""
    parts = [
        content.relaxed(field) if form is Canonicalization.RELAXED else simple_field(field)
        for field in choose_fields(content.message, signed)
    ]
    return finish_field(name, tags, b"".join(parts), key, form)


def finish_field(
    name: str, tags: Sequence[tuple[str, str]], before: bytes, key: PrivateKey, form: Canonicalization
) -> bytes:
    """Writes the field, signs `before` and the field, and puts `b=` in."""
    unsigned = write_tags(name, [*tags, ("b", "")])
    own = relaxed_octets(unsigned) if form is Canonicalization.RELAXED else unsigned
    value = encode(sign_octets(key, before + own.removesuffix(b"\r\n")))
    folded = "\r\n\t".join(value[at : at + LINE - 2] for at in range(0, len(value), LINE - 2))
    return unsigned.removesuffix(b"\r\n") + b"\r\n\t" + folded.encode("ascii") + b"\r\n"


def write_tags(name: str, tags: Iterable[tuple[str, str]]) -> bytes:
    """`Name: tag=value; …` folded between tags, and inside long lists at colons and anywhere in base64."""
    lines = [f"{name}:"]
    for tag, value in tags:
        for piece in _pieces(f"{tag}={value};"):
            if len(lines[-1]) + len(piece) + 1 > LINE:
                lines.append("\t" + piece)
            else:
                lines[-1] += ("" if lines[-1].endswith(("\t", ":")) and lines[-1] != f"{name}:" else " ") + piece
    text = "\r\n".join(lines)
    return text.removesuffix(";").encode("utf-8") + b"\r\n"


def _pieces(text: str) -> list[str]:
    """`text` in parts that fit on a line; h= breaks after colons."""
    if len(text) < LINE or not text.startswith("h="):
        return [text]
    pieces = [""]
    for word in text.split(":"):
        if len(pieces[-1]) + len(word) + 2 > LINE:
            pieces.append("")
        pieces[-1] += word + ":"
    pieces[-1] = pieces[-1][:-1]
    return pieces


def relaxed_octets(octets: bytes) -> bytes:
    """The relaxed form of a whole field of ours."""
    return relaxed_field(parse_header(octets).fields[0], octets)


def sign_octets(key: PrivateKey, octets: bytes) -> bytes:
    """RSA with PKCS#1 v1.5 over SHA-256, or Ed25519 over the SHA-256 of the octets (RFC 8463 §3)."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(sha256(octets).digest())
    return key.sign(octets, PKCS1v15(), SHA256())


def key_type(key: PrivateKey) -> str:
    """`k=` and the first half of `a=`."""
    return "ed25519" if isinstance(key, Ed25519PrivateKey) else "rsa"


def encode(octets: bytes) -> str:
    """Base64 without line ends."""
    return base64.b64encode(octets).decode("ascii")


def _name(field: str, value: str) -> str:
    """RFC 6376 §3.5: d= and s= are domain names; anything else could put tags of its own into the field."""
    name = to_ascii(value.encode("utf-8"))
    if not name:
        raise InputError(field, value, "give a domain name")
    return name
