"""Logs in to a smart host, with a password or an OAuth token, over TLS that has proven who is there.

In: a connection, the settings of that host. Out: a connection that is logged in; or HopFailed, which never holds the
secret. Standard: RFC 4954 (AUTH), RFC 5802 and RFC 7677 (SCRAM), RFC 4616 (PLAIN), RFC 7628 (OAUTHBEARER).
Not here: the mechanisms (`wire.sasl`), the command (`server.smtp.client`).
"""

from __future__ import annotations

import asyncio
import secrets
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from cryptography import x509

from gatepost.errors import ConfigError, InputError, RemoteProtocolError
from gatepost.net.tls import end_point
from gatepost.server.delivery.connection import told
from gatepost.server.delivery.hop import HopFailed
from gatepost.server.delivery.routes import Route
from gatepost.server.delivery.settings import AuthSettings
from gatepost.server.smtp.client import SmtpClient
from gatepost.wire.sasl import Channel, client_exchange, token_exchange
from gatepost.wire.sasl.client import ClientExchange

MAX_SECRET = 16_384  # octets; a token of today has some 2,000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
REFUSED = "4.7.8"  # RFC 4954 §6: credentials invalid; temporary, since our configuration can be mended
NOT_POSSIBLE = "4.7.0"


async def log_in(client: SmtpClient, label: str, settings: AuthSettings, route: Route) -> None:
    """Raises HopFailed when we are not let in, or must not try."""
    try:
        if client.tls is None or not client.tls.verified:
            raise HopFailed("4.7.5", f"{label} has not proven who it is, so no login is sent")
        exchange = await _exchange(client, label, settings, route)
        try:
            reply = await told(client.authenticate(exchange), label)
        except RemoteProtocolError as error:
            raise HopFailed(NOT_POSSIBLE, f"{label} broke the login: {error.text}") from error
        if not reply.positive:
            raise HopFailed(REFUSED, f"{label} does not let {settings.user} in: {reply}")
    except HopFailed:
        await client.quit()
        raise


async def _exchange(client: SmtpClient, label: str, settings: AuthSettings, route: Route) -> ClientExchange:
    offered = _offered(client, settings)
    try:
        secret = await asyncio.to_thread(read_secret, settings)
        if settings.token_file:
            exchange = token_exchange(offered, settings.user, secret, route.host, route.port)
        else:
            channel = Channel(nonce=secrets.token_urlsafe(18), end_point=_end_point(client))
            exchange = client_exchange(offered, settings.user, secret, channel)
    except (ConfigError, InputError) as error:
        raise HopFailed(NOT_POSSIBLE, f"no login at {label}: {error}") from error
    if exchange is None:
        wanted = settings.mechanism or ("a token" if settings.token_file else "a password")
        words = " ".join(sorted(client.extensions.get("AUTH", "").split())) or "no AUTH at all"
        raise HopFailed(NOT_POSSIBLE, f"no login at {label}: it offers {words}, nothing that {wanted} is good for")
    return exchange


def _offered(client: SmtpClient, settings: AuthSettings) -> Collection[str]:
    offered = set(client.extensions.get("AUTH", "").upper().split())
    return offered & {settings.mechanism} if settings.mechanism else offered


def _end_point(client: SmtpClient) -> bytes:
    """What SCRAM-…-PLUS binds to; empty where the certificate has nothing to bind to."""
    try:
        return end_point(x509.load_der_x509_certificate(client.chain[0])) if client.chain else b""
    except ValueError:
        return b""


def read_secret(settings: AuthSettings) -> str:
    """The password or token, without the line end behind it. Raises ConfigError."""
    field = "delivery.auth.token_file" if settings.token_file else "delivery.auth.password_file"
    path = Path(settings.token_file or settings.password_file)
    try:
        mode = path.stat().st_mode
        if mode & _OTHERS:
            raise ConfigError(field, str(path), f"others than its owner may read it; chmod 600 {path}")
        with path.open("rb") as file:
            octets = file.read(MAX_SECRET + 1)
    except OSError as error:
        raise ConfigError(field, str(path), f"it cannot be read: {error.strerror}") from error
    try:
        text = octets.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        text = ""
    if not text or len(octets) > MAX_SECRET or not text.isprintable():
        raise ConfigError(field, str(path), "it must hold one line of text, the secret and nothing else")
    return text


def check_logins(auth: Mapping[str, AuthSettings]) -> None:
    """What can be said of `[delivery.auth]` without connecting. Raises ConfigError."""
    for host, settings in auth.items():
        field = f'delivery.auth."{host}"'
        if host != host.lower():
            raise ConfigError(field, host, "write the host in lower case, as in its route")
        if not settings.user:
            raise ConfigError(f"{field}.user", "", "name the user to log in with")
        if bool(settings.password_file) == bool(settings.token_file):
            raise ConfigError(field, host, "name either a password_file or a token_file")
        if (settings.mechanism in ("OAUTHBEARER", "XOAUTH2")) != bool(settings.token_file) and settings.mechanism:
            raise ConfigError(f"{field}.mechanism", settings.mechanism, "does not go with the file that is named")
        read_secret(settings)
