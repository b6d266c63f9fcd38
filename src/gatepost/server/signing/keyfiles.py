"""Private keys as files: where they are, how they are made, read and deleted.

In: settings, a domain, an algorithm. Out: `KeyFile`s; keys in memory, or ConfigError with the command that mends it.
Standard: RFC 8301 §3.2 (2048 bits), RFC 8463 (Ed25519); files are PEM (PKCS #8; RFC 5958), mode 0600.
Not here: which key signs (`keyring`), the states (`store.keys`).
"""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gatepost.errors import ConfigError
from gatepost.msgauth.dkim.domains import to_ascii
from gatepost.msgauth.dkim.publish import read_private_key
from gatepost.msgauth.dkim.sign import PrivateKey
from gatepost.net.authority import write_private
from gatepost.server.settings import GateSettings
from gatepost.store.database import give_to_owner, make_folder, sync_folder

ALGORITHMS = ("rsa", "ed25519")  # in the order of their signatures in a message, from the top
ENDING = ".key"
MAX_FILE = 64 << 10  # octets; a key of 16,384 bits has 13,000
MAX_DOMAINS = 10_000


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One private key on disk. `ours`: it lies in the gate's own folder, and may be deleted when its life is over."""

    domain: str
    selector: str
    path: Path
    ours: bool = True


def key_folder(settings: GateSettings) -> Path:
    """Where the gate keeps its keys."""
    return Path(settings.signing.folder) if settings.signing.folder else Path(settings.store.folder) / "keys"


def find_keys(settings: GateSettings) -> list[KeyFile]:
    """Every key, those of the settings last. Raises ConfigError."""
    found = list(_in_folder(key_folder(settings)))
    for domain, chosen in settings.signing.domains.items():
        for selector, path in chosen.keys.items():
            where = f'signing.domains."{domain}".keys'
            if not to_ascii(domain.encode()):
                raise ConfigError(where, domain, "is no domain name; write it as example.org")
            if not to_ascii(selector.encode()):
                raise ConfigError(where, selector, "is no selector; letters, digits, hyphens and dots are")
            found.append(KeyFile(to_ascii(domain.encode()), to_ascii(selector.encode()), Path(path), ours=False))
    return found


def _in_folder(folder: Path) -> Iterator[KeyFile]:
    try:
        domains = sorted(entry for entry in folder.iterdir() if entry.is_dir())[:MAX_DOMAINS]
        for domain in domains:
            for path in sorted(domain.glob(f"*{ENDING}")):
                names = to_ascii(domain.name.encode("utf-8", "replace")), to_ascii(path.stem.encode("utf-8", "replace"))
                if all(names):  # what has another name is no key of ours: an editor's copy, say
                    yield KeyFile(*names, path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError("signing.folder", folder, f"cannot be read: {error.strerror}") from None


def load_key(file: KeyFile) -> PrivateKey:
    """The key in memory. Raises ConfigError; the text names the file, never what is in it."""
    field = f"signing key {file.selector} of {file.domain}"
    try:
        with file.path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            pem = stream.read(MAX_FILE)
    except OSError as error:
        raise ConfigError(field, file.path, f"cannot be read: {error.strerror}") from None
    if mode & 0o077:
        raise ConfigError(field, file.path, f"can be read by others on this machine; chmod 600 {file.path}")
    key = read_private_key(pem)
    if isinstance(key, str):
        raise ConfigError(field, file.path, key)
    return key


def make_key(algorithm: str) -> PrivateKey:
    """A new key of `algorithm`."""
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    # RFC 8301 §3.2 asks for 2048 bits; more does not fit into one character-string's record with many providers.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def write_key(folder: Path, domain: str, selector: str, key: PrivateKey) -> Path:
    """Keeps a key in the gate's folder, durable on return. Raises InputError, StoreError."""
    place = folder / domain
    make_folder(place)
    for made in (folder, place):
        give_to_owner(made)
    path = place / f"{selector}{ENDING}"
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    give_to_owner(path)
    return path


def delete_key(file: KeyFile) -> bool:
    """Deletes a key of the gate's own folder; False where there was none. Raises OSError."""
    if not file.ours or not file.path.exists():
        return False
    file.path.unlink()
    sync_folder(file.path.parent)
    return True


def new_selector(algorithm: str, taken: Container[str], now: float) -> str:
    """A selector that tells the day: gp20261124-rsa, and gp20261124b-rsa when that is taken."""
    day = time.strftime("%Y%m%d", time.gmtime(now))
    for letter in ("", *"bcdefghijklmnopqrstuvwxyz"):
        selector = f"gp{day}{letter}-{algorithm}"
        if selector not in taken:
            return selector
    raise ConfigError("records rotate", day, "saw 26 new keys already; wait until DNS shows the last ones")


def own_keys(settings: GateSettings, user: pwd.struct_passwd | None) -> None:
    """What root made in the gate's own folder belongs to the user that the processes become: they delete old keys."""
    folder = key_folder(settings)
    if user is None or not folder.is_dir():
        return
    for path in (folder, *folder.glob("*"), *folder.glob(f"*/*{ENDING}")):
        if not path.is_symlink() and path.lstat().st_uid == 0:
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
