"""TLS contexts for servers and clients.

In: `TlsSettings` and the time. Out: `ssl.SSLContext`, or `ConfigError` saying what is wrong with which file.
Standard: RFC 9325 (recommendations for TLS), RFC 8996 (no TLS 1.0 and 1.1), RFC 7435 (opportunistic: any certificate),
RFC 5929 §4 (what a login can be bound to), RFC 6066 §3 (names), RFC 5077 and RFC 8446 §2.2 (resumption).
Not here: handshakes (the drivers), certificates of our own (`net.authority`), MTA-STS and DANE (`server`).
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from gatepost.errors import ConfigError
from gatepost.names import Tls
from gatepost.net.settings import CertificateSettings, TlsSettings

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_WORLD_READABLE = 0o004

SslConnection = ssl.SSLObject | ssl.SSLSocket


class ServerContext(ssl.SSLContext):
    """`end_point` is the hash of the certificate it shows, to which SCRAM binds a login; empty where it has none."""

    end_point: bytes = b""


def end_point(certificate: x509.Certificate) -> bytes:
    """RFC 5929 §4.1, tls-server-end-point: the hash that signed the certificate, but SHA-256 in place of MD5 and SHA-1;
    none for a signature without one (Ed25519)."""
    signed_with = certificate.signature_hash_algorithm
    if signed_with is None:
        return b""
    return certificate.fingerprint(hashes.SHA256() if signed_with.name in ("md5", "sha1") else signed_with)


def server_context(settings: TlsSettings, *, now: float, client_ca: str = "") -> ServerContext:
    """For a server that shows the certificates in `settings`; the files are checked first. An expired certificate is
    shown all the same: few senders look at it, and mail in the clear or none at all would be worse.

    Where `client_ca` names a PEM file, clients are asked for a certificate, and one that it does not vouch for ends the
    handshake. The keys of tickets are the context's, also where SNI chooses another: processes that are forked after
    this resume each other's sessions.
    """
    context = _context(settings, find_certificate(settings), now, client_ca)
    if settings.names:
        others = {
            ascii_name(name): _context(settings, find_certificate(settings, name), now, client_ca)
            for name in settings.names
        }
        context.sni_callback = partial(_choose, others)
    return context


def find_certificate(settings: TlsSettings, name: str = "") -> CertificateSettings:
    """Where the certificate of `name` is (the usual one without it). Today in the files that the settings name, written
    by hand, by our own authority or by somebody else's ACME client; our own ACME client would answer here."""
    if not name:
        return CertificateSettings(certificate=settings.certificate, key=settings.key)
    return settings.names[name]


def certificate_files(settings: TlsSettings) -> tuple[Path, ...]:
    """Every file whose change changes what clients are shown."""
    found = [find_certificate(settings), *(find_certificate(settings, name) for name in settings.names)]
    return tuple(Path(path) for one in found for path in (one.certificate, one.key) if path)


def ascii_name(name: str) -> str:
    """A host name as it stands in SNI: A-labels, lower case, no dot behind (RFC 6066 §3)."""
    lowered = name.lower().rstrip(".")
    if lowered.isascii():
        return lowered
    import idna

    try:
        return idna.encode(lowered, uts46=True).decode("ascii")
    except idna.IDNAError:
        return lowered


def _choose(
    others: Mapping[str, ServerContext], connection: SslConnection, name: str | None, _: ssl.SSLContext
) -> None:
    """A name that is not ours is no reason to end the handshake (RFC 6066 §3): the client will see whose it is."""
    asked = ascii_name(name or "")
    chosen = others.get(asked) or others.get("*." + asked.partition(".")[2])
    if chosen is not None:
        connection.context = chosen


def _context(settings: TlsSettings, files: CertificateSettings, now: float, client_ca: str) -> ServerContext:
    leaf = check_certificate(files, now=now, may_have_expired=True)
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.end_point = end_point(leaf)
    if client_ca:
        _ask_clients(context, client_ca)
    _harden(context, settings)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 1  # clients that hand in mail use one; a full handshake costs more than all sender checks
    try:
        context.load_cert_chain(files.certificate, files.key or None, password=_no_passphrase)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError("tls.certificate", files.certificate, f"OpenSSL refuses it: {error}") from error
    return context


def _ask_clients(context: ssl.SSLContext, client_ca: str) -> None:
    context.verify_mode = ssl.CERT_OPTIONAL
    # One that is in the file itself counts, whoever signed it.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cafile=client_ca)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError("submission.client_ca", client_ca, f"no PEM file of certificates: {error}") from error


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


def presented_chain(connection: ssl.SSLObject | ssl.SSLSocket) -> tuple[bytes, ...]:
    """The certificates that the server showed, in DER, its own first, whether or not they lead anywhere; empty before
    the handshake is over."""
    if sys.version_info >= (3, 13):
        return tuple(connection.get_unverified_chain() or ())
    # Python 3.11 and 3.12 have it too, but do not hand it on.
    inner = getattr(connection, "_sslobj", None)
    chain = inner.get_unverified_chain() if inner is not None else None
    return tuple(ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in chain or ())


def check_certificate(
    settings: TlsSettings | CertificateSettings, *, now: float, may_have_expired: bool = False
) -> x509.Certificate:
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


def _check_key(settings: TlsSettings | CertificateSettings, leaf: x509.Certificate) -> None:
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
