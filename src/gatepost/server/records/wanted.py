"""What the gate's settings ask of DNS, as `audit.records` takes it.

In: settings, a domain, the states of its keys. Out: `WantedRecord`s. Standard: RFC 8461 §3.1 (the policy's id),
RFC 7671 §8.1 (both keys' TLSA records), RFC 6186 (service names), RFC 8314 §5.1 (`_submissions`).
Not here: why each is wanted (`audit.records`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from gatepost.audit.records import Kind, Need, WantedRecord, Wishes, wanted_records
from gatepost.msgauth.dkim.publish import key_name
from gatepost.net.tls import ascii_name
from gatepost.server.certificates.folder import CertificateFolder
from gatepost.server.certificates.state import read_state
from gatepost.server.certificates.tlsa import record_text, tlsa_data, tlsa_names
from gatepost.server.https.offers import Protocol, find_offers
from gatepost.server.https.policy import policy_id, write_policy
from gatepost.server.settings import GateSettings
from gatepost.server.signing.keyfiles import find_keys
from gatepost.server.signing.keyring import read_states
from gatepost.server.signing.upkeep import adopt
from gatepost.store.keys import KeyState, Stage

_WHY = {
    Stage.NEXT: "DKIM: the next key ({}); it signs once this record has been in DNS for a while (RFC 6376)",
    Stage.LIVE: "DKIM: the {} key of our signatures (RFC 6376)",
    Stage.OLD: "DKIM: the {} key before; keep the record, mail that it signed is still under way (RFC 6376)",
}
_ORDER = (Stage.LIVE, Stage.NEXT, Stage.OLD)
_AUTHORITIES = {  # the word of CAA for an authority's directory
    "letsencrypt.org": "letsencrypt.org",
    "zerossl.com": "sectigo.com",
    "pki.goog": "pki.goog",
    "buypass.com": "buypass.com",
    "ssl.com": "ssl.com",
}


def wanted_of(settings: GateSettings, domain: str, keys: Iterable[KeyState]) -> tuple[WantedRecord, ...]:
    """Everything that `domain` (in A-labels) wants. Raises ConfigError for options that cannot be."""
    hostname = ascii_name(settings.hostname)
    served = bool(settings.https.listen)
    return wanted_records(
        Wishes(
            domain=domain,
            hostname=hostname,
            reports_to=settings.records.reports_to or f"postmaster@{domain}",
            keys=list(key_wishes(key for key in keys if key.domain == domain)),
            sts_id=policy_id(write_policy(settings.mta_sts, settings.hostname)) if served else "",
            web=[name for name in _web_names(settings, domain) if name != hostname],
            tlsa=[(name, record_text(data), why) for name in tlsa_names(settings) for data, why in _tlsa(settings)],
            services=list(_services(settings)),
            caa=_authority(settings),
        )
    )


def known_keys(settings: GateSettings) -> list[KeyState]:
    """Every signing key, those without a state yet among them; nothing is written."""
    found = adopt(read_states(settings), find_keys(settings), 0.0)
    return sorted(found, key=lambda key: (key.domain, key.selector))


def key_wishes(keys: Iterable[KeyState]) -> Iterator[tuple[str, str, str]]:
    """Name, text and reason of each key that needs a record: live, next and old."""
    needed = [key for key in keys if key.stage in _WHY]
    for key in sorted(needed, key=lambda key: _ORDER.index(key.stage)):
        yield key_name(key.selector, key.domain), key.record, _WHY[key.stage].format(key.algorithm)


def key_records(keys: Iterable[KeyState]) -> tuple[WantedRecord, ...]:
    """The records of these keys alone."""
    return tuple(
        WantedRecord(kind=Kind.DKIM, need=Need.MUST, name=name, rtype="TXT", value=text, why=why)
        for name, text, why in key_wishes(keys)
    )


def _services(settings: GateSettings) -> Iterator[tuple[str, int, str]]:
    """RFC 6186 §3.4: a service that is not offered is named with the target ".", here POP3 and IMAP in the clear."""
    offers = find_offers(settings)
    # Priorities say which way is the better one where a program could take both: IMAP before POP3.
    names = {
        (Protocol.SUBMISSION, True): "_submissions._tcp",
        (Protocol.SUBMISSION, False): "_submission._tcp",
        (Protocol.IMAP, True): "_imaps._tcp",
        (Protocol.POP3, True): "_pop3s._tcp",
    }
    for offer in offers:
        yield names[offer.protocol, offer.implicit_tls], offer.port, offer.host
    if any(offer.protocol is Protocol.IMAP for offer in offers):
        yield "_imap._tcp", 0, ""


def _web_names(settings: GateSettings, domain: str) -> list[str]:
    """The names under which the HTTPS listener answers; none while it is off."""
    labels = ("mta-sts", "autoconfig", "autodiscover") if find_offers(settings) else ("mta-sts",)
    return [f"{label}.{domain}" for label in labels] if settings.https.listen else []


def _tlsa(settings: GateSettings) -> list[tuple[str, str]]:
    """The keys that must stand: in use, next, and those before that are still cached. None while [acme] is off, since
    nobody here knows the next key then (RFC 7671 §8.1)."""
    folder = CertificateFolder(settings.store.folder)
    pair = folder.current() if settings.acme.names else None
    if pair is None or pair.is_self_signed:
        return []
    only = "Only in a zone that DNSSEC signs: else it is ignored"
    found = {
        tlsa_data(pair.key): f"DANE: the key of our certificate (RFC 7672). {only}",
        tlsa_data(folder.next_key()): f"DANE: the next key, which must be in DNS before it is used (RFC 7671). {only}",
    }
    for old in read_state(folder.path).old:
        found.setdefault(old.data, "DANE: the key before; leave the record until `certificate show` lists it no more")
    return list(found.items())


def _authority(settings: GateSettings) -> tuple[str, ...]:
    if not settings.acme.names:
        return ()
    host = urlsplit(settings.acme.directory).hostname or ""
    return tuple(word for name, word in _AUTHORITIES.items() if host == name or host.endswith(f".{name}"))
