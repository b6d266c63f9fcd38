"""The first files of a gate, as `gatepost init` writes them.

In: a checked choice and the time. Out: files on disk, and `Made` to be shown. Refuses to overwrite anything.
Not here: the command (`init`); what the options mean (docs/configuration.md is made from their declarations).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from gatepost.errors import InputError
from gatepost.net.authority import make_authority, write_private
from gatepost.store.accounts import Accounts, random_password

if TYPE_CHECKING:
    from gatepost.cli.init import Chosen

TEMPLATE = """\
# Gatepost for {domain}, written by `gatepost init`. Every option: docs/configuration.md.
# `gatepost serve --check` says whether this file works; SIGHUP makes a running gate read it again.

# The name of this server. It needs an address record, and that address a PTR record that points back to it.
hostname = "{hostname}"
# Who reads mail for postmaster of every domain, and the gate's own notices.
postmaster = "{account}"

[domains."{domain}"]
# Local parts that exist, besides the accounts made by `gatepost init`. Others are refused in the session.
accounts = []
# Other names, each with the accounts that get its mail.
aliases = {{ abuse = ["{local}"] }}
# "maildir" keeps mail here; "lmtp:127.0.0.1:24" or "smtp:192.0.2.1:25" hands it on.
route = "maildir"

[server]
# With systemd's socket unit (packaging/) write listen = []: systemd binds the ports, and nothing ever is root.
listen = ["0.0.0.0:25", "[::]:25"]
# The user to become after binding port 25 when started as root.
# user = "gatepost"

[store]
# Spool, mailboxes, accounts, journal. Back it up with `gatepost backup` while the gate runs.
folder = "{store}"

[tls]
# From our own authority until a public one signs: other servers take it for opportunistic TLS.
certificate = "tls/{hostname}.pem"
key = "tls/{hostname}.key"

[dns]
# A validating resolver of your own on this machine is best: block lists refuse the large public ones.
servers = ["system"]

# [lists]
# Block lists to ask; none unless you name it (docs/lists.md). Read their terms. All together never stop a message.
# use = ["zen", "dbl", "surbl"]
# "watch" only records what they would have done (`gatepost lists report`); "on" counts it.
# mode = "watch"
"""


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record in master-file form, and why it is published."""

    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made. `password` is nowhere else."""

    config: Path
    files: tuple[Path, ...]
    account: str
    password: str
    records: tuple[DnsRecord, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON values; the schema is docs/schema/init.json."""
        return {
            "config": str(self.config),
            "files": [str(path) for path in self.files],
            "account": self.account,
            "password": self.password,
            "records": [{"record": record.text, "why": record.why} for record in self.records],
        }


def make_gate(chosen: Chosen, *, now: float) -> Made:
    """Writes everything into `chosen.folder`. Raises InputError when something is there already or fails."""
    folder = chosen.folder
    config = folder / "gatepost.toml"
    if config.exists():
        raise InputError("--folder", config, "is there already; choose another folder, or remove it yourself")
    _make_folders(folder, chosen.store)
    keys = {f"dkim/gp-{kind}.key": key for kind, key in _dkim_keys().items()}
    records = _records(chosen, {Path(name).stem: key for name, key in keys.items()})
    authority = make_authority(f"{chosen.domain} mail authority", now=now)
    authority.save(folder / "tls")
    leaf = authority.issue([chosen.hostname], now=now)
    files = {
        f"tls/{chosen.hostname}.pem": leaf.chain,
        f"tls/{chosen.hostname}.key": leaf.key,
        **{name: _pem(key) for name, key in keys.items()},
        "dns-records.txt": "".join(f"; {r.why}\n{r.text}\n\n" for r in records).encode(),
    }
    for name, octets in files.items():
        write_private(folder / name, octets)
    password = _first_account(folder / chosen.store, chosen.account, now)
    local = chosen.account.partition("@")[0]
    text = TEMPLATE.format(
        domain=chosen.domain, hostname=chosen.hostname, account=chosen.account, local=local, store=chosen.store
    )
    write_private(config, text.encode())  # last: where it stands, the rest is there
    made = (config, *(folder / name for name in files), folder / "tls/ca.pem", folder / "tls/ca.key")
    return Made(config=config, files=made, account=chosen.account, password=password, records=records)


def _make_folders(folder: Path, store: str) -> None:
    try:
        for name in ("", "tls", "dkim", store):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("--folder", folder, f"cannot be made: {error.strerror}") from None


def _first_account(folder: Path, address: str, now: float) -> str:
    password = random_password()
    accounts = Accounts.open(folder)
    try:
        accounts.add(address, password, now)
    finally:
        accounts.close()
    return password


def _dkim_keys() -> dict[str, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey]:
    """RFC 8301 §3.2 wants 2048 bits; RFC 8463 keys beside them for those who know them."""
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }


def _pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _records(chosen: Chosen, keys: dict[str, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey]) -> tuple[DnsRecord, ...]:
    domain = chosen.domain
    found = [
        DnsRecord(f"{domain}. IN MX 10 {chosen.hostname}.", "mail for the domain comes here"),
        DnsRecord(
            f"; {chosen.hostname}. IN A <this server's address>   and the reverse: <address> IN PTR {chosen.hostname}.",
            "the server's name and address must point at each other, or large receivers refuse its mail",
        ),
        DnsRecord(
            f'{domain}. IN TXT "v=spf1 mx -all"', "SPF: only the domain's mail exchangers send for it (RFC 7208)"
        ),
        DnsRecord(
            f'{chosen.hostname}. IN TXT "v=spf1 a -all"', "SPF for the server's own name, which EHLO and bounces use"
        ),
    ]
    for selector, key in keys.items():
        name = f"{selector}._domainkey.{domain}."
        found.append(
            DnsRecord(f"{name} IN TXT {_strings(_key_record(key))}", "DKIM: the key of our signatures (RFC 6376)")
        )
    found.append(
        DnsRecord(
            f'_dmarc.{domain}. IN TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@{domain}"',
            "DMARC: what fails both is suspect; tell us who fails (RFC 9989). Later: p=reject",
        )
    )
    return tuple(found)


def _key_record(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    """RFC 6376 §3.6.1; RFC 8463 §4: the bare 32 octets for Ed25519."""
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(public.public_bytes_raw()).decode()}"
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"


def _strings(text: str) -> str:
    """Character-strings of at most 255 octets (RFC 1035 §3.3)."""
    return " ".join(f'"{text[start : start + 250]}"' for start in range(0, len(text), 250))
