"""The messages of SCRAM: read and written, with their grammar.

In: octets. Out: frozen values with the octets that go into AuthMessage; None for what does not keep to the grammar.
Standard: RFC 5802 §5.1, §7. Not here: who may say what when (`scram_server`, `scram_client`), keys (`scram_keys`).
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field

MAX_MESSAGE = 4096  # octets; names, nonces, salts and bindings are far shorter
MAX_NONCE = 512
TLS_SERVER_END_POINT = "tls-server-end-point"  # RFC 5929 §4

# RFC 5802 §7:
#   printable       = %x21-2B / %x2D-7E                     ; all of ASCII that shows, but ","
#   saslname        = 1*(value-safe-char / "=2C" / "=3D")   ; value-safe-char: UTF-8 but NUL "=" ","
#   gs2-header      = ("p=" cb-name / "n" / "y") "," [ "a=" saslname ] ","
#   extensions      = attr-val *("," attr-val);  attr-val = ALPHA "=" value
# Deviation: an empty "a=", which GNU SASL sends for nobody else.
_NONCE = rb"([!-+\--~]++)"
_NAME = rb"((?:[^\0,=]|=2C|=3D)++)"
_MORE = rb"(?:,[A-Za-z]=[^\0,]++)*+"
_GS2 = rb"((?:p=([A-Za-z0-9.-]++)|(n)|(y)),(?:a=" + _NAME + rb"?+)?+,)"
#   client-first-message = gs2-header "n=" saslname ",r=" c-nonce ["," extensions]
_CLIENT_FIRST = re.compile(_GS2 + rb"(n=" + _NAME + rb",r=" + _NONCE + _MORE + rb")", re.DOTALL)
#   server-first-message = "r=" c-nonce s-nonce ",s=" base64 ",i=" posit-number ["," extensions]
_SERVER_FIRST = re.compile(rb"r=" + _NONCE + rb",s=([A-Za-z0-9+/]++={0,2}),i=([1-9][0-9]{0,9})" + _MORE, re.DOTALL)
#   client-final-message = "c=" base64 ",r=" c-nonce s-nonce ["," extensions] ",p=" base64
_CLIENT_FINAL = re.compile(
    rb"(c=([A-Za-z0-9+/]++={0,2}),r=" + _NONCE + rb"(?:,[A-Za-oq-z]=[^\0,]++)*+),p=([A-Za-z0-9+/]++={0,2})", re.DOTALL
)
#   server-final-message = ("e=" server-error-value / "v=" base64) ["," extensions]
_SERVER_FINAL = re.compile(rb"(?:v=([A-Za-z0-9+/]++={0,2})|e=([^\0,]++))" + _MORE, re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFirst:
    """`binding` is the name of the channel binding the client uses, "n" when it can none, "y" when it could but thinks
    that we cannot. `header` is the GS2 header, `bare` the rest, as they came."""

    binding: str
    header: bytes
    bare: bytes
    authzid: str
    name: str
    nonce: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFirst:
    """What the client makes its proof with."""

    nonce: bytes
    salt: bytes
    iterations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFinal:
    """`binding` is the GS2 header again and the channel's own octets behind it; `without_proof` is what is signed."""

    binding: bytes
    nonce: bytes
    without_proof: bytes
    proof: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFinal:
    """The server's signature, or the word for why there is none."""

    signature: bytes
    error: str


def parse_client_first(octets: bytes) -> ClientFirst | None:
    """The client's first message. One with "m=" before the name demands what nobody can (RFC 5802 §5.1): None."""
    found = _CLIENT_FIRST.fullmatch(octets) if len(octets) <= MAX_MESSAGE else None
    if found is None or len(found[8]) > MAX_NONCE:
        return None
    try:
        authzid, name = _read_name(found[5] or b""), _read_name(found[7])
    except UnicodeDecodeError:
        return None
    binding = (found[2] or found[3] or found[4]).decode("ascii")
    return ClientFirst(
        binding=binding if found[2] is None else f"p={binding}",
        header=found[1], bare=found[6], authzid=authzid, name=name, nonce=found[8],
    )  # fmt: skip


def parse_server_first(octets: bytes) -> ServerFirst | None:
    """The server's first message."""
    found = _SERVER_FIRST.fullmatch(octets) if len(octets) <= MAX_MESSAGE else None
    salt = _base64(found[2]) if found is not None else None
    if found is None or salt is None:
        return None
    return ServerFirst(nonce=found[1], salt=salt, iterations=int(found[3]))


def parse_client_final(octets: bytes) -> ClientFinal | None:
    """The client's last message."""
    found = _CLIENT_FINAL.fullmatch(octets) if len(octets) <= MAX_MESSAGE else None
    if found is None:
        return None
    binding, proof = _base64(found[2]), _base64(found[4])
    if binding is None or proof is None:
        return None
    return ClientFinal(binding=binding, nonce=found[3], without_proof=found[1], proof=proof)


def parse_server_final(octets: bytes) -> ServerFinal | None:
    """The server's last message."""
    found = _SERVER_FINAL.fullmatch(octets) if len(octets) <= MAX_MESSAGE else None
    if found is None:
        return None
    signature = _base64(found[1]) if found[1] is not None else b""
    if signature is None:
        return None
    return ServerFinal(signature=signature, error=(found[2] or b"").decode("utf-8", "replace"))


def write_client_first(header: bytes, name: str, nonce: str) -> tuple[bytes, bytes]:
    """The message, and the part of it without the header."""
    bare = b"n=" + write_name(name) + b",r=" + nonce.encode("ascii")
    return header + bare, bare


def write_header(binding: str, authzid: str) -> bytes:
    """The GS2 header; `binding` is "n", "y" or "p=…"."""
    return b"%s,%s," % (binding.encode("ascii"), b"a=" + write_name(authzid) if authzid else b"")


def write_server_first(nonce: bytes, salt: bytes, iterations: int) -> bytes:
    """`nonce` is the client's and ours behind it."""
    return b"r=%s,s=%s,i=%d" % (nonce, write_base64(salt), iterations)


def write_without_proof(binding: bytes, nonce: bytes) -> bytes:
    """The client's last message up to its proof."""
    return b"c=%s,r=%s" % (write_base64(binding), nonce)


def write_name(name: str) -> bytes:
    """A saslname: "," and "=" would end the attribute."""
    return name.replace("=", "=3D").replace(",", "=2C").encode("utf-8", "replace")


def write_base64(data: bytes) -> bytes:
    """One line."""
    return binascii.b2a_base64(data, newline=False)


def _read_name(octets: bytes) -> str:
    return octets.replace(b"=2C", b",").replace(b"=3D", b"=").decode("utf-8")


def _base64(octets: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(octets, strict_mode=True)
    except ValueError:
        return None
