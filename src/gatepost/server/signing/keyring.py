"""The keys that sign, in memory: loaded once before the workers fork, and again when a roll-over changed them.

In: settings, the store's states. Out: `KeyRing`: for an author's domain the keys that sign for it.
Standard: RFC 9989 §4.10.2 (a parent domain's signature is aligned, unless adkim=s asks for the very same).
Not here: signing (`signer`), the files (`keyfiles`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gatepost.msgauth.dkim.domains import to_ascii
from gatepost.msgauth.dkim.sign import PrivateKey, key_type
from gatepost.server.settings import GateSettings
from gatepost.server.signing.keyfiles import ALGORITHMS, KeyFile, find_keys, load_key
from gatepost.store.keys import FILE, KeyState, KeyStates, Stage


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs, in memory."""

    domain: str
    selector: str
    key: PrivateKey

    @property
    def name(self) -> str:
        """As it stands in the log."""
        return f"{self.selector}@{self.domain}"


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys by domain, RSA first: a receiver that looks at one signature only looks at the first."""

    keys: Mapping[str, tuple[SigningKey, ...]]

    def find(self, author_domain: str) -> tuple[SigningKey, ...]:
        """The keys for mail From `author_domain` (U-labels or A-labels): its own, else those of the nearest domain
        above that has any."""
        name = to_ascii(author_domain.encode("utf-8", "replace"))
        while name:
            found = self.keys.get(name)
            if found:
                return found
            name = name.partition(".")[2]
        return ()


def load_ring(settings: GateSettings, before: KeyRing | None = None) -> KeyRing:
    """Every key that signs now; those that are in `before` are not read again. Raises ConfigError, StoreError."""
    return make_ring(find_keys(settings), read_states(settings), before)


def read_states(settings: GateSettings) -> list[KeyState]:
    """The states in the store; none where none was ever written."""
    folder = Path(settings.store.folder)
    if not (folder / FILE).exists():
        return []
    states = KeyStates.open(folder)
    try:
        return states.all()
    finally:
        states.close()


def make_ring(files: Iterable[KeyFile], states: Iterable[KeyState], before: KeyRing | None = None) -> KeyRing:
    """One key of each algorithm and domain: of several the one that signs since the latest time, which is any that has
    a state before one that was put there by hand."""
    known = {(state.domain, state.selector): state for state in states}
    held = {(one.domain, one.selector): one for keys in (before.keys.values() if before else ()) for one in keys}
    chosen: dict[tuple[str, str], tuple[tuple[float, str], SigningKey]] = {}
    for file in files:
        name = (file.domain, file.selector)
        state = known.get(name)
        if state is not None and state.stage is not Stage.LIVE:
            continue
        one = held.get(name) or SigningKey(*name, load_key(file))
        rank = (state.since if state is not None else 0.0, file.selector)
        place = (file.domain, key_type(one.key))
        if place not in chosen or chosen[place][0] < rank:
            chosen[place] = (rank, one)
    ring: dict[str, tuple[SigningKey, ...]] = {}
    for (domain, _), (_, one) in sorted(chosen.items(), key=lambda item: ALGORITHMS.index(item[0][1])):
        ring[domain] = (*ring.get(domain, ()), one)
    return KeyRing(MappingProxyType(ring))


def without_keys(settings: GateSettings, ring: KeyRing) -> tuple[str, ...]:
    """The served domains whose mail would leave unsigned."""
    return tuple(domain for domain in settings.domains if not ring.find(domain))
