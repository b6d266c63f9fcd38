"""When a certificate is renewed and for which key: the record in DNS comes first, and time never runs out for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.net.authority import make_authority
from gatepost.server.certificates.folder import SELF_SIGNED, CertificateFolder, Pair, public_octets
from gatepost.server.certificates.renewal import (
    LAST_WAIT,
    Choice,
    choose,
    look_at_next,
    retire,
    spent_keys,
    wait_after,
    when_due,
)
from gatepost.server.certificates.settings import AcmeSettings
from gatepost.server.certificates.state import CertificateState, OldKey, read_state, write_state
from gatepost.server.certificates.tlsa import Sight

DAY = 86_400.0
NOW = 1_795_000_000.0
HOST = "mx.example.org"
WATCH = AcmeSettings(names=(HOST,), settle=100)
PUBLISH = replace(WATCH, tlsa="publish")


def pair(name: str = HOST, root: str = "Some authority") -> Pair:
    """Good for 90 days from NOW."""
    issued = make_authority(root, now=NOW).issue([name], now=NOW, days=90)
    return Pair(issued.chain, issued.key)


GOOD, OWN = pair(), pair(root=SELF_SIGNED)
STATE = CertificateState(next_data="next")


def sight(*data: str, stands: bool | None = None, known: bool = True, ttl: int = 50) -> Sight:
    stands = bool(data) if stands is None else stands
    return Sight(name="_25._tcp.mx.example.org", known=known, stands=stands, data=frozenset(data), covers=True, ttl=ttl)


@pytest.mark.parametrize(
    ("one", "names", "state", "asked", "day"),
    [
        (OWN, (HOST,), STATE, False, None),
        (GOOD, (HOST,), STATE, False, 60),
        (GOOD, ("MX.Example.org.",), STATE, False, 60),
        (GOOD, (HOST, "www.example.org"), STATE, False, None),
        (GOOD, (HOST,), STATE, True, None),
        (GOOD, (HOST,), replace(STATE, ari=NOW + 5 * DAY), False, 5),
        (GOOD, (HOST,), replace(STATE, ari=NOW + 80 * DAY), False, 60),  # two thirds are late enough
    ],
)
def test_when_it_is_due(
    one: Pair, names: tuple[str, ...], state: CertificateState, asked: bool, day: int | None
) -> None:
    due = when_due(one, names, state, asked)
    assert due.why
    assert due.at == 0 if day is None else abs(due.at - NOW - day * DAY) < DAY


def test_a_key_is_used_only_when_dns_has_shown_its_record_for_long_enough() -> None:
    state = look_at_next(STATE, PUBLISH, [sight("live", "next")], "next", NOW)
    assert state.right_since == NOW
    for later, choice in ((149, Choice.WAIT), (150, Choice.NEXT)):  # settle and TTL
        assert choose(state, PUBLISH, [sight("live", "next")], GOOD, NOW + later) is choice


@pytest.mark.parametrize(
    ("settings", "sights", "choice"),
    [
        (PUBLISH, [sight("live")], Choice.WAIT),  # the next one's record is not there
        (PUBLISH, [sight()], Choice.WAIT),  # none is there yet
        (PUBLISH, [sight("live", "next"), sight("live")], Choice.WAIT),  # one of two hosts lacks it
        (PUBLISH, [sight(known=False)], Choice.WAIT),
        (WATCH, [sight("live")], Choice.SAME),
        (WATCH, [sight(stands=True)], Choice.SAME),  # records of another kind
        (WATCH, [sight(known=False)], Choice.SAME),  # nobody knows: never "no record"
        (WATCH, [sight()], Choice.NEXT),  # nobody has any
    ],
)
def test_what_dns_does_not_show_is_not_used(settings: AcmeSettings, sights: list[Sight], choice: Choice) -> None:
    state = look_at_next(STATE, settings, sights, "next", NOW)
    assert choose(state, settings, sights, GOOD, NOW + 60 * DAY) is choice
    late = Choice.NEXT if choice is Choice.NEXT else Choice.SAME
    assert choose(state, settings, sights, GOOD, NOW + 76 * DAY) is late  # time gets short: the key that is named
    assert choose(state, settings, sights, OWN, NOW) is Choice.SAME


def test_a_record_that_goes_away_begins_the_wait_again_and_silence_does_not() -> None:
    right = look_at_next(STATE, PUBLISH, [sight("next")], "next", NOW)
    silent = look_at_next(right, PUBLISH, [sight(known=False)], "next", NOW + 50)
    assert silent.right_since == NOW
    assert choose(silent, PUBLISH, [sight(known=False)], GOOD, NOW + 1000) is Choice.WAIT  # but not used unseen
    gone = look_at_next(silent, PUBLISH, [sight("live")], "next", NOW + 60)
    assert gone.right_since is None
    other = look_at_next(right, PUBLISH, [sight("next", "newer")], "newer", NOW + 70)
    assert other.right_since == NOW + 70  # another key has its own wait
    back = look_at_next(right, PUBLISH, [sight("next")], "next", NOW - 500)
    assert back.right_since == NOW - 500  # the clock went back


def test_an_old_record_goes_last() -> None:
    state = replace(retire(STATE, "old", NOW), ttl=50)
    assert spent_keys(state, PUBLISH, ("live", "next"), NOW, NOW + 149) == ()
    assert spent_keys(state, PUBLISH, ("live", "next"), None, NOW + DAY) == ()  # the new one is not shown yet
    assert spent_keys(state, PUBLISH, ("live", "old"), NOW, NOW + DAY) == ()  # it is in use again
    assert spent_keys(state, PUBLISH, ("live", "next"), NOW, NOW + 150) == ("old",)
    assert spent_keys(state, PUBLISH, ("live", "next"), NOW + 10, NOW + 150) == ()  # it is shown since then only


def test_failures_are_tried_again_later_each_time() -> None:
    waits = [wait_after(failures) for failures in range(30)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (900, LAST_WAIT)


def test_the_state_survives_and_damage_is_no_end(tmp_path: Path) -> None:
    state = CertificateState(failures=2, error="why", right_since=1.5, old=(OldKey(data="ab", since=2.0),), ari=3.0)
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    for octets in (b"", b"[]", b"{}", b'{"old": 1}', b'{"old": [], "new": 1}', b"\xff"):
        (tmp_path / "state.json").write_bytes(octets)
        assert read_state(tmp_path) == CertificateState()


def test_the_pair_changes_in_one_step_and_the_next_key_is_never_the_one_in_use(tmp_path: Path) -> None:
    folder = CertificateFolder(tmp_path)
    folder.prepare()
    assert folder.current() is None
    first = folder.next_key()
    assert folder.next_key() == first
    issued = Pair(GOOD.chain, first)
    folder.use(issued, NOW)
    assert folder.current() == issued
    second = folder.next_key()  # also after a crash between `use` and the next key
    assert public_octets(second) != public_octets(first)
    folder.use(GOOD, NOW + 1)
    assert [path.read_bytes() for path in tmp_path.rglob("key.pem") if "current" not in path.parts] == [GOOD.key]
    (folder.path / "current").unlink()  # a backup has no links
    folder.prepare()
    assert folder.current() == GOOD
