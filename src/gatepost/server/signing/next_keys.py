"""Begins a roll-over: makes the next keys of a domain, one for each algorithm that has none waiting.

In: settings, a domain, the time. Out: the states of its next keys, new or waiting already. Safe to repeat, and to be
killed at any point: a state is written before its file, since a file without a state would sign at once.
Standard: RFC 8301 §3.2, RFC 8463. Not here: what happens next (`rotation`, `upkeep`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gatepost.errors import InputError
from gatepost.msgauth.dkim.domains import to_ascii
from gatepost.msgauth.dkim.publish import write_key_record
from gatepost.msgauth.dkim.sign import PrivateKey
from gatepost.server.settings import GateSettings
from gatepost.server.signing.keyfiles import ALGORITHMS, find_keys, key_folder, make_key, new_selector, write_key
from gatepost.server.signing.upkeep import adopt
from gatepost.store.keys import KeyState, KeyStates, Stage


def signing_domains(settings: GateSettings) -> tuple[str, ...]:
    """The domains that keys may be made for: those served here, and those that keys are named for."""
    named = (*settings.domains, *settings.signing.domains)
    return tuple(dict.fromkeys(to_ascii(name.encode("utf-8", "replace")) or name for name in named))


def checked_domain(settings: GateSettings, domain: str) -> str:
    """`domain` in A-labels. InputError when mail of it is not signed here."""
    name = to_ascii(domain.rstrip(".").encode("utf-8", "replace"))
    known = signing_domains(settings)
    if name not in known:
        raise InputError("DOMAIN", domain, f"is not served here; known are {', '.join(known[:10]) or 'none'}")
    return name


def make_next_keys(settings: GateSettings, domain: str, now: float) -> list[KeyState]:
    """The next keys of `domain`. Raises InputError, StoreError."""
    name = checked_domain(settings, domain)
    states = KeyStates.open(Path(settings.store.folder))
    fresh: list[tuple[KeyState, PrivateKey]] = []

    def add(keys: Sequence[KeyState]) -> list[KeyState]:
        known = adopt(keys, find_keys(settings), now)
        waiting = {key.algorithm for key in known if key.domain == name and key.stage is Stage.NEXT}
        taken = {key.selector for key in known if key.domain == name}
        for algorithm in ALGORITHMS:
            if algorithm not in waiting:
                selector, key = new_selector(algorithm, taken, now), make_key(algorithm)
                fresh.append((_next(name, selector, algorithm, key, now), key))
        return [*known, *(state for state, _ in fresh)]

    try:
        after = states.change(add)
        for state, key in fresh:
            write_key(key_folder(settings), name, state.selector, key)
    finally:
        states.close()
    waiting = [key for key in after if key.domain == name and key.stage is Stage.NEXT]
    return sorted(waiting, key=lambda key: ALGORITHMS.index(key.algorithm))


def _next(domain: str, selector: str, algorithm: str, key: PrivateKey, now: float) -> KeyState:
    return KeyState(
        domain=domain,
        selector=selector,
        algorithm=algorithm,
        record=write_key_record(key),
        stage=Stage.NEXT,
        since=now,
    )
