"""Looks after signing keys while the gate runs: are their records in DNS, is it time for the next key, may the old go?

In: settings, a resolver, the log. Out: states in the store, warnings; deleted keys. Runs in the delivery process; every
process that signs sees the change within seconds (`fresh`). Standard: RFC 6376 §3.6.2 (where records are).
Not here: what leads to what (`rotation`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from gatepost.errors import GatepostError
from gatepost.msgauth.dkim.publish import Sight, compare_published, key_name, write_key_record
from gatepost.msgauth.dkim.sign import key_type
from gatepost.ports import Question, Resolver
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.server.signing.keyfiles import KeyFile, delete_key, find_keys, load_key
from gatepost.server.signing.keyring import load_ring, without_keys
from gatepost.server.signing.publishing import KeyPublishing
from gatepost.server.signing.rotation import Happened, News, Waits, step
from gatepost.store.keys import FILE, KeyState, KeyStates, Stage

DEADLINE = 60.0  # seconds for all questions of a round
MAX_NAMED = 10  # domains in a log line
FIRST = 5.0  # seconds after the start: mail comes first

Sights = Mapping[tuple[str, str], Sight]

_TOLD = {
    Happened.SEEN: ("info", "signing-key-seen", ""),
    Happened.FOUND: ("info", "signing-record-right", ""),
    Happened.USED: ("info", "signing-key-used", ""),
    Happened.RETIRED: ("info", "signing-key-retired", "leave its record where it is"),
    Happened.LOST: ("warning", "signing-record-missing", "gatepost records print DOMAIN shows what to publish"),
    Happened.WRONG: ("warning", "signing-record-wrong", "gatepost records print DOMAIN shows what to publish"),
    Happened.REMOVABLE: ("warning", "signing-key-removable", "take its record out of DNS"),
    Happened.GONE: ("info", "signing-key-gone", ""),
}


async def watch_keys(settings: GateSettings, resolver: Resolver, log: Log) -> None:
    """Rounds until it is cancelled; a round that fails is told of once."""
    failing = False
    lacked: tuple[str, ...] = ()
    publishing = KeyPublishing(settings, log)
    await asyncio.sleep(FIRST)
    while True:
        try:
            await publishing.round(time.time())
            news = await look_once(settings, resolver, time.time())
            lacked = await asyncio.to_thread(_tell_lacking, settings, lacked, log)
        except (GatepostError, OSError) as error:
            if not failing:
                log.error("signing-keys-failed", doing="looking after keys", error=error)
            failing = True
        else:
            failing = False
            tell(news, log)
        await asyncio.sleep(settings.signing.check_every)


def _tell_lacking(settings: GateSettings, told: tuple[str, ...], log: Log) -> tuple[str, ...]:
    """The domains whose people hand in mail that nothing signs; told of when they are others than before."""
    if not (settings.submission.listen_tls or settings.submission.listen_starttls):
        return ()
    lacking = without_keys(settings, load_ring(settings))
    if lacking and lacking != told:
        becomes = "refused" if settings.signing.unsigned == "refuse" else "sent without a signature"
        names = ",".join(lacking[:MAX_NAMED])
        log.warning("signing-no-key", domains=names, mail=becomes, do=f"gatepost records rotate {lacking[0]}")
    return lacking


async def look_once(settings: GateSettings, resolver: Resolver, now: float) -> list[News]:
    """One round: every key's record is asked for, every key takes the step that is due."""
    files = await asyncio.to_thread(find_keys, settings)
    if not files and not (Path(settings.store.folder) / FILE).exists():
        return []
    states = await asyncio.to_thread(KeyStates.open, Path(settings.store.folder))
    try:
        known = await asyncio.to_thread(states.change, lambda keys: adopt(keys, files, now))
        sights = await ask(known, resolver)
        news = await asyncio.to_thread(_take_step, settings, states, sights, now)
        await asyncio.to_thread(_delete_spent, states.all(), files, news)
    finally:
        states.close()
    return news


def adopt(states: Sequence[KeyState], files: Sequence[KeyFile], now: float) -> list[KeyState]:
    """The states, with one for each key that was put there by hand: it signs already."""
    known = {(key.domain, key.selector) for key in states}
    found = list(states)
    for file in files:
        if (file.domain, file.selector) in known:
            continue
        key = load_key(file)
        found.append(
            KeyState(
                domain=file.domain,
                selector=file.selector,
                algorithm=key_type(key),
                record=write_key_record(key),
                stage=Stage.LIVE,
                since=now,
            )
        )
        known.add((file.domain, file.selector))
    return found


async def ask(keys: Sequence[KeyState], resolver: Resolver) -> Sights:
    """What DNS shows of each key's record."""
    questions = [Question(key_name(key.selector, key.domain), "TXT") for key in keys]
    answers = await resolver.lookup_all(questions, DEADLINE) if questions else ()
    return {
        (key.domain, key.selector): compare_published(answer, key.record)
        for key, answer in zip(keys, answers, strict=True)
    }


def _take_step(settings: GateSettings, states: KeyStates, sights: Sights, now: float) -> list[News]:
    waits = Waits(settle=settings.signing.settle, keep_old=settings.signing.keep_old + settings.delivery.expire)
    news: list[News] = []

    def steps(keys: Sequence[KeyState]) -> list[KeyState]:
        left: list[KeyState] = []
        for domain, group in groupby(keys, lambda key: key.domain):  # they come in order
            seen = {selector: sight for (name, selector), sight in sights.items() if name == domain}
            kept, told = step(list(group), seen, now, waits)
            left += kept
            news.extend(told)
        return left

    states.change(steps)
    return news


def _delete_spent(states: Sequence[KeyState], files: Sequence[KeyFile], news: Sequence[News]) -> None:
    """The private half of a key whose record may go is of use only to a thief. One that was left over by a crash goes
    in the next round."""
    spent = {(key.domain, key.selector) for key in states if key.stage is Stage.REMOVABLE}
    spent |= {(one.key.domain, one.key.selector) for one in news if one.what is Happened.GONE}
    for file in files:
        if (file.domain, file.selector) in spent:
            delete_key(file)


def tell(news: Sequence[News], log: Log) -> None:
    """One line a happening."""
    for one in news:
        level, event, do = _TOLD[one.what]
        say = log.warning if level == "warning" else log.info
        told = {"domain": one.key.domain, "selector": one.key.selector, "algorithm": one.key.algorithm}
        if one.what in (Happened.LOST, Happened.WRONG):
            told["reason"] = one.key.reason
        say(event, **told, do=do.replace("DOMAIN", one.key.domain) or None)
