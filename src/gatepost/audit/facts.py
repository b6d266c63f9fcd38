"""What is known of a domain when it is judged.

In: made by `gathering`. Out: `Facts`, frozen. A piece is None where it was not gathered: switched off, or not finished
within the deadline (then `unfinished` names it). Answers of DNS are kept as they came, failures among them.
Standard: DESIGN, "Rules that keep it so" (facts in, findings out). Not here: asking (`gathering`), judging (`checks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatepost.audit.settings import AuditSettings
from gatepost.msgauth.dkim.publish import Sight
from gatepost.msgauth.dkim.record import KeyRecord
from gatepost.msgauth.dmarc.lookup import Walk
from gatepost.msgauth.spf.record import SpfRecord
from gatepost.ports import Answer, DnsStatus, Page, Service
from gatepost.reputation import Listings


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A signing key whose private half we hold: its selector, and the record that publishes it."""

    selector: str
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneFacts:
    """The domain's own records; None where nobody asked. `caa_at` is the name where CAA was found, the domain or one
    above it."""

    soa: Answer
    ns: Answer
    mx: Answer
    txt: Answer
    ds: Answer
    a: Answer | None = None
    aaaa: Answer | None = None
    dnskey: Answer | None = None
    caa: Answer | None = None
    caa_at: str = ""

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All of them."""
        asked = (self.soa, self.ns, self.a, self.aaaa, self.mx, self.txt, self.ds, self.dnskey, self.caa)
        return tuple(one for one in asked if one is not None)

    @property
    def exists(self) -> bool:
        """Whether there is such a name; True while nobody knows."""
        return self.mx.status is not DnsStatus.NXDOMAIN

    @property
    def is_null_mx(self) -> bool:
        """RFC 7505: the domain takes no mail."""
        return [mx.exchange for mx in self.mx.exchanges] == ["."] if self.mx.status is DnsStatus.OK else False

    @property
    def addresses(self) -> tuple[str, ...]:
        """The domain's own addresses."""
        return tuple(name for answer in (self.a, self.aaaa) if answer is not None for name in answer.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """An address of a mail server, its reverse names, and those of them that lead back."""

    address: str
    ptr: Answer
    confirmed: tuple[str, ...] = ()
    is_certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A mail exchanger. `implicit`: there is no MX, the domain's own address serves (RFC 5321 §5.1)."""

    name: str
    preference: int
    a: Answer
    aaaa: Answer
    cname: Answer | None = None  # None: not asked
    tlsa: Answer | None = None
    reverse: tuple[Reverse, ...] = ()
    implicit: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """IPv4 first."""
        return tuple(dict.fromkeys((*self.a.names, *self.aaaa.names)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfTerm:
    """One term of a policy that asks DNS. `void`: it found nothing (None: unknown). `count` is how many addresses or
    mail exchangers it found. `node` is the policy it leads to."""

    text: str
    kind: str
    name: str
    void: bool | None = None
    count: int = 0
    unknown: bool = False  # it has macros: what it asks for depends on the message
    node: SpfNode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpfNode:
    """The policy of one name in the tree. `status` is DNS's answer; `texts` are the SPF records found. `record` is the
    only one, read. `problem` says in words what is wrong here. `lookups` and `voids` count the tree from here on."""

    domain: str
    status: DnsStatus
    texts: tuple[str, ...] = ()
    record: SpfRecord | None = None
    problem: str = ""
    terms: tuple[SpfTerm, ...] = ()
    lookups: int = 0
    voids: int = 0
    strings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """A DKIM selector that was found. `record` is a key, or why there is none. `sight` compares it to our own key,
    whose record is `held`."""

    name: str
    answer: Answer
    record: KeyRecord | str
    sight: Sight | None = None
    held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimFacts:
    """`selectors` are those that exist, or that should. `asked` counts the names looked up. `wildcard` is the answer
    for a selector that nobody has; `domain_keys` the answer for `_domainkey` itself, which tells whether there may be
    any (RFC 8020)."""

    selectors: tuple[Selector, ...]
    asked: int
    wildcard: Answer
    domain_keys: Answer
    unanswered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """A report address of the DMARC record: `tag` is rua or ruf. `permission` is the answer at its domain's
    `_report._dmarc` (None: the domain is the same organization's, none is needed). `mx` is where its mail goes."""

    tag: str
    uri: str
    domain: str
    permission: Answer | None
    mx: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcFacts:
    """The walk, with DNS's answers in the same order; `reporters` of the record that holds for the domain."""

    walk: Walk
    answers: tuple[Answer, ...]
    reporters: tuple[Reporter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StsFacts:
    """MTA-STS: the record, the policy host's addresses, and the page where the policy should be (None: not fetched)."""

    record: Answer
    page: Page | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreRecords:
    """TLS-RPT and BIMI; where mail programs look for the servers (RFC 6186); the page of autoconfig."""

    tls_rpt: Answer
    bimi: Answer | None = None
    srv: Mapping[str, Answer] = field(default_factory=dict)
    autoconfig: Answer | None = None
    autodiscover: Answer | None = None
    autoconfig_page: Page | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike:
    """A name like the domain's that exists. `way` says how it was made, `takes_mail` that it has an MX."""

    name: str
    way: str
    takes_mail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LookalikeFacts:
    """`asked` counts the names that were looked up, `unanswered` those about which DNS said nothing."""

    found: tuple[Lookalike, ...]
    asked: int
    unanswered: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFacts:
    """What DNS lists say of the domain and its servers' addresses; `names` are the lists that were asked."""

    listings: Listings
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All of it. `domain` is in A-labels, `shown` as people write it. `unfinished` names pieces that the deadline cut
    off, or that ended in trouble, with the reason."""

    domain: str
    shown: str
    now: float
    settings: AuditSettings
    zone: ZoneFacts | None = None
    hosts: tuple[Host, ...] | None = None
    left_out: int = 0
    spf: SpfNode | None = None
    host_spf: Mapping[str, SpfNode] = field(default_factory=dict)
    dkim: DkimFacts | None = None
    dmarc: DmarcFacts | None = None
    sts: StsFacts | None = None
    more: MoreRecords | None = None
    lookalikes: LookalikeFacts | None = None
    lists: ListFacts | None = None
    services: tuple[Service, ...] | None = None
    unfinished: Mapping[str, str] = field(default_factory=dict)

    @property
    def takes_mail(self) -> bool:
        """Whether anybody can send mail to the domain, as far as is known."""
        return bool(self.hosts)
