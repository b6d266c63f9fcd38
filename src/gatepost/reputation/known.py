"""The lists that are known by name, as data, so that an administrator only writes `use = ["zen", "dbl"]`.

In: `ListsSettings`. Out: the `DnsList`s to ask. Being known makes no list active: nothing is asked that `use` does
not name. Standard: RFC 5782; what each answer means is the word of the list's operator, as published in 2026.
Not here: the options (`settings`), asking (`check`).
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from functools import lru_cache

from gatepost.errors import ConfigError
from gatepost.reputation.dnslist import CodePattern, DnsList, ListKind, Meaning
from gatepost.reputation.settings import CodeSettings, DnsListSettings, ListsSettings

_SPAMHAUS_KEYED = {
    "zen": "{key}.zen.dq.spamhaus.net",
    "dbl": "{key}.dbl.dq.spamhaus.net",
    "hbl-email": "_email.{key}.hbl.dq.spamhaus.net",
    "hbl-file": "_file.{key}.hbl.dq.spamhaus.net",
}


def _code(meaning: str, weight: float, *, client_only: bool = False) -> CodeSettings:
    return CodeSettings(meaning=meaning, weight=weight, client_only=client_only)


KNOWN: Mapping[str, DnsListSettings] = {
    "zen": DnsListSettings(
        kind="ip",
        zone="zen.spamhaus.org",
        codes={
            "127.0.0.2": _code("sends spam, or is run by people who do (SBL)", 3.5),
            "127.0.0.3": _code("sends spam of low reputation (CSS)", 3.0),
            "127.0.0.4-7": _code("an infected or misused computer (XBL)", 3.0),
            "127.0.0.9": _code("a network in criminal hands (DROP)", 4.0),
            "127.0.0.10-11": _code("a home or office connection, no mail server (PBL)", 2.0, client_only=True),
        },
    ),
    "dbl": DnsListSettings(
        kind="domain",
        zone="dbl.spamhaus.org",
        names="host",
        test_listed="dbltest.com",
        refused=("127.0.1.255",),  # an IP address was asked
        codes={
            "127.0.1.2": _code("a domain of spammers", 3.5),
            "127.0.1.4": _code("a domain of phishers", 4.0),
            "127.0.1.5": _code("a domain that spreads malware", 4.0),
            "127.0.1.6": _code("a domain that controls a botnet", 4.0),
            "127.0.1.102-106": _code("an honest domain that is misused", 2.0),
        },
    ),
    "hbl-email": DnsListSettings(
        kind="email",
        hashing="sha256-base32",
        test_listed="user@hbltest.com",
        codes={"127.0.3.2": _code("an address that fraudsters use", 3.5)},
    ),
    "hbl-file": DnsListSettings(
        kind="hash",
        hashing="sha256-base32",
        codes={"127.0.3.10": _code("known malware", 4.0), "127.0.3.15": _code("suspected malware", 2.5)},
    ),
    "surbl": DnsListSettings(
        kind="uri",
        zone="multi.surbl.org",
        bitmask=True,
        test_listed="surbl-org-permanent-test-point.com",
        refused=("127.0.0.1",),
        codes={
            "8": _code("a phishing site", 4.0),
            "16": _code("a site that spreads malware", 4.0),
            "64": _code("a site advertised in spam", 3.0),
            "128": _code("a site that was broken into", 1.5),
        },
    ),
    "uribl": DnsListSettings(
        kind="uri",
        zone="multi.uribl.com",
        bitmask=True,
        test_listed="127.0.0.2",
        refused=("127.0.0.1",),
        codes={
            "2": _code("a site advertised in spam (black)", 3.0),
            "4": _code("a site of senders of unasked bulk mail (grey)", 0.3),
            "8": _code("a site that looks like those of spammers (red)", 0.8),
        },
    ),
    "dnswl": DnsListSettings(
        kind="allow",
        zone="list.dnswl.org",
        refused=("127.0.0.255",),
        codes={
            "127.0.*.0": _code("a known mail server", -0.1),
            "127.0.*.1": _code("a mail server of low trust", -0.5),
            "127.0.*.2": _code("a mail server of medium trust", -1.5),
            "127.0.*.3": _code("a mail server of high trust", -2.5),
        },
    ),
    "spamcop": DnsListSettings(
        kind="ip", zone="bl.spamcop.net", codes={"127.0.0.2": _code("sent mail that was reported as spam", 2.0)}
    ),
    "psbl": DnsListSettings(
        kind="ip", zone="psbl.surriel.com", codes={"127.0.0.2": _code("sent mail to a spam trap", 2.0)}
    ),
    "ebl": DnsListSettings(
        kind="email",
        zone="ebl.msbl.org",
        hashing="sha1",
        codes={"127.0.0.2-3": _code("an address that fraudsters read", 3.0)},
    ),
}


@lru_cache(maxsize=64)
def _pattern(text: str) -> CodePattern | None:
    return CodePattern.parse(text)


def resolve_lists(settings: ListsSettings) -> tuple[DnsList, ...]:
    """The lists that `settings.use` names, those in mode "off" left out. Raises ConfigError with what to change."""
    for name, own in settings.dns.items():  # a described list is checked even while it is not in use
        if name in settings.use or name not in KNOWN:
            _resolve(name, own, settings)
    found = [_resolve(name, settings.dns.get(name), settings) for name in dict.fromkeys(settings.use)]
    return tuple(one for one in found if one.mode != "off")


def _resolve(name: str, own: DnsListSettings | None, settings: ListsSettings) -> DnsList:
    where = f'lists.dns."{name}"'
    known = KNOWN.get(name)
    if known is None and own is None:
        near = difflib.get_close_matches(name, {*KNOWN, *settings.dns}, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"describe it in [{where}]; known: {', '.join(KNOWN)}"
        raise ConfigError("lists.use", name, f"is no known list; {hint}")
    described = _merged(known, own)
    if not described.kind:
        raise ConfigError(f"{where}.kind", "nothing", "say what it lists: ip, domain, uri, email, hash or allow")
    kind = ListKind(described.kind)
    zone, shown = _zone(name, described, settings, where)
    listed, unlisted = _tests(described, kind)
    hashed = kind in (ListKind.EMAIL, ListKind.HASH)
    return DnsList(
        name=name,
        kind=kind,
        zone=zone,
        shown_zone=shown,
        mode=described.mode or settings.mode,
        codes=() if described.bitmask else _codes(described.codes, where),
        bits=_bits(described.codes, where) if described.bitmask else {},
        otherwise=Meaning(text="listed", weight=-abs(described.weight) if kind is ListKind.ALLOW else described.weight),
        refused=tuple(_checked_pattern(text, f"{where}.refused") for text in described.refused),
        registrable=described.names != "host",
        hashing=(described.hashing or "sha256-base32") if hashed else "",
        test_listed=listed,
        test_unlisted=unlisted,
    )


def _merged(known: DnsListSettings | None, own: DnsListSettings | None) -> DnsListSettings:
    """What is known of a list, with the fields that differ from the defaults in `own` put over it."""
    if known is None or own is None:
        return own or known or DnsListSettings()
    plain = DnsListSettings()
    fields = [field.name for field in dataclasses.fields(own)]
    changes = {name: getattr(own, name) for name in fields if getattr(own, name) != getattr(plain, name)}
    return dataclasses.replace(known, **(changes | {"codes": {**known.codes, **own.codes}}))


def _zone(name: str, described: DnsListSettings, settings: ListsSettings, where: str) -> tuple[str, str]:
    """The zone to ask and the zone to show."""
    zone, key = described.zone, described.key
    if name in _SPAMHAUS_KEYED and zone == KNOWN[name].zone:
        key = key or settings.spamhaus_key
        if key:
            zone = _SPAMHAUS_KEYED[name]
        elif not zone:
            raise ConfigError("lists.spamhaus_key", "nothing", f"{name} is answered only with a query key")
    if not zone:
        raise ConfigError(f"{where}.zone", "nothing", 'name the zone to ask, as "bl.example.org"')
    if "{key}" in zone and not key:
        raise ConfigError(f"{where}.key", "nothing", "the zone wants a key, and none is given")
    asked = zone.replace("{key}", key).strip(".").lower()
    if len(asked) > 180 or not all(0 < len(label) < 64 and label.isascii() for label in asked.split(".")):
        raise ConfigError(f"{where}.zone", zone, "is no zone's name; write it as bl.example.org")
    return asked, zone.strip(".").lower().replace("{key}", "KEY")


def _tests(described: DnsListSettings, kind: ListKind) -> tuple[str, str]:
    """RFC 5782 §5: what must be listed and what must not be."""
    if kind.takes_addresses:
        return described.test_listed or "127.0.0.2", described.test_unlisted or "127.0.0.1"
    if kind.takes_names:
        return described.test_listed or "test", described.test_unlisted or "invalid"
    return described.test_listed, described.test_unlisted


def _codes(codes: Mapping[str, CodeSettings], where: str) -> tuple[tuple[CodePattern, Meaning], ...]:
    return tuple((_checked_pattern(text, f"{where}.codes"), _meaning(code)) for text, code in codes.items())


def _bits(codes: Mapping[str, CodeSettings], where: str) -> dict[int, Meaning]:
    for text in codes:
        if not text.isascii() or not text.isdecimal() or int(text[:4]) not in (1, 2, 4, 8, 16, 32, 64, 128):
            raise ConfigError(f"{where}.codes", text, "is no bit of an octet; write 1, 2, 4, 8, 16, 32, 64 or 128")
    return {int(text): _meaning(code) for text, code in codes.items()}


def _meaning(code: CodeSettings) -> Meaning:
    return Meaning(text=code.meaning or "listed", weight=code.weight, client_only=code.client_only)


def _checked_pattern(text: str, where: str) -> CodePattern:
    pattern = _pattern(text)
    if pattern is None:
        raise ConfigError(where, text, "is no answer of a list; write 127.0.0.2, 127.0.0.4-7 or 127.0.*.1")
    return pattern
