"""What keeps the way to the directory secret: TLS, and our own password in a file.

In: `DirectorySettings`. Out: a context or None; the password. ConfigError for files that cannot be used.
Standard: RFC 9325. Not here: handshakes (`ldap_connection`, asyncpg).
"""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from gatepost.errors import ConfigError
from gatepost.net.directory.settings import DirectorySettings
from gatepost.net.tls import client_context

MAX_PASSWORD = 1024  # characters


def directory_tls(settings: DirectorySettings) -> ssl.SSLContext | None:
    """The context of a connection over the network; None where the settings say none."""
    if settings.tls == "none":
        return None
    try:
        return client_context(verified=settings.tls == "verified", authority=settings.ca_file or None)
    except ConfigError as error:
        raise ConfigError("directory.ca_file", error.value, error.remedy) from error


def own_password(settings: DirectorySettings) -> str:
    """Our password for the directory; "" where no file is named. Raises ConfigError."""
    if not settings.password_file:
        return ""
    path = Path(settings.password_file)
    try:
        with path.open("rb") as file:
            mode, octets = path.stat().st_mode, file.read(4 * MAX_PASSWORD)
        password = octets.decode().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError("directory.password_file", path, f"cannot be read: {reason}") from None
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise ConfigError("directory.password_file", path, f"is open to others; chmod 600 {path}")
    if not 0 < len(password) <= MAX_PASSWORD:
        raise ConfigError("directory.password_file", path, "has no password on its first line")
    return password
