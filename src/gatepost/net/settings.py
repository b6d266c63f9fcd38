"""The options of TLS.

In: gatepost.toml, table [tls]. Out: `TlsSettings`.
Standard: RFC 9325. Not here: reading the files (`net.tls`); the resolver's options (`net.resolver.settings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """The server's certificate and what is negotiated."""

    certificate: str = ""
    """File with the certificate and the chain above it (PEM); empty means that STARTTLS is not offered."""
    key: str = ""
    """File with the private key (PEM, without passphrase); empty means that it is in the certificate's file."""
    minimum: Literal["1.2", "1.3"] = "1.2"
    """The oldest version of TLS that is spoken; 1.0 and 1.1 are gone for good (RFC 8996)."""
    ciphers: str = "ECDHE+AESGCM:ECDHE+CHACHA20"
    """Cipher suites for TLS 1.2, as OpenSSL writes them; TLS 1.3 has its own, all good."""
