"""The options of certificates by ACME, and of the TLSA records that name them.

In: gatepost.toml, table [acme]. Out: `AcmeSettings`. Standard: RFC 8555 (ACME), RFC 7671 §8 (roll-over of TLSA).
Not here: certificates that somebody else renews ([tls]), where changes to DNS go ([publish]).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER, CURRENT, CHAIN, KEY = "certificates", "current", "chain.pem", "key.pem"


def live_files(store: str | Path) -> tuple[str, str]:
    """The files of the certificate in use, in a store: chain and key."""
    place = Path(store) / FOLDER / CURRENT
    return str(place / CHAIN), str(place / KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeSettings:
    """Certificates from a public authority, renewed by themselves; needs the extra `acme`. Off unless names are given;
    `tls.certificate` and `tls.key` stay empty then. Until the first one is there, a self-signed one is shown."""

    names: tuple[str, ...] = ()
    """The names in the certificate: this server's, and those of `[https]` ("mta-sts.example.org"). The first is what
    programs show."""
    directory: str = "https://acme-v02.api.letsencrypt.org/directory"
    """The authority's directory. Let's Encrypt's own for trials is
    "https://acme-staging-v02.api.letsencrypt.org/directory"."""
    agree_to_terms: bool = False
    """Whether you agree to the authority's terms of service; without it nothing is asked of it."""
    contact: tuple[str, ...] = ()
    """Mail addresses that the authority may write to."""
    challenge: Literal["http-01", "dns-01"] = "http-01"
    """How the names are proven to be ours: by a page on port 80 (`https.http_listen`), or by a record in DNS
    (`[publish]`), which also proves wildcards."""
    dns_delay: float = 30.0
    """Seconds from a record that proves a name to the authority's look at it: for secondary name servers."""
    ca_file: str = ""
    """PEM file with the root that the authority's own web server is checked against. Empty: the usual roots."""
    eab_kid: str = ""
    """The id of an account that you have with the authority already, where it asks for one (external account binding).
    Empty: none."""
    eab_key_file: str = ""
    """File with the key (base64url) that belongs to `eab_kid`, for the gate's user alone."""
    tlsa: Literal["watch", "publish"] = "watch"
    """How TLSA records of port 25 are kept right. "watch": where some stand, the next key is used only when they name
    it, and else the key stays the same; `gatepost certificate show` says what to publish. "publish": they are written
    by `[publish]`, and taken away when their key is gone. The zone must be signed, or nobody looks at them."""
    tlsa_names: tuple[str, ...] = ()
    """The mail exchangers that show this certificate. Empty: `hostname`."""
    settle: int = 3600
    """Seconds, beyond the records' TTL, for which DNS must have shown a next key's TLSA record before the key is used,
    and for which the record of a key before stays."""
    check_every: int = 3600
    """Seconds between two looks at whether something is due."""
    timeout: float = 180.0
    """Seconds for getting one certificate."""
