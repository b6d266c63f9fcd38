"""Where the certificates that we get ourselves are kept: keys, chains, challenges; all for the gate's user alone.

In: the store's folder. Out: paths; files that are whole or not there. `current` is a link to the folder of the pair in
use, so that chain and key change in one step. Standard: RFC 7468 (PEM). Not here: what is in them (`order`).
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatepost.errors import ConfigError, StoreDamaged
from gatepost.net.authority import write_private
from gatepost.server.certificates.settings import CHAIN, CURRENT, FOLDER, KEY, live_files
from gatepost.store.database import give_to_owner, make_folder, sync_folder, told

NEXT, ASKED = "next.pem", "renew"
CHALLENGES = "challenges"
KEPT = 3  # pairs before the current one, for who wants to look


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with the chain above it, and its key; both PEM."""

    chain: bytes
    key: bytes

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate itself."""
        return x509.load_pem_x509_certificates(self.chain)[0]

    @property
    def is_self_signed(self) -> bool:
        """Made here, until an authority has given one."""
        return bool(self.leaf.issuer.rfc4514_string().startswith(f"CN={SELF_SIGNED}"))


SELF_SIGNED = "Gatepost until ACME"


class CertificateFolder:
    """`folder` is STORE/certificates. Raises StoreError; StoreDamaged for files that are not what they were."""

    def __init__(self, store: str | Path) -> None:
        self.path = Path(store) / FOLDER
        self.live = live_files(store)  # what TLS shows: chain and key

    @property
    def challenges(self) -> Path:
        """Where ACME's challenges lie, a file each."""
        return self.path / CHALLENGES

    def prepare(self, user: pwd.struct_passwd | None = None) -> None:
        """Makes what is missing, and gives what is root's to `user`, else to the store's owner."""
        make_folder(self.challenges)
        self._find_again()
        store = self.path.parent.stat()
        owner = (user.pw_uid, user.pw_gid) if user is not None else (store.st_uid, store.st_gid)
        if os.geteuid() != 0 or owner[0] == 0:
            return
        for path in (self.path, *self.path.rglob("*")):
            found = path.lstat()
            # In a folder of his, he could have made a second name for somebody else's file.
            if found.st_uid == 0 and (found.st_nlink == 1 or stat.S_ISDIR(found.st_mode)):
                os.chown(path, *owner, follow_symlinks=False)

    def _find_again(self) -> None:
        """A backup has no links: after a restore the newest pair is the one in use."""
        whole = sorted(path.parent for path in self.path.glob(f"2*-*/{KEY}") if (path.parent / CHAIN).exists())
        if whole and not (self.path / CURRENT).exists():
            self._turn(whole[-1].name)

    def current(self) -> Pair | None:
        """The pair in use; None before the first."""
        chain, key = (self._read(Path(CURRENT) / name) for name in (CHAIN, KEY))
        return Pair(chain, key) if chain and key else None

    def use(self, pair: Pair, now: float) -> None:
        """Makes `pair` the one in use: it is written first, then the link is turned in one step."""
        name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{secrets.token_hex(4)}"
        make_folder(self.path / name)
        write_private(self.path / name / KEY, pair.key)
        write_private(self.path / name / CHAIN, pair.chain)
        self._turn(name)
        self._forget_old()

    def _turn(self, name: str) -> None:
        fresh = self.path / f".{CURRENT}.{secrets.token_hex(4)}"
        with told(fresh):
            fresh.symlink_to(name)
            os.replace(fresh, self.path / CURRENT)
            sync_folder(self.path)

    def next_key(self) -> bytes:
        """The key that follows, made now if there is none or it is in use already."""
        held, current = self._read(Path(NEXT)), self.current()
        if held and (current is None or public_octets(held) != public_octets(current.key)):
            return held
        made = new_key()
        self._write(NEXT, made)
        return made

    def is_asked(self) -> bool:
        """Whether somebody asked for a new certificate before its time."""
        return (self.path / ASKED).exists()

    def ask(self) -> None:
        """Asks for a new certificate before its time."""
        self._write(ASKED, b"")

    def answered(self) -> None:
        """What was asked for is done, or failed."""
        with told(self.path / ASKED):
            (self.path / ASKED).unlink(missing_ok=True)

    def _write(self, name: str, octets: bytes) -> None:
        """A command may be root's, the gate is not, and has to read it."""
        write_private(self.path / name, octets)
        give_to_owner(self.path / name)

    def _read(self, name: Path) -> bytes:
        with told(self.path / name):
            try:
                return (self.path / name).read_bytes()
            except FileNotFoundError:
                return b""

    def _forget_old(self) -> None:
        """Old keys are of use to thieves only; a few chains stay for who wants to look at them."""
        used = os.readlink(self.path / CURRENT)
        old = sorted(path for path in self.path.glob("2*-*") if path.is_dir() and path.name != used)
        for path in old:
            (path / KEY).unlink(missing_ok=True)
        for path in old[:-KEPT]:
            shutil.rmtree(path, ignore_errors=True)


def new_key() -> bytes:
    """A new key: P-256, which every peer takes."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_octets(key: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a private key, which a TLSA record with selector 1 names."""
    try:
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise StoreDamaged(f"a key in the folder of certificates cannot be read: {error}") from error
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def check_owner(path: str, user: pwd.struct_passwd | None) -> None:
    """Root reads these files before it becomes `user`, who could turn the link to somebody else's key."""
    if user is not None and Path(path).exists() and Path(path).stat().st_uid != user.pw_uid:
        raise ConfigError("acme", path, f"is not {user.pw_name}'s; the link leads elsewhere")
