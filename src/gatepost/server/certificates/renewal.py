"""Decides about our certificate: whether a new one is due, and for which key.

In: the certificate in use, the state, what DNS shows, the time. Out: what is due and why; which key; the state after a
look. A key is used only when every TLSA set that stands names it, and has done so for longer than the set before may be
cached; where that is not so when time gets short, the certificate is renewed for the key that is named already.
Standard: RFC 7671 §8.1, RFC 9773. Not here: doing it (`upkeep`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cryptography import x509

from gatepost.net.tls import ascii_name
from gatepost.server.certificates.folder import Pair
from gatepost.server.certificates.settings import AcmeSettings
from gatepost.server.certificates.state import CertificateState, OldKey
from gatepost.server.certificates.tlsa import Sight

RENEW_AT = 2 / 3  # of its life
LATEST_AT = 5 / 6  # until then a renewal waits for the next key's TLSA record
FIRST_WAIT, LAST_WAIT = 900.0, 43_200.0  # seconds after a failure; authorities allow some five an hour


class Choice(enum.Enum):
    """The key of the next certificate."""

    NEXT = "next"  # the next one
    SAME = "same"  # the one in use: no TLSA record has to change
    WAIT = "wait"  # none yet: the next one's record is published, and time is left


@dataclass(frozen=True, slots=True)
class Due:
    """When a new certificate is due (seconds since the epoch), and in words why."""

    at: float
    why: str


def when_due(pair: Pair, names: Sequence[str], state: CertificateState, asked: bool) -> Due:
    """When a certificate after `pair` is due; the past means now."""
    leaf = pair.leaf
    if pair.is_self_signed:
        return Due(0.0, "an authority has not given one yet")
    if set(map(ascii_name, names)) != names_of(leaf):
        return Due(0.0, "acme.names has changed")
    if asked:
        return Due(0.0, "somebody asked for it")
    start, end = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
    usual = start + (end - start) * RENEW_AT
    if state.ari is not None and state.ari < usual:
        return Due(state.ari, "the authority wants it renewed (RFC 9773)")
    return Due(usual, "two thirds of its life are over")


def names_of(leaf: x509.Certificate) -> set[str]:
    """The names a certificate is for, in lower case."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {name.lower() for name in found.get_values_for_type(x509.DNSName)}


def look_at_next(
    state: CertificateState, settings: AcmeSettings, sights: Sequence[Sight], data: str, now: float
) -> CertificateState:
    """What DNS says of the next key, whose TLSA data is `data`. Silence changes nothing; a record that went away, or a
    clock that goes back, begins the wait again."""
    ttl = max([state.ttl, *(sight.ttl for sight in sights)])
    since = state.right_since if state.next_data == data else None
    since = None if since is None else min(since, now)
    if all(sight.known for sight in sights):
        right = all(is_named(sight, data, settings) for sight in sights)
        since = (now if since is None else since) if right else None
    return replace(state, next_data=data, right_since=since, ttl=ttl, looked_at=now)


def is_named(sight: Sight, data: str, settings: AcmeSettings) -> bool:
    """Whether nobody who looks there would refuse the key of `data`."""
    return sight.known and (data in sight.data or (not sight.stands and settings.tlsa == "watch"))


def choose(
    state: CertificateState,
    settings: AcmeSettings,
    sights: Sequence[Sight],
    pair: Pair,
    now: float,
    asked: bool = False,
) -> Choice:
    """Which key the certificate that is due now is for."""
    if pair.is_self_signed:
        return Choice.SAME  # its key was made here too; its record may stand already
    named = all(is_named(sight, state.next_data, settings) for sight in sights)
    wait = settings.settle + state.ttl if any(sight.stands for sight in sights) else 0.0
    if named and state.right_since is not None and now - state.right_since >= wait:
        return Choice.NEXT
    leaf = pair.leaf
    start, end = leaf.not_valid_before_utc.timestamp(), leaf.not_valid_after_utc.timestamp()
    if settings.tlsa == "publish" and not asked and now < start + (end - start) * LATEST_AT:
        return Choice.WAIT
    return Choice.SAME


def wait_after(failures: int) -> float:
    """Seconds until the next try after so many failures."""
    return float(min(FIRST_WAIT * 2 ** min(failures, 10), LAST_WAIT))


def retire(state: CertificateState, data: str, now: float) -> CertificateState:
    """The key of `data` goes out of use: its record must stay a while."""
    kept = tuple(one for one in state.old if one.data != data)
    return replace(state, old=(*kept, OldKey(data=data, since=now)))


def spent_keys(
    state: CertificateState, settings: AcmeSettings, used: Sequence[str], shown_since: float | None, now: float
) -> tuple[str, ...]:
    """The old keys whose records may go: the certificate in use is what processes show (since `shown_since`; None: not
    yet), and has been for as long as anybody may hold what was before."""
    if shown_since is None:
        return ()
    wait = settings.settle + state.ttl
    return tuple(one.data for one in state.old if one.data not in used and now - max(one.since, shown_since) >= wait)
