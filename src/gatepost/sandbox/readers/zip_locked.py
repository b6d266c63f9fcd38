"""Opens encrypted members of a zip with a password.

In: a member's octets, a password. Out: the compressed octets, or None when the password is wrong.
Standard: PKWARE's APPNOTE 6.3 §6.1 (the old cipher), WinZip's AE-1 and AE-2 for AES.
Not here: which passwords are tried (`passwords`, `archive_zip`).
"""

from __future__ import annotations

import hashlib
import hmac
import zlib

MAX_OLD_CIPHER = 2 << 20  # octets: it is worked out one octet after the other here
_AES_ROUNDS = 1000
_TABLE = [zlib.crc32(bytes((octet,)), 0xFFFFFFFF) ^ 0xFFFFFFFF for octet in range(256)]
_LOW = 0xFFFFFFFF


def open_aes(data: bytes, field: bytes, password: bytes) -> bytes | None:
    """`field` is the extra field 0x9901: version, vendor, strength, method."""
    key_length = {1: 16, 2: 24, 3: 32}.get(field[4] if len(field) > 4 else 0)
    if key_length is None:
        raise ValueError("unknown strength of AES")
    salt, rest = data[: key_length // 2], data[key_length // 2 :]
    keys = hashlib.pbkdf2_hmac("sha1", password, salt, _AES_ROUNDS, 2 * key_length + 2)
    if rest[:2] != keys[-2:]:
        return None
    body, code = rest[2:-10], rest[-10:]
    if not hmac.compare_digest(hmac.digest(keys[key_length : 2 * key_length], body, "sha1")[:10], code):
        return None
    return _counter_mode(keys[:key_length], body)


def _counter_mode(key: bytes, data: bytes) -> bytes:
    """AES with WinZip's counter, which grows at its little end and starts with 1."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    machine = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the mode is built from it
    out = []
    step = 1 << 16
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        first = start // 16 + 1
        blocks = b"".join(number.to_bytes(16, "little") for number in range(first, first + (len(piece) + 15) // 16))
        stream = machine.update(blocks)[: len(piece)]
        out.append((int.from_bytes(piece, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(piece), "big"))
    return b"".join(out)


def open_old(data: bytes, check: int, password: bytes, most: int = MAX_OLD_CIPHER) -> bytes | None:
    """The cipher of 1989. `check` is the octet that the decrypted head ends with; one wrong password of 256 passes, so
    the caller compares the checksum too."""
    keys = _Keys(password)
    head = keys.decrypt(data[:12])
    if len(head) < 12 or head[11] != check:
        return None
    if len(data) > most:
        raise ValueError("too long to be decrypted here")
    return keys.decrypt(data[12:])


class _Keys:
    """The three keys, which every octet turns further."""

    __slots__ = ("first", "second", "third")

    def __init__(self, password: bytes) -> None:
        self.first, self.second, self.third = 0x12345678, 0x23456789, 0x34567890
        for octet in password:
            self._turn(octet)

    def _turn(self, octet: int) -> None:
        table = _TABLE
        self.first = self.first >> 8 ^ table[(self.first ^ octet) & 0xFF]
        self.second = ((self.second + (self.first & 0xFF)) * 134775813 + 1) & _LOW
        self.third = self.third >> 8 ^ table[(self.third ^ self.second >> 24) & 0xFF]

    def decrypt(self, data: bytes) -> bytes:
        out = bytearray()
        for octet in data:
            mask = self.third | 2
            octet ^= (mask * (mask ^ 1)) >> 8 & 0xFF
            out.append(octet)
            self._turn(octet)
        return bytes(out)
