"""What the administrator may choose about signing: keys, fields, roll-over.

Standard: RFC 6376 §3.5 (x=), §5.4 (which fields). Not here: verifying signatures (`msgauth.dkim.settings`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gatepost.msgauth.dkim.sign import OVERSIGNED_FIELDS, SIGNED_FIELDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningDomainSettings:
    """Keys of one domain that lie elsewhere; a table `[signing.domains."example.org"]`."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """Selectors, each with the file of its private key (PEM, readable by the gate's user alone), beside those in
    `signing.folder`. Of one algorithm only one key signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSettings:
    """DKIM signatures on what accounts hand in."""

    folder: str = ""
    """The folder of private keys: `DOMAIN/SELECTOR.key`. Empty: `keys` in the store's folder. A key that is put there
    by hand signs; those that `gatepost records rotate` makes sign when DNS shows them."""
    domains: Mapping[str, SigningDomainSettings] = field(default_factory=dict)
    """Domains with keys that lie elsewhere."""
    unsigned: Literal["refuse", "send"] = "refuse"
    """What becomes of mail whose author's domain has no key: it is answered 451 until there is one, or it leaves
    without a signature."""
    expire: int = 0
    """Seconds after which a signature no longer counts (x=). 0: it does not end. Less than `delivery.expire` would
    break signatures of mail that waits."""
    fields: tuple[str, ...] = SIGNED_FIELDS
    """Header fields that are signed where they are there; `from` must be among them."""
    oversign: tuple[str, ...] = OVERSIGNED_FIELDS
    """Those of them that are signed once more than they are there, so that nobody can add another above."""
    seven_bit: bool = True
    """Whether bodies with 8-bit octets or long lines are encoded before they are signed (RFC 6376 §5.3): a server on
    the way that cannot take them would encode them itself, and break the signature."""
    settle: int = 3600
    """Seconds for which DNS must have shown a next key's record without a break before the key signs: other name
    servers of the domain may be slower than the one we asked."""
    keep_old: int = 7 * 86_400
    """Seconds, beyond `delivery.expire`, for which the record of a key that no longer signs must stay in DNS: mail that
    it signed is still under way, or is verified again later."""
    check_every: int = 600
    """Seconds between two looks at the records in DNS."""
