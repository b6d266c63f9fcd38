"""The secret of rewritten addresses: a file of lines, the first of which makes addresses while all are known.

In: settings. Out: `Srs`, or ConfigError with what to do. The form is postsrsd's, whose file can be taken over; to
change the secret put a new line on top, reload, and take the old one out after `forward.srs_days`.
Standard: none. Not here: the addresses (`msgauth.srs`).
"""

from __future__ import annotations

import secrets
import stat
from pathlib import Path

from gatepost.errors import ConfigError, InputError
from gatepost.msgauth.srs import Srs
from gatepost.net.authority import write_private
from gatepost.server.settings import GateSettings
from gatepost.store.database import give_to_owner

FILE = "srs.secret"
OCTETS = 24  # of chance in a secret of ours, as many as the hash can use
MIN_LENGTH = 8  # of a line: less is guessed
MAX_FILE = 64 << 10


def secret_file(settings: GateSettings) -> Path:
    """Where the secret lies."""
    chosen = settings.forward.secret_file
    return Path(chosen) if chosen else Path(settings.store.folder) / FILE


def open_srs(settings: GateSettings, *, needed: bool) -> Srs | None:
    """Who rewrites senders; None where nobody does. Without a file one is made when it is `needed`."""
    path = secret_file(settings)
    if not settings.forward.srs:
        return None
    if not path.exists():
        if settings.forward.secret_file:
            raise ConfigError("forward.secret_file", path, "is not there; make it, or leave the option empty")
        if not needed:
            return None
        _make(path)
    return Srs(read_secrets(path), settings.forward.srs_days)


def read_secrets(path: Path) -> tuple[bytes, ...]:
    """The lines of the file. Raises ConfigError."""
    field = "forward.secret_file"
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            octets = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(field, path, f"cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise ConfigError(field, path, f"can be read by others; `chmod 600 {path}`")
    lines = tuple(line for line in octets.splitlines() if line)
    if not lines or len(octets) > MAX_FILE or min(map(len, lines)) < MIN_LENGTH:
        raise ConfigError(field, path, f"holds no secrets; write lines of {MIN_LENGTH} characters or more")
    return lines


def _make(path: Path) -> None:
    try:
        write_private(path, secrets.token_urlsafe(OCTETS).encode("ascii") + b"\n")
    except InputError as error:
        raise ConfigError("forward.secret_file", path, error.remedy) from None
    give_to_owner(path)
