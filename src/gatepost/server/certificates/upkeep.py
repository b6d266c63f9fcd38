"""Looks after our certificate while the gate runs: renews it, and keeps the TLSA records that name its key right.

In: settings, a resolver, a publisher, what the processes show, the log. Out: new certificates, which the supervisor
takes up by itself. Runs in a process of its own: it alone holds the account at the authority.
Standard: RFC 8555, RFC 7671 §8. Not here: what follows from what (`renewal`), one order (`order`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gatepost.errors import GatepostError
from gatepost.net.authority import make_authority
from gatepost.net.publish import DnsPublisher
from gatepost.net.tls import ascii_name, end_point
from gatepost.ports.dns import Resolver
from gatepost.ports.publisher import Publisher
from gatepost.server.certificates.challenges import DnsProver, HttpProver
from gatepost.server.certificates.folder import SELF_SIGNED, CertificateFolder, Pair
from gatepost.server.certificates.order import AcmeFailed, Prover, obtain, renewal_time
from gatepost.server.certificates.renewal import (
    Choice,
    choose,
    look_at_next,
    retire,
    spent_keys,
    wait_after,
    when_due,
)
from gatepost.server.certificates.state import CertificateState, read_state, write_state
from gatepost.server.certificates.tlsa import Sight, keep_published, look, tlsa_data, tlsa_names
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings

TICK = 1.0  # seconds between two looks at whether somebody asks
ARI_EVERY = 21_600.0  # seconds; RFC 9773 §4.3.2 lets the authority say, and this is what they say
SELF_SIGNED_DAYS = 90


def first_pair(folder: CertificateFolder, names: tuple[str, ...], now: float) -> None:
    """Makes a self-signed pair, so that TLS works from the first minute; none where there is one."""
    if folder.current() is None:
        issued = make_authority(SELF_SIGNED, now=now, days=SELF_SIGNED_DAYS).issue(
            [ascii_name(name) for name in names], now=now, days=SELF_SIGNED_DAYS
        )
        folder.use(Pair(issued.chain, issued.key), now)


@dataclass
class Upkeep:
    """`shown` is the end point of the certificate that the processes of this generation show (`net.tls`): with a new
    one comes a new generation, and a new `Upkeep`."""

    settings: GateSettings
    resolver: Resolver
    log: Log
    shown: bytes
    publisher: Publisher | None = None
    clock: Callable[[], float] = time.time
    folder: CertificateFolder = field(init=False)
    _began: float = field(init=False)
    _told: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = CertificateFolder(self.settings.store.folder)
        self._began = self.clock()
        if self.publisher is None and self.settings.publish.server:
            self.publisher = DnsPublisher(self.settings.publish)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until `stop`: now, every `acme.check_every` seconds, and when somebody asks."""
        while not stop.is_set():
            try:
                await self.look_once()
            except (GatepostError, OSError) as error:
                self._tell("trouble", str(error), self.log.error, "certificate-failed", doing="a look", error=error)
            end = self.clock() + self._pause()
            while not stop.is_set() and self.clock() < end and not self.folder.is_asked():
                try:
                    await asyncio.wait_for(stop.wait(), TICK)
                except TimeoutError:
                    pass

    def _pause(self) -> float:
        """Soon again where something settles, else when the settings say."""
        state, usual = read_state(self.folder.path), float(self.settings.acme.check_every)
        settling = bool(state.old) or state.right_since is None
        return max(1.0, min(usual, (self.settings.acme.settle + state.ttl) / 2 if settling else usual))

    async def look_once(self) -> CertificateState:
        """One round. Raises GatepostError, OSError."""
        now, names = self.clock(), tlsa_names(self.settings)
        pair = await asyncio.to_thread(self.folder.current)
        if pair is None:
            raise AcmeFailed(f"{self.folder.path}: the certificate is gone; start the gate again")
        state = read_state(self.folder.path)
        used = (tlsa_data(pair.key), tlsa_data(self.folder.next_key()))
        state, removed = await self._keep_records(state, pair, used, now)
        sights = await look(names, pair.leaf, self.resolver)
        state = look_at_next(state, self.settings.acme, sights, used[1], now)
        state = self._forget(state, sights, removed)
        self._tell_tlsa(pair, sights, used)
        write_state(self.folder.path, state)
        state = await self._ask_authority(state, pair, now)
        return await self._renew(state, pair, sights, now)

    async def _keep_records(
        self, state: CertificateState, pair: Pair, used: tuple[str, str], now: float
    ) -> tuple[CertificateState, tuple[str, ...]]:
        """The records of both keys stand before anything is used; those of old keys go when nobody shows them."""
        acme = self.settings.acme
        if acme.tlsa != "publish" or self.publisher is None:
            return state, ()
        shown_since = self._began if end_point(pair.leaf) == self.shown else None
        spent = spent_keys(state, acme, used, shown_since, now)
        wanted = {*used, *(one.data for one in state.old)} - set(spent)
        kept = await keep_published(self.publisher, tlsa_names(self.settings), wanted, spent, self.settings.publish.ttl)
        if kept.trouble:
            self._tell("publish", kept.trouble, self.log.error, "tlsa-not-published", reason=kept.trouble)
        else:
            self._told.pop("publish", None)
        for data in kept.published:
            self.log.info("tlsa-published", data=data)
        for data in kept.removed:
            self.log.info("tlsa-removed", data=data)
        ttl = max(state.ttl, kept.ttl, self.settings.publish.ttl)
        return replace(state, ttl=ttl, tlsa=kept.trouble), () if kept.trouble else spent

    def _forget(self, state: CertificateState, sights: tuple[Sight, ...], removed: tuple[str, ...]) -> CertificateState:
        """Old keys that no record names any more. Where somebody else publishes, he is told that one may go."""
        shown = set().union(*(sight.data for sight in sights))
        if self.settings.acme.tlsa == "publish":
            return replace(state, old=tuple(one for one in state.old if one.data not in removed))
        if not all(sight.known for sight in sights):
            return state
        left = tuple(one for one in state.old if one.data in shown)
        for one in left:
            self._tell(one.data, "old", self.log.warning, "tlsa-removable", data=one.data, do="take it out of DNS")
        return replace(state, old=left)

    def _tell_tlsa(self, pair: Pair, sights: tuple[Sight, ...], used: tuple[str, str]) -> None:
        """A certificate that no TLSA record names is refused by everyone who looks: somebody must act now."""
        for sight in sights:
            if sight.known and sight.stands and not sight.covers:
                self._tell(
                    sight.name, "wrong", self.log.error, "tlsa-wrong", name=sight.name,
                    do=f"publish TLSA 3 1 1 {used[0]}",
                )  # fmt: skip
            elif sight.known and sight.stands and used[1] not in sight.data:
                self._tell(
                    sight.name, "next", self.log.warning, "tlsa-next-missing", name=sight.name,
                    do=f"publish TLSA 3 1 1 {used[1]} beside what is there",
                )  # fmt: skip
            elif sight.known:
                self._told.pop(sight.name, None)

    async def _ask_authority(self, state: CertificateState, pair: Pair, now: float) -> CertificateState:
        """When the authority wants it renewed; a failure to ask is no trouble, two thirds hold then."""
        if pair.is_self_signed or 0 <= now - state.ari_asked < ARI_EVERY:
            return state
        try:
            ari = await asyncio.to_thread(renewal_time, self.settings.acme, self.folder.path, pair.chain)
        except AcmeFailed:
            ari = state.ari
        state = replace(state, ari=ari, ari_asked=now)
        write_state(self.folder.path, state)
        return state

    async def _renew(
        self, state: CertificateState, pair: Pair, sights: tuple[Sight, ...], now: float
    ) -> CertificateState:
        acme, asked = self.settings.acme, self.folder.is_asked()
        due = when_due(pair, acme.names, state, asked)
        if now < due.at or (now < state.retry_at and not asked):
            return state
        choice = choose(state, acme, sights, pair, now, asked)
        if choice is Choice.WAIT:
            self._tell("wait", due.why, self.log.info, "certificate-waits", why=due.why, waits="for the TLSA record")
            return state
        key = self.folder.next_key() if choice is Choice.NEXT else pair.key
        if choice is Choice.SAME and not pair.is_self_signed:
            self.log.warning("certificate-key-kept", why="DNS does not show the next key's TLSA record for long enough")
        try:
            chain = await asyncio.to_thread(obtain, acme, self.folder.path, key, acme.names, self._prover())
        except GatepostError as error:
            wait = wait_after(state.failures)
            state = state.failed(str(error), now, wait)
            ends = time.strftime("%Y-%m-%d", time.gmtime(pair.leaf.not_valid_after_utc.timestamp()))
            self.log.error("certificate-failed", doing=due.why, error=error, retry_in=int(wait), ends=ends)
        else:
            state = self._use(state, pair, Pair(chain, key), self.clock())
        finally:
            self.folder.answered()
        write_state(self.folder.path, state)
        return state

    def _use(self, state: CertificateState, before: Pair, after: Pair, now: float) -> CertificateState:
        """What was before is written down first: after a crash its record is still known."""
        if after.key != before.key:
            state = retire(state, tlsa_data(before.key), now)
            write_state(self.folder.path, state)
        self.folder.use(after, now)
        self.folder.next_key()
        leaf = after.leaf
        self.log.info(
            "certificate-obtained",
            names=",".join(self.settings.acme.names),
            issuer=leaf.issuer.rfc4514_string(),
            ends=f"{leaf.not_valid_after_utc:%Y-%m-%d}",
            key="next" if after.key != before.key else "same",
        )
        return replace(state, failures=0, retry_at=0.0, error="", ari=None, ari_asked=now)

    def _prover(self) -> Prover:
        if self.settings.acme.challenge == "http-01":
            return HttpProver(self.folder.challenges)
        if self.publisher is None:
            raise AcmeFailed("dns-01 needs [publish]")
        return DnsProver(self.publisher, asyncio.get_running_loop(), self.settings.acme.dns_delay)

    def _tell(self, about: str, what: str, say: Callable[..., None], event: str, **facts: object) -> None:
        """Once, until it changes."""
        if self._told.get(about) != what:
            self._told[about] = what
            say(event, **facts)
