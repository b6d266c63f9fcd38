"""SRS: the envelope sender of forwarded mail, rewritten so that SPF passes and a bounce finds its way back.

In: addresses, secrets, the time. Out: the rewritten address, or the one that was rewritten.
Standard: none; the Sender Rewriting Scheme as libsrs2 and postsrsd write it, octet for octet, so that a secret and the
addresses that are under way can be taken over: HMAC-SHA1 over stamp, domain and local part in lower case, the first
four characters of its base64. (SHA-1's collisions do not touch HMAC; four characters are what limits a forger, and each
guess costs him a refused RCPT.)

    SRS0=HHHH=TT=example.net=joe@ours          joe@example.net
    SRS1=HHHH=first.example==HHHH=TT=…@ours    what first.example had rewritten already: bounces go there, one hop

Not here: whose mail is rewritten (`server.forward`), where secrets lie.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass, field

from gatepost.errors import InputError
from gatepost.message.addr_spec import AddrSpec
from gatepost.wire.smtp.grammar import is_mailbox

DAY = 86_400
SLOTS = 1024  # the stamp counts days and begins anew after these
HASH_LENGTH = 4  # what postsrsd writes and demands at least
EARLY = 1  # days that another gate's clock may be ahead
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIR = re.compile(r"\\(.)")
_REWRITTEN = re.compile(r"(?i)srs([01])[=+-]")


@dataclass(frozen=True, slots=True)
class Srs:
    """The first of `secrets` makes addresses, all of them are known again; an address counts for `days`."""

    secrets: tuple[bytes, ...] = field(repr=False)
    days: int = 21

    def rewrite(self, sender: str, domain: str, now: float) -> str:
        """`sender` as an address in `domain`. Raises InputError for what has no domain or does not fit an envelope."""
        local, at, home = sender.rpartition("@")
        local = unquoted(local)
        if not at or not local or not home:
            raise InputError("sender", sender, "has no domain; it cannot be rewritten")
        found = _REWRITTEN.match(local)
        if found is None:
            stamp = _write_stamp(now)
            mark = self._mark(self.secrets[0], stamp, home, local)
            written = f"SRS0={mark}={stamp}={home}={local}"
        else:
            written = self._guard(found[1], local, home)
        rewritten = str(AddrSpec(written, domain))
        if not is_mailbox(rewritten):
            raise InputError("sender", sender, "does not fit into a rewritten address")
        return rewritten

    def _guard(self, kind: str, local: str, home: str) -> str:
        """A second forwarder names the first; a third names the first too, so that addresses grow no further."""
        rest = local[4:]  # with the separator: what is between hash and host is the first forwarder's business
        if kind == "1":
            _, _, guarded = local[5:].partition("=")
            first, _, inner = guarded.partition("=")
            if first and inner:
                home, rest = first, inner
        return f"SRS1={self._mark(self.secrets[0], home, rest)}={home}={rest}"

    def restore(self, address: str, now: float, grace: int = 0) -> str:
        """Where a bounce to `address` goes. `grace`: days that it may be older. Raises InputError for an address that
        we never wrote, or wrote too long ago."""
        local = unquoted(address.rpartition("@")[0])
        found = _REWRITTEN.match(local)
        if found is None:
            raise InputError("address", address, "is none that was rewritten")
        restored = self._second(local[5:]) if found[1] == "1" else self._first(local[5:], now, grace)
        if not is_mailbox(restored):
            raise InputError("address", address, "holds no address")
        return restored

    def _first(self, text: str, now: float, grace: int) -> str:
        mark, stamp, home, local = _parts(text, 4)
        self._check(mark, stamp, home, local)
        age = (int(now // DAY) - _read_stamp(stamp) + EARLY) % SLOTS - EARLY
        if age > self.days + grace:
            raise InputError("address", text, f"is older than {self.days} days")
        return str(AddrSpec(local, home))

    def _second(self, text: str) -> str:
        mark, home, rest = _parts(text, 3)
        self._check(mark, home, rest)
        return str(AddrSpec(f"SRS0{rest}", home))

    def _check(self, mark: str, *parts: str) -> None:
        """Mail servers on the way may change the case: the hash is compared without it."""
        wanted = mark.lower().encode("utf-8", "replace")
        known = False
        for secret in self.secrets:
            whole = self._whole(secret, *parts).lower().encode("ascii")
            known |= hmac.compare_digest(whole[: len(wanted)], wanted)
        if not known or len(wanted) < HASH_LENGTH:
            raise InputError("address", mark, "has a hash that is not ours")

    def _mark(self, secret: bytes, *parts: str) -> str:
        return self._whole(secret, *parts)[:HASH_LENGTH]

    @staticmethod
    def _whole(secret: bytes, *parts: str) -> str:
        octets = "".join(parts).encode("utf-8", "replace").lower()  # of octets: ASCII letters only, as libsrs2 does
        return base64.b64encode(hmac.digest(secret, octets, "sha1")).decode("ascii").rstrip("=")


def is_rewritten(address: str) -> bool:
    """Whether `address` has the shape of a rewritten one, anybody's."""
    return _REWRITTEN.match(unquoted(address.rpartition("@")[0])) is not None


def unquoted(local: str) -> str:
    """RFC 5321 §4.1.2: "ann" in quotes is the same local part as ann."""
    return _PAIR.sub(r"\1", local[1:-1]) if len(local) >= 2 and local[0] == local[-1] == '"' else local


def _parts(text: str, count: int) -> list[str]:
    """The parts between "=", the last with all that follows; a base64 hash of ours never holds one."""
    parts = text.split("=", count - 1)
    if len(parts) != count or not all(parts):
        raise InputError("address", text, "lacks a part of a rewritten address")
    return parts


def _write_stamp(now: float) -> str:
    day = int(now // DAY) % SLOTS
    return _ALPHABET[day >> 5] + _ALPHABET[day & 31]


def _read_stamp(stamp: str) -> int:
    upper = stamp.upper()
    if len(upper) != 2 or upper[0] not in _ALPHABET or upper[1] not in _ALPHABET:
        raise InputError("address", stamp, "is no time stamp of a rewritten address")
    return (_ALPHABET.index(upper[0]) << 5) | _ALPHABET.index(upper[1])
