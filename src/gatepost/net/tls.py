"""TLS contexts for servers and clients.

In: `TlsSettings` and the time. Out: `ssl.SSLContext`, or `ConfigError` saying what is wrong with which file.
Standard: RFC 9325 (recommendations for TLS), RFC 8996 (no TLS 1.0 and 1.1), RFC 7435 (opportunistic: any certificate).
Not here: handshakes (the drivers), certificates of our own (`net.authority`), MTA-STS and DANE (`server`).
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gatepost.errors import ConfigError
from gatepost.names import Tls
from gatepost.net.settings import TlsSettings

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_WORLD_READABLE = 0o004


def server_context(settings: TlsSettings, *, now: float) -> ssl.SSLContext:
    """For a server that shows the certificate in `settings`; the files are checked first. An expired certificate is
    shown all the same: few senders look at it, and mail in the clear or none at all would be worse."""
    check_certificate(settings, now=now, may_have_expired=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context, settings)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 1  # clients that hand in mail use one; a full handshake costs more than all sender checks
    try:
        context.load_cert_chain(settings.certificate, settings.key or None, password=_no_passphrase)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError("tls.certificate", settings.certificate, f"OpenSSL refuses it: {error}") from error
    return context


def client_context(
    settings: TlsSettings | None = None, *, verified: bool, authority: str | None = None
) -> ssl.SSLContext:
    """For a client. `verified` checks chain and name (against the PEM file `authority`, else the system's roots);
    otherwise any certificate will do, as opportunistic TLS has it (RFC 7435 §3)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _harden(context, settings or TlsSettings())
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if authority is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            context.load_verify_locations(cafile=authority)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError("delivery.ca_file", authority, f"no PEM file of certificates: {error}") from error
    return context


def describe(connection: ssl.SSLObject | ssl.SSLSocket, *, verified: bool = False) -> Tls | None:
    """What the handshake agreed, None before it is over."""
    cipher = connection.cipher()
    version = connection.version()
    if cipher is None or version is None:
        return None
    return Tls(version=version, cipher=cipher[0], bits=cipher[2] or 0, verified=verified)


def check_certificate(settings: TlsSettings, *, now: float, may_have_expired: bool = False) -> x509.Certificate:
    """The leaf in the certificate's file, if it is readable, current and belongs to the key."""
    octets = _read("tls.certificate", settings.certificate)
    try:
        leaf = x509.load_pem_x509_certificates(octets)[0]
    except ValueError as error:
        remedy = "no PEM certificate in it; it must hold the certificate and the chain above it"
        raise ConfigError("tls.certificate", settings.certificate, remedy) from error
    moment = datetime.fromtimestamp(now, UTC)
    if leaf.not_valid_after_utc < moment and not may_have_expired:
        remedy = f"it expired on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC; renew it"
        raise ConfigError("tls.certificate", settings.certificate, remedy)
    if leaf.not_valid_before_utc > moment:
        remedy = f"it is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC only; check the clock"
        raise ConfigError("tls.certificate", settings.certificate, remedy)
    _check_key(settings, leaf)
    return leaf


def _check_key(settings: TlsSettings, leaf: x509.Certificate) -> None:
    path = settings.key or settings.certificate
    octets = _read("tls.key", path)
    if Path(path).stat().st_mode & _WORLD_READABLE:
        raise ConfigError("tls.key", path, f"everybody on this machine can read it; chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(octets, None)
    except TypeError as error:
        raise ConfigError("tls.key", path, "it has a passphrase; store the key without one") from error
    except ValueError as error:
        raise ConfigError("tls.key", path, "no PEM private key in it") from error
    if key.public_key() != leaf.public_key():
        raise ConfigError("tls.key", path, f"it does not belong to the certificate in {settings.certificate}")


def _harden(context: ssl.SSLContext, settings: TlsSettings) -> None:
    context.minimum_version = _VERSIONS[settings.minimum]
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.set_ciphers(settings.ciphers)
    except ssl.SSLError as error:
        raise ConfigError("tls.ciphers", settings.ciphers, "OpenSSL knows no such suites") from error


def _read(field: str, path: str) -> bytes:
    if not path:
        raise ConfigError(field, "", "name the file")
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(field, path, "there is no such file") from error
    except OSError as error:
        raise ConfigError(field, path, f"it cannot be read: {error.strerror}") from error


def _no_passphrase() -> str:
    """OpenSSL would ask for it on the terminal."""
    raise OSError("the key has a passphrase")
