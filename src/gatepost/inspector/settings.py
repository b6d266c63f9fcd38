"""What the inspector can be told: thresholds, caps, DMARC enforcement, exceptions.

In: nothing. Out: `InspectorSettings`, composed into the configuration by `config`.
Standard: RFC 9989 §7.4 (a receiver weighs `p=reject` with what else it knows). Not here: who obeys it (`policy`,
`enforcement`, `rules`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from gatepost.errors import ConfigError
from gatepost.inspector.file_names import PROGRAMS
from gatepost.inspector.links.settings import LinkSettings


class DmarcEnforcement(enum.StrEnum):
    """What becomes of a message whose author domain asks for its refusal."""

    REJECT = "reject"
    QUARANTINE = "quarantine"
    REPORT_ONLY = "report-only"


class OnTemperror(enum.StrEnum):
    """What becomes of a message that cannot be judged because DNS, or a scanner, did not answer."""

    DEFER = "defer"
    TAG = "tag"
    WEIGH = "weigh"


class OnMalware(enum.StrEnum):
    """What becomes of a message in which the scanner found malware."""

    QUARANTINE = "quarantine"
    REJECT = "reject"


_REJECT_CODES = ("header.several-from", "content.gtube")
_QUARANTINE_CODES = (
    "attachment.program",
    "attachment.program-in-document",
    "attachment.blocked-extension",
    "attachment.direction-override",
    "attachment.double-extension",
    "content.bomb",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectorSettings:
    """How findings become a decision."""

    tag_at: float = 5.0
    """Score from which a message goes to the Junk folder."""
    quarantine_at: float = 8.0
    """Score from which a message is held back for a person to look at."""
    reject_at: float = 15.0
    """Score from which a message is refused in the session. Far above `quarantine_at`: a refusal cannot be undone."""
    group_caps: Mapping[str, float] = field(
        default_factory=lambda: (
            {"lists": 4.0, "classifier": 5.5, "path": 4.0, "header": 6.0, "auth": 6.0, "spoof": 6.0}
            | {"attachment": 10.0, "malware": 15.0, "advert": 4.5, "shape": 3.5}
        )
    )
    """The most that all findings of one group add together. `lists` is held below `tag_at` and `classifier` below
    `quarantine_at`, whatever is written here: no block list and no statistical classifier decides alone."""
    default_group_cap: float = 6.0
    """The cap of a group that `group_caps` does not name."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Other weights for rules, by code: `"path.no-reverse-dns" = 0.5`."""
    disabled_rules: tuple[str, ...] = ()
    """Codes of rules that are not to be run."""
    quarantine_codes: tuple[str, ...] = _QUARANTINE_CODES
    """Codes whose finding alone holds a message back, whatever the score and whatever speaks for the message. Programs,
    by content or by name, names that hide one, and archive bombs are in it by default; a list of your own replaces
    it."""
    defer_codes: tuple[str, ...] = ()
    """Codes whose finding asks the sender to try again later (451), unless another refuses the message: for example
    `content.timeout` and `content.unopened`, so that no mail passes that nobody could look into."""
    reject_codes: tuple[str, ...] = _REJECT_CODES
    """Codes whose finding alone refuses a message, whatever the score. Two From fields are in it by default: no honest
    program writes them, and readers differ in which they show; so is the GTUBE text, by which filters are tried."""
    dmarc: DmarcEnforcement = DmarcEnforcement.REJECT
    """What a DMARC failure under `p=reject` leads to: `reject` (only where nothing hints that the message went
    through a mailing list or forwarder, else `quarantine`), `quarantine` or `report-only`."""
    dmarc_temperror: OnTemperror = OnTemperror.DEFER
    """What to do when DNS does not answer and DMARC cannot be judged: `defer` (451, the sender tries again), `tag`
    or `weigh` (only the finding's weight counts). It is never taken for a pass nor refused for good."""
    malware: OnMalware = OnMalware.QUARANTINE
    """What to do when the scanner finds malware: `quarantine`, since signatures err too, or `reject`. Nothing that
    speaks for the message takes it back."""
    not_scanned: OnTemperror = OnTemperror.TAG
    """What to do with a message that the scanner did not scan (it is down, too slow, the message too large): `tag`,
    `defer` (451; what is too large is tagged all the same, it would be so at the next try) or `weigh` (only the
    finding's weight counts). It never counts as clean."""
    blocked_extensions: tuple[str, ...] = tuple(sorted(PROGRAMS))
    """Endings of attached files (`["exe", "js"]`, without the dot) that hold a message back, in archives too. By
    default what a double click starts in Windows; a list of your own replaces it."""
    macro_domains: tuple[str, ...] = ()
    """Domains from which Office files with macros are expected. They are believed only with an aligned pass."""
    trusted_forwarders: tuple[str, ...] = ()
    """Domains whose forwarding is trusted, as proven by their SPF or DKIM pass: mail that fails DMARC through them is
    only tagged."""
    trusted_sealers: tuple[str, ...] = ()
    """Domains whose ARC seals are believed (RFC 8617): a chain sealed by one of them that saw the message pass
    overrides DMARC."""
    trusted_relays: tuple[str, ...] = ()
    """Addresses and networks (CIDR) of relays in front of this server (a secondary MX, a provider): behind them the
    first hop that is not one of them is judged. Empty by default: private networks are not trusted, since container
    bridges make everyone look local."""
    own_domains: tuple[str, ...] = ()
    """Domains whose spoofing from outside is to be seen; the domains this gate serves are added to them."""
    partner_domains: tuple[str, ...] = ()
    """Domains of those you deal with: names that only look like one of them (or like one of `own_domains`) are seen."""
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """People whose names fraudsters borrow (managers, the accounts department), each with the addresses that are truly
    theirs: `"Ann Miller" = ["ann@example.org"]`. Accounts such as ann.miller are known without it."""
    links: LinkSettings = field(default_factory=LinkSettings)
    """How links are judged."""
    memory_days: float = 14.0
    """Days the memory of senders (`[store.history]`) must have lasted before "never wrote to you" says anything."""
    unexpected_countries: tuple[str, ...] = ()
    """Countries (ISO 3166 codes, as `["KP"]`) from which no mail is expected; needs `geo.file`. It weighs a little and
    decides nothing alone."""
    date_past_days: float = 7.0
    """A Date older than this many days at reception is a finding."""
    date_future_hours: float = 12.0
    """A Date further than this many hours in the future is a finding."""

    def _other_codes(self) -> bool:
        return self.quarantine_codes != _QUARANTINE_CODES or self.reject_codes != _REJECT_CODES

    def __post_init__(self) -> None:
        """Raises ConfigError for what could not be obeyed: a typo must not silently leave a rule on or off."""
        if not self.tag_at <= self.quarantine_at <= self.reject_at:
            found = f"{self.tag_at:g}, {self.quarantine_at:g}, {self.reject_at:g}"
            raise ConfigError("inspector.tag_at, quarantine_at, reject_at", found, "must not go down in this order")
        self._check_senders()
        for ending in self.blocked_extensions:
            if not ending or ending.startswith(".") or ending != ending.strip().lower():
                raise ConfigError("inspector.blocked_extensions", ending, 'is written as "exe": no dot, small letters')
        if self.trusted_relays:
            from gatepost.inspector.trace import parse_networks

            parse_networks(self.trusted_relays)
        if self.disabled_rules or self.weights or self.defer_codes or self._other_codes():
            from gatepost.inspector.rules import check_codes  # the rules know the settings, so not at the top

            check_codes(self)

    def _check_senders(self) -> None:
        for name, addresses in self.people.items():
            for address in addresses:
                if not all(address.rpartition("@")[::2]):
                    raise ConfigError(f'inspector.people."{name}"', address, "is no address; write ann@example.org")
        for country in self.unexpected_countries:
            if not (len(country) == 2 and country.isascii() and country.isalpha()):
                raise ConfigError("inspector.unexpected_countries", country, 'is no country code; write "KP"')
