"""The first files of a gate, as `gatepost init` writes them.

In: a checked choice and the time. Out: files on disk, and `Made` to be shown. Refuses to overwrite anything.
Not here: the command (`init`); what the options mean (docs/configuration.md is made from their declarations).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gatepost.audit.records import WantedRecord
from gatepost.config import parse_settings
from gatepost.errors import InputError
from gatepost.msgauth.dkim.publish import write_key_record
from gatepost.net.authority import make_authority, write_private
from gatepost.server.records.wanted import wanted_of
from gatepost.server.signing.keyfiles import ALGORITHMS, make_key, write_key
from gatepost.store.accounts import Accounts, random_password
from gatepost.store.keys import KeyState, Stage

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

[submission]
# Where people hand in mail: with TLS from the start, and after STARTTLS. `gatepost user add` makes accounts.
listen_tls = ["0.0.0.0:465", "[::]:465"]
# Some networks close 587 as well; 2525 is what is tried next.
listen_starttls = ["0.0.0.0:587", "[::]:587", "0.0.0.0:2525", "[::]:2525"]

[delivery]
# What people write to other domains goes straight to the mail exchangers of those. If your provider closes port 25, use
# his smart host, as "smtps:smtp.example.net:465" with a table [delivery.auth."smtp.example.net"] (docs/delivery.md).
relay = "mx"

[store]
# Spool, mailboxes, accounts, journal, signing keys (keys/). Back it up with `gatepost backup` while the gate runs.
folder = "{store}"

[tls]
# From our own authority until a public one signs: other servers take it for opportunistic TLS. With [acme] below, take
# both lines out.
certificate = "tls/{hostname}.pem"
key = "tls/{hostname}.key"

# [acme]
# A certificate from Let's Encrypt, renewed by itself, with the TLSA records of its key (docs/certificates.md).
# names = ["{hostname}", "mta-sts.{domain}", "autoconfig.{domain}", "autodiscover.{domain}"]
# agree_to_terms = true

# [https]
# Serves our MTA-STS policy and sets mail programs up (docs/https.md); port 80 has the challenges of [acme].
# listen = ["0.0.0.0:443", "[::]:443"]
# http_listen = ["0.0.0.0:80", "[::]:80"]

[dns]
# A validating resolver of your own on this machine is best: block lists refuse the large public ones.
servers = ["system"]

# [lists]
# Block lists to ask; none unless you name it (docs/lists.md). Read their terms. All together never stop a message.
# use = ["zen", "dbl", "surbl"]
# "watch" only records what they would have done (`gatepost lists report`); "on" counts it.
# mode = "watch"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made. `password` is nowhere else."""

    config: Path
    files: tuple[Path, ...]
    account: str
    password: str
    records: tuple[WantedRecord, ...]

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
    keys, key_files = _first_keys(chosen, folder / chosen.store / "keys", now)
    text = _configuration(chosen)
    records = wanted_of(parse_settings(text, folder), chosen.domain, keys)
    authority = make_authority(f"{chosen.domain} mail authority", now=now)
    authority.save(folder / "tls")
    leaf = authority.issue([chosen.hostname], now=now)
    files = {
        f"tls/{chosen.hostname}.pem": leaf.chain,
        f"tls/{chosen.hostname}.key": leaf.key,
        "dns-records.txt": "".join(f"; {r.why}\n{r.text}\n\n" for r in records).encode(),
    }
    for name, octets in files.items():
        write_private(folder / name, octets)
    password = _first_account(folder / chosen.store, chosen.account, now)
    write_private(config, text.encode())  # last: where it stands, the rest is there
    made = (config, *(folder / name for name in files), *key_files, folder / "tls/ca.pem", folder / "tls/ca.key")
    return Made(config=config, files=made, account=chosen.account, password=password, records=records)


def _configuration(chosen: Chosen) -> str:
    local = chosen.account.partition("@")[0]
    return TEMPLATE.format(
        domain=chosen.domain, hostname=chosen.hostname, account=chosen.account, local=local, store=chosen.store
    )


def _make_folders(folder: Path, store: str) -> None:
    try:
        for name in ("", "tls", store):
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


def _first_keys(chosen: Chosen, folder: Path, now: float) -> tuple[list[KeyState], list[Path]]:
    """The first signing keys: they sign at once, since there are none before them. `gatepost records rotate` changes
    them later."""
    states, files = [], []
    for algorithm in ALGORITHMS:
        key, selector = make_key(algorithm), f"gp-{algorithm}"
        files.append(write_key(folder, chosen.domain, selector, key))
        record = write_key_record(key)
        state = KeyState(
            domain=chosen.domain, selector=selector, algorithm=algorithm, record=record, stage=Stage.LIVE, since=now
        )
        states.append(state)
    return states, files
