"""A TLS 1.2 client that does one thing: finishes a handshake, asks for another one inside it, and sees the answer.

In: 96 octets of randomness, the server's octets. Out: octets to send; in the end `answer`. OpenSSL would not ask, so
the little that is needed is here: ECDHE with AES-128-GCM; certificates are not looked at, no data is sent.
Standard: RFC 5246 (§5 PRF, §6.2.3.3 records, §7.4 handshake), RFC 5288 (GCM), RFC 8422 (ECDHE), RFC 5746 §3.5.
Not here: hellos for other questions (`tls`), what the answer means (`audit.probe`).
"""

from __future__ import annotations

import enum
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gatepost.wire.tls import RENEGOTIATION_SCSV, TLS_1_2, write_client_hello

SUITES = (0xC02B, 0xC02F)  # ECDHE_ECDSA and ECDHE_RSA with AES_128_GCM_SHA256
_CCS, _ALERT, _HANDSHAKE = 20, 21, 22
_HELLO_REQUEST, _SERVER_HELLO, _KEY_EXCHANGE, _CERTIFICATE_REQUEST, _DONE, _FINISHED = 0, 2, 12, 13, 14, 20
_X25519 = 29
_VERSION = b"\x03\x03"
MAX_BUFFER = 1 << 17


class Again(enum.StrEnum):
    """What came of the wish to renegotiate."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NO_HANDSHAKE = "no handshake"


class RenegotiatingClient:
    """Feed it until `answer` is there; `why` says more."""

    def __init__(self, randomness: bytes, name: str) -> None:
        self._random, self._name = randomness[:32], name
        self._private = X25519PrivateKey.from_private_bytes(randomness[32:64])
        self._second = randomness[64:96]
        self._buffer, self._stream, self._transcript = b"", b"", b""
        self._server_random, self._server_point = b"", b""
        self._asked_certificate = False
        self._master = b""
        self._keys: tuple[AESGCM, bytes, AESGCM, bytes] | None = None
        self._sent, self._received = 0, 0
        self._encrypted_from_server = False
        self._own_verify = b""
        self.answer: Again | None = None
        self.why = ""

    def start(self) -> bytes:
        """The first hello."""
        record = write_client_hello(TLS_1_2, (*SUITES, RENEGOTIATION_SCSV), self._random, name=self._name)
        self._transcript = record[5:]
        return record

    def feed(self, octets: bytes) -> bytes:
        """What to send after `octets` came; any octets are fine."""
        self._buffer += octets
        out = b""
        while self.answer is None and len(self._buffer) >= 5:
            size = int.from_bytes(self._buffer[3:5], "big")
            if len(self._buffer) < 5 + size:
                break
            kind, body = self._buffer[0], self._buffer[5 : 5 + size]
            self._buffer = self._buffer[5 + size :]
            try:
                out += self._record(kind, body)
            except (ValueError, IndexError, InvalidTag) as error:
                self._end(Again.NO_HANDSHAKE, f"its TLS could not be read: {type(error).__name__}")
        if len(self._buffer) > MAX_BUFFER:
            self._end(Again.NO_HANDSHAKE, "it sends without end")
        return out

    def closed(self) -> None:
        """The server hung up: after the wish that is a no."""
        refused = bool(self._own_verify) and self._encrypted_from_server
        self._end(Again.REFUSED if refused else Again.NO_HANDSHAKE, "it hung up")

    def _end(self, answer: Again, why: str) -> None:
        if self.answer is None:
            self.answer, self.why = answer, why

    def _record(self, kind: int, body: bytes) -> bytes:
        if self._encrypted_from_server:
            return self._inside(kind, self._decrypt(kind, body))
        if kind == _ALERT:
            self._end(Again.NO_HANDSHAKE, f"alert {body[1]}")
        elif kind == _CCS:
            self._encrypted_from_server = True
        elif kind == _HANDSHAKE:
            self._stream += body
            return self._messages()
        else:
            self._end(Again.NO_HANDSHAKE, "what came back is no TLS")
        return b""

    def _messages(self) -> bytes:
        out = b""
        while len(self._stream) >= 4 and self.answer is None:
            size = int.from_bytes(self._stream[1:4], "big")
            if len(self._stream) < 4 + size:
                break
            message, self._stream = self._stream[: 4 + size], self._stream[4 + size :]
            self._transcript += message
            out += self._message(message[0], message[4:])
        return out

    def _message(self, kind: int, body: bytes) -> bytes:
        if kind == _SERVER_HELLO:
            self._server_random = body[2:34]
            suite = int.from_bytes(body[35 + body[34] : 37 + body[34]], "big")
            if body[:2] != _VERSION or suite not in SUITES:
                self._end(Again.NO_HANDSHAKE, "it does not speak TLS 1.2 with AES-GCM")
        elif kind == _KEY_EXCHANGE:
            if body[0] != 3 or int.from_bytes(body[1:3], "big") != _X25519:
                self._end(Again.NO_HANDSHAKE, "it chose another group than X25519")
            self._server_point = body[4 : 4 + body[3]]
        elif kind == _CERTIFICATE_REQUEST:
            self._asked_certificate = True
        elif kind == _DONE:
            return self._finish()
        return b""

    def _finish(self) -> bytes:
        """RFC 5246 §7.4.7 to §7.4.9: our key, the switch, and Finished."""
        own = self._private.public_key().public_bytes_raw()
        messages = b"\x0b\0\0\x03\0\0\0" if self._asked_certificate else b""  # no certificate of ours
        messages += b"\x10" + (len(own) + 1).to_bytes(3, "big") + bytes([len(own)]) + own
        self._transcript += messages
        shared = self._private.exchange(X25519PublicKey.from_public_bytes(self._server_point))
        self._master = prf(shared, b"master secret", self._random + self._server_random, 48)
        block = prf(self._master, b"key expansion", self._server_random + self._random, 40)
        self._keys = (AESGCM(block[:16]), block[32:36], AESGCM(block[16:32]), block[36:40])
        digest = hashlib.sha256(self._transcript).digest()
        self._own_verify = prf(self._master, b"client finished", digest, 12)
        finished = b"\x14\0\0\x0c" + self._own_verify
        self._transcript += finished
        plain = bytes([_HANDSHAKE]) + _VERSION + len(messages).to_bytes(2, "big") + messages
        return plain + bytes([_CCS]) + _VERSION + b"\0\x01\x01" + self._encrypt(finished)

    def _inside(self, kind: int, body: bytes) -> bytes:
        if kind == _HANDSHAKE and body[:1] == bytes([_FINISHED]):
            return self._encrypt(self._hello_again())
        if kind == _HANDSHAKE and body[:1] == bytes([_SERVER_HELLO]):
            self._end(Again.ACCEPTED, "it began a second handshake")
        elif kind == _ALERT:
            self._end(Again.REFUSED, f"alert {body[1]}")
        return b""

    def _hello_again(self) -> bytes:
        """RFC 5746 §3.5: the second hello carries what the first handshake ended with."""
        record = write_client_hello(TLS_1_2, SUITES, self._second, name=self._name, renegotiation=self._own_verify)
        return record[5:]

    def _encrypt(self, plain: bytes, kind: int = _HANDSHAKE) -> bytes:
        """RFC 5288 §3: the nonce is the fixed part and the sequence number, which is sent along."""
        assert self._keys is not None
        key, salt, _, _ = self._keys
        sequence = self._sent.to_bytes(8, "big")
        self._sent += 1
        about = sequence + bytes([kind]) + _VERSION + len(plain).to_bytes(2, "big")
        sealed = sequence + key.encrypt(salt + sequence, plain, about)
        return bytes([kind]) + _VERSION + len(sealed).to_bytes(2, "big") + sealed

    def _decrypt(self, kind: int, sealed: bytes) -> bytes:
        if self._keys is None:
            raise ValueError("encrypted before there are keys")
        _, _, key, salt = self._keys
        sequence = self._received.to_bytes(8, "big")
        self._received += 1
        about = sequence + bytes([kind]) + _VERSION + max(0, len(sealed) - 24).to_bytes(2, "big")
        return key.decrypt(salt + sealed[:8], sealed[8:], about)


def prf(secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """RFC 5246 §5, with SHA-256."""
    seed = label + seed
    out, link = b"", seed
    while len(out) < size:
        link = hmac.digest(secret, link, "sha256")
        out += hmac.digest(secret, link + seed, "sha256")
    return out[:size]
