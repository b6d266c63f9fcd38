"""The small internet: zone text, DKIM keys and a certificate authority, made anew for each run.

In: the cast and the time. Out: `Internet`.
Standard: RFC 1035 §5 (zone text), RFC 6376 §3.6.1 and RFC 8463 §4 (key records), RFC 8617 (ARC).
Not here: who lives there (`lab.cast`), the name server (`lab.dns`), what is sent (`lab.scenarios`).
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gatepost.lab.cast import CAST, HOSTS, LISTS, SELECTOR, TIMEOUTS, Host, Party
from gatepost.lab.dns import DnsFaults
from gatepost.msgauth import arc, dkim
from gatepost.net.authority import Authority, make_authority
from gatepost.net.zone import ZoneResolver

STRING = 255  # octets of one character-string in a TXT record


@dataclass(frozen=True, kw_only=True)
class Internet:
    """`keys` are the signing keys by domain, in the order in which the domain signs."""

    zone_text: str
    faults: DnsFaults
    keys: Mapping[str, tuple[dkim.PrivateKey, ...]]
    authority: Authority

    @cached_property
    def resolver(self) -> ZoneResolver:
        """Answers as the lab's name server does, without the network."""
        return ZoneResolver(self.zone_text, timeouts=self.faults.timeouts, failures=self.faults.failures)

    def sign(self, domain: str, raw: bytes, now: float, *, expire: int | None = None) -> bytes:
        """`raw` with a DKIM-Signature of `domain` by each of its keys."""
        for number, key in enumerate(self.keys[domain]):
            raw = dkim.sign_message(raw, domain=domain, selector=selector_of(number), key=key, now=now, expire=expire)
        return raw

    def seal(self, domain: str, raw: bytes, results: str, now: float) -> bytes:
        """`raw` with one more ARC set by `domain`, which saw `results` (body of Authentication-Results)."""
        chain = asyncio.run(arc.verify(raw, resolver=self.resolver, now=now))
        return arc.seal_message(
            raw,
            chain=chain,
            results=results.encode(),
            domain=domain,
            selector=selector_of(0),
            key=self.keys[domain][0],
            now=now,
        )


def make_internet(now: float) -> Internet:
    """A fresh one: new keys, new authority."""
    keys = {party.domain: tuple(_make_key(kind) for kind in party.keys) for party in CAST}
    return Internet(
        zone_text=write_zones(keys),
        faults=DnsFaults(timeouts=TIMEOUTS),
        keys=keys,
        authority=make_authority("Gatepost lab", now=now, days=30),
    )


def selector_of(number: int) -> str:
    """ "lab" for a domain's first key, "lab1" for its second."""
    return SELECTOR + (str(number) if number else "")


def write_zones(keys: Mapping[str, tuple[dkim.PrivateKey, ...]]) -> str:
    """The zone text: every domain of the cast, every host forward, and their reverse names."""
    soa = "SOA ns.example. hostmaster.example. 1 3600 600 86400 30"
    lines = ["$TTL 300", f"example. {soa}", "example. NS ns.example.", f"127.in-addr.arpa. {soa}"]
    for party in CAST:
        lines += _party_lines(party, keys[party.domain])
    for host in HOSTS:
        lines += _host_lines(host)
    lines += LISTS
    return "\n".join(lines) + "\n"


def _party_lines(party: Party, keys: tuple[dkim.PrivateKey, ...]) -> list[str]:
    name = party.domain + "."
    lines = [f"{name} MX {0 if party.mx == '.' else 10} {party.mx.rstrip('.')}."]
    if party.spf:
        lines.append(f"{name} TXT {_quoted(party.spf)}")
    if party.dmarc:
        lines.append(f"_dmarc.{name} TXT {_quoted(party.dmarc)}")
    for number, key in enumerate(keys):
        lines.append(f"{selector_of(number)}._domainkey.{name} TXT {_quoted(_key_record(key))}")
    return lines


def _host_lines(host: Host) -> list[str]:
    name = host.name + "."
    lines = [f"{name} A {host.address}"]
    if host.name.count(".") > 1:
        lines.append(f'{name} TXT "v=spf1 a -all"')
    reverse = host.name if host.reverse is None else host.reverse
    if reverse:
        pointer = ".".join(reversed(host.address.split(".")))
        lines.append(f"{pointer}.in-addr.arpa. PTR {reverse}.")
    return lines


def _make_key(kind: str) -> dkim.PrivateKey:
    return generate_private_key(65537, 2048) if kind == "rsa" else Ed25519PrivateKey.generate()


def _key_record(key: dkim.PrivateKey) -> str:
    public = key.public_key()
    if isinstance(key, Ed25519PrivateKey):
        octets = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(octets).decode()}"
    octets = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}"


def _quoted(text: str) -> str:
    return " ".join(f'"{text[at : at + STRING]}"' for at in range(0, len(text), STRING))
