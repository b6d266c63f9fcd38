"""Whether the certificates that a mail server presents are those that its TLSA records name.

In: the presented chain in DER, the usable records, the names it may have, the time. Out: nothing, or why not, as a
result type of RFC 8460 §4.3 with words behind it. Standard: RFC 7672 §3.1 (usages), §3.2 (names), RFC 7671 §5.1 and
§5.2, RFC 6698 §2.1.
A record of usage 3 names the server's own certificate: name, dates and issuer do not count. One of usage 2 names an
authority above it: from the server's certificate up to that authority everything is checked as on the web, by
`cryptography`'s verifier with extensions judged more mildly (private authorities leave out what browsers insist on).
OpenSSL would need the authority before the handshake, and a digest tells it only after it.
Not here: whether the records could be believed (`server.delivery.dane`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509 import verification

from gatepost.msgauth.tlsa import Tlsa, matches_certificate

DANE_TA, DANE_EE = 2, 3
MAX_CHAIN = 16  # certificates that are looked at; ten is what OpenSSL itself verifies by default


def check_chain(chain: Sequence[bytes], records: Sequence[Tlsa], names: Sequence[str], now: float) -> str:
    """Empty when one of `records` holds for `chain` (the server's own certificate first)."""
    if not chain:
        return "validation-failure: the server showed no certificate"
    if any(record.usage == DANE_EE and matches_certificate(record, chain[0]) for record in records):
        return ""
    failure = "certificate-not-trusted: no TLSA record names a certificate that the server showed"
    for anchor in _anchors(chain[:MAX_CHAIN], records):
        problem = check_issued(chain[:MAX_CHAIN], anchor, names, now)
        if not problem:
            return ""
        failure = problem
    return failure


def check_issued(chain: Sequence[bytes], anchor: bytes, names: Sequence[str], now: float) -> str:
    """Empty when the first of `chain` was issued below `anchor`, is valid now and has one of `names`."""
    try:
        leaf, *others = (x509.load_der_x509_certificate(octets) for octets in chain)
        store = verification.Store([x509.load_der_x509_certificate(anchor)])
        moment = datetime.fromtimestamp(now, UTC)
        alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        builder = verification.PolicyBuilder().store(store).time(moment).max_chain_depth(MAX_CHAIN)
        builder = builder.extension_policies(ca_policy=_authorities(), ee_policy=_servers())
    except x509.ExtensionNotFound:
        return f"certificate-host-mismatch: the certificate names no host, and one of {_told(names)} was expected"
    except Exception as error:  # a third-party parser on a stranger's octets
        return f"validation-failure: the certificate cannot be read ({type(error).__name__})"
    for name in names:
        try:
            builder.build_server_verifier(x509.DNSName(name)).verify(leaf, others)
        except Exception as error:  # not verified; or a name that is none
            reason = str(error)
            continue
        return ""
    if not leaf.not_valid_before_utc <= moment <= leaf.not_valid_after_utc:
        return f"certificate-expired: valid from {leaf.not_valid_before_utc:%F} to {leaf.not_valid_after_utc:%F}"
    shown = alternative.get_values_for_type(x509.DNSName)
    if not any(_names(pattern, name) for pattern in shown for name in names):
        return f"certificate-host-mismatch: the certificate is for {_told(shown)}, not for {_told(names)}"
    return f"certificate-not-trusted: {' '.join(reason.split())[:200]}"


def _anchors(chain: Sequence[bytes], records: Sequence[Tlsa]) -> list[bytes]:
    """Authorities that usage 2 names: in the chain above the server's own certificate, or whole in the record, which a
    server need not send (RFC 7671 §5.2.2 would have it do so all the same)."""
    found: list[bytes] = []
    for record in records:
        if record.usage == DANE_TA:
            found += [certificate for certificate in chain[1:] if matches_certificate(record, certificate)]
            if (record.selector, record.matching_type) == (0, 0):
                found.append(record.data)
    return list(dict.fromkeys(found))


def _authorities() -> verification.ExtensionPolicy:
    return verification.ExtensionPolicy.permit_all().require_present(
        x509.BasicConstraints, verification.Criticality.AGNOSTIC, _is_authority
    )


def _servers() -> verification.ExtensionPolicy:
    return verification.ExtensionPolicy.permit_all().require_present(
        x509.SubjectAlternativeName, verification.Criticality.AGNOSTIC, None
    )


def _is_authority(policy: verification.Policy, certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("an issuer in the chain is no authority")


def _names(pattern: str, name: str) -> bool:
    """RFC 9525 §6.3: a wildcard stands for the whole leftmost label."""
    pattern, name = pattern.lower(), name.lower()
    return pattern == name or (pattern.startswith("*.") and name.partition(".")[2] == pattern[2:])


def _told(names: Sequence[str]) -> str:
    return ", ".join(name[:80] for name in names[:5]) or "nobody"
