"""How our certificates stand, for people: what is shown, until when, what comes next.

In: settings, the store, the time. Out: `Standing`s, one a certificate. Asks nobody.
Standard: none. Not here: what DNS shows (`upkeep` looks, the audit reports).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gatepost.msgauth.tlsa import tlsa_data as certificate_data
from gatepost.net.tls import check_certificate, find_certificate
from gatepost.server.certificates.folder import CertificateFolder
from gatepost.server.certificates.renewal import when_due
from gatepost.server.certificates.state import read_state
from gatepost.server.certificates.tlsa import tlsa_data
from gatepost.server.settings import GateSettings

SOON = 14 * 86_400  # seconds: a certificate that ends within two weeks is trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One certificate. Times are seconds since the epoch. `key` and `next_key` are the TLSA data (3 1 1) of its key and
    of the one that follows; `old_keys` those whose records must still stand. `managed`: the gate renews it."""

    file: str
    managed: bool
    names: tuple[str, ...]
    issuer: str
    self_signed: bool
    starts: float
    ends: float
    key: str
    next_key: str = ""
    next_seen_since: float | None = None
    old_keys: tuple[str, ...] = ()
    due: float | None = None
    why: str = ""
    failures: int = 0
    error: str = ""
    retry_at: float | None = None
    trouble: bool = False

    def as_json(self) -> dict[str, Any]:
        """As JSON values; the schema is docs/schema/certificate-show.json."""
        return asdict(self)


def find_standings(settings: GateSettings, now: float) -> tuple[Standing, ...]:
    """Every certificate that is shown, the usual one first. Raises ConfigError, StoreError."""
    tls = settings.tls
    found = []
    for name in ("", *tls.names) if tls.certificate else tuple(tls.names):
        files = find_certificate(tls, name)
        leaf = check_certificate(files, now=now, may_have_expired=True)
        managed = not name and bool(settings.acme.names)
        found.append(_managed(settings, files.certificate, now) if managed else _plain(files.certificate, leaf, now))
    return tuple(found)


def _plain(file: str, leaf: x509.Certificate, now: float) -> Standing:
    data = certificate_data(leaf.public_bytes(Encoding.DER), 1, 1) or b""
    ends = leaf.not_valid_after_utc.timestamp()
    return Standing(
        file=file,
        managed=False,
        names=_names(leaf),
        issuer=leaf.issuer.rfc4514_string(),
        self_signed=False,
        starts=leaf.not_valid_before_utc.timestamp(),
        ends=ends,
        key=data.hex(),
        trouble=ends - now < SOON,
    )


def _managed(settings: GateSettings, file: str, now: float) -> Standing:
    folder = CertificateFolder(settings.store.folder)
    pair, state = folder.current(), read_state(folder.path)
    assert pair is not None  # its file was read a moment ago
    due, leaf = when_due(pair, settings.acme.names, state, folder.is_asked()), pair.leaf
    ends = leaf.not_valid_after_utc.timestamp()
    return Standing(
        file=file,
        managed=True,
        names=_names(leaf),
        issuer=leaf.issuer.rfc4514_string(),
        self_signed=pair.is_self_signed,
        starts=leaf.not_valid_before_utc.timestamp(),
        ends=ends,
        key=tlsa_data(pair.key),
        next_key=tlsa_data(folder.next_key()),
        next_seen_since=state.right_since,
        old_keys=tuple(one.data for one in state.old),
        due=due.at or now,
        why=due.why,
        failures=state.failures,
        error=state.error or state.tlsa,
        retry_at=state.retry_at or None,
        trouble=bool(state.error or state.tlsa) or ends - now < SOON,
    )


def _names(leaf: x509.Certificate) -> tuple[str, ...]:
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.get_values_for_type(x509.DNSName))
