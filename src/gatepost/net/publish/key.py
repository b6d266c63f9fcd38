"""The TSIG key: read from its file, which nobody else may read.

In: `PublishSettings`. Out: dnspython's key, or ConfigError; the secret is in no text.
Standard: RFC 8945 §4 (TSIG). Not here: signing with it (dnspython).
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path

import dns.exception
import dns.name
import dns.tsig

from gatepost.errors import ConfigError
from gatepost.net.publish.settings import PublishSettings

MAX_FILE = 16 << 10  # octets
MIN_SECRET = 16  # octets; RFC 8945 §5.2.2.1 takes half a digest for the least there is

# secret "…"; (tsig-keygen)   secret: … (keymgr)   or the text alone
_SECRET = re.compile(r"""\bsecret:?\s*"?([A-Za-z0-9+/]+={0,2})"?""", re.ASCII)
_ALONE = re.compile(r"\s*([A-Za-z0-9+/]+={0,2})\s*", re.ASCII)


def load_key(settings: PublishSettings) -> dns.tsig.Key:
    """The key that changes are signed with. Raises ConfigError."""
    if not settings.key_name:
        raise ConfigError("publish.key_name", "", "name the TSIG key; changes that nobody signed are never sent")
    if not settings.key_file:
        raise ConfigError("publish.key_file", "", "name the file with the secret of the TSIG key")
    try:
        name = dns.name.from_text(settings.key_name)
    except (dns.exception.DNSException, ValueError) as error:
        raise ConfigError("publish.key_name", settings.key_name, f"is no name: {error}") from None
    return dns.tsig.Key(name, _read_secret(Path(settings.key_file)), settings.algorithm)


def _read_secret(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(MAX_FILE).decode("ascii", "replace")
    except OSError as error:
        raise ConfigError("publish.key_file", path, f"cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise ConfigError("publish.key_file", path, f"others on this machine can use it; chmod 600 {path}")
    found = _SECRET.search(text) or _ALONE.fullmatch(text)
    try:
        secret = base64.b64decode(found[1], validate=True) if found else b""
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < MIN_SECRET:
        remedy = f"holds no secret of {MIN_SECRET} octets or more in base64; `tsig-keygen` writes one"
        raise ConfigError("publish.key_file", path, remedy)
    return secret
