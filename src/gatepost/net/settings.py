"""The options of TLS, of the virus scanner, of following links and of the files that know where addresses are.

In: gatepost.toml, tables [tls], [scanner], [fetch] and [geo]. Out: `TlsSettings`, `ScannerSettings`, `FetchSettings`,
`GeoSettings`.
Standard: RFC 9325. Not here: reading the files (`net.tls`); the resolver's options (`net.resolver.settings`); what
follows from a scan (`inspector.settings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSettings:
    """Another certificate; a table `[tls.names."mail.example.org"]`."""

    certificate: str = ""
    """File with the certificate and the chain above it (PEM)."""
    key: str = ""
    """File with the private key (PEM, without passphrase); empty means that it is in the certificate's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """The server's certificates and what is negotiated. A file that changes is taken up within a minute, without a
    reload; connections that are there go on."""

    certificate: str = ""
    """File with the certificate and the chain above it (PEM); empty means that STARTTLS is not offered."""
    key: str = ""
    """File with the private key (PEM, without passphrase); empty means that it is in the certificate's file."""
    names: Mapping[str, CertificateSettings] = field(default_factory=dict)
    """Other names of this server, each with the certificate for clients who ask for it (SNI); "*.example.org" is for
    every name one label below. Who asks for another name, or for none, is shown `certificate`."""
    minimum: Literal["1.2", "1.3"] = "1.2"
    """The oldest version of TLS that is spoken; 1.0 and 1.1 are gone for good (RFC 8996)."""
    ciphers: str = "ECDHE+AESGCM:ECDHE+CHACHA20"
    """Cipher suites for TLS 1.2, as OpenSSL writes them; TLS 1.3 has its own, all good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerSettings:
    """A virus scanner beside the gate. What its answers lead to is `malware` and `not_scanned` under `[inspector]`."""

    address: str = ""
    """Where ClamAV's clamd listens: "/run/clamav/clamd.ctl" or "127.0.0.1:3310" (its TCP socket has no password: keep
    it on this machine or on a private network). Empty: nothing is scanned."""
    timeout: float = 15.0
    """Seconds one message may wait for and take with the scanner; less than `relay.deadline`, and past them it counts
    as not scanned."""
    max_size: int = 25 << 20
    """Octets: a larger message is not sent to the scanner and counts as not scanned. Not above clamd's
    StreamMaxLength."""
    at_once: int = 8
    """Messages that one reception process has scanned at the same time; not above clamd's MaxThreads by much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoSettings:
    """Files that know country and network of an address. They are shown with each message and weigh nothing, but for
    `inspector.unexpected_countries`."""

    file: str = ""
    """An .mmdb file with countries (GeoLite2-Country, DB-IP, IPinfo), which you have to get and renew. Empty: none."""
    network_file: str = ""
    """An .mmdb file with autonomous systems (GeoLite2-ASN and the like). Empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """Limits on following redirects. Whether any are followed says `inspector.links.follow_redirects`."""

    max_hops: int = 5
    """Redirects that are followed, one after the other; what leads on further counts as unknown."""
    timeout: float = 2.0
    """Seconds that one look-up, one connection or one answer may take. All links of a message have five together."""
    in_flight: int = 20
    """Links that a reception process follows at a time; more wait."""
    keep: float = 3600.0
    """Seconds for which it is remembered where a link led."""
