"""msgauth.srs: senders rewritten and restored, forged and old ones refused."""

from __future__ import annotations

import pytest

from gatepost.errors import InputError
from gatepost.msgauth.srs import DAY, Srs, is_rewritten

NOW = 1_800_000_000.0
OURS = Srs((b"a secret of ours",))


@pytest.mark.parametrize(
    "sender",
    [
        "joe@sender.example",
        "Joe.Doe+x=y@Sender.Example",
        '"two words"@sender.example',
        "ünï@sender.example",
        "srs0@x.example",
    ],
)
def test_what_is_rewritten_comes_back(sender: str) -> None:
    written = OURS.rewrite(sender, "ours.example", NOW)
    assert written.endswith("@ours.example")
    assert is_rewritten(written)
    assert OURS.restore(written, NOW) == sender
    if sender.isascii():  # what changes case on the way changes ASCII letters
        assert OURS.restore(written.swapcase(), NOW) == sender.swapcase()


def test_a_second_and_a_third_forwarder_name_the_first() -> None:
    second, third = Srs((b"second",)), Srs((b"third",))
    one = OURS.rewrite("joe@sender.example", "ours.example", NOW)
    two = second.rewrite(one, "second.example", NOW)
    three = third.rewrite(two, "third.example", NOW)
    assert two.startswith("SRS1=")
    assert len(three) <= len(two)
    assert second.restore(two, NOW) == third.restore(three, NOW) == one


def test_an_address_counts_for_three_weeks_and_not_in_the_future() -> None:
    written = OURS.rewrite("joe@sender.example", "ours.example", NOW)
    for days in (-1, 0, 21):
        assert OURS.restore(written, NOW + days * DAY)
    for days in (-2, 22, 500, 1000):
        with pytest.raises(InputError, match="older"):
            OURS.restore(written, NOW + days * DAY)
    assert OURS.restore(written, NOW + 22 * DAY, grace=1)


def test_an_old_secret_is_known_and_makes_nothing() -> None:
    old = Srs((b"old",))
    both = Srs((b"new", b"old"))
    assert both.restore(old.rewrite("joe@sender.example", "ours.example", NOW), NOW)
    with pytest.raises(InputError):
        old.restore(both.rewrite("joe@sender.example", "ours.example", NOW), NOW)


@pytest.mark.parametrize(
    "address",
    [
        "SRS0=AAAA=JW=victim.example=joe@ours.example",
        "SRS0==JW=victim.example=joe@ours.example",
        "SRS0=@ours.example",
        "SRS0=AAAA=JW@ours.example",
        "SRS1=AAAA=first.example==HHHH=JW=victim.example=joe@ours.example",
        "SRS1=AAAA@ours.example",
        "SRS2=AAAA=JW=victim.example=joe@ours.example",
        "joe@ours.example",
        "",
    ],
)
def test_what_we_never_wrote_is_refused(address: str) -> None:
    with pytest.raises(InputError):
        OURS.restore(address, NOW)


def test_every_part_is_under_the_hash() -> None:
    written = OURS.rewrite("joe@sender.example", "ours.example", NOW)
    mark = written.split("=")[1]
    for forged in (
        written.replace("joe", "joey"),
        written.replace("sender", "vendor"),
        written.replace(mark, mark[:3]),
        written.replace(mark, mark + "x"),
        written.replace(written.split("=")[2], "AA"),
    ):
        with pytest.raises(InputError):
            OURS.restore(forged, NOW)


@pytest.mark.parametrize("sender", ["", "postmaster", "@sender.example", "joe@"])
def test_a_sender_without_a_domain_cannot_be_rewritten(sender: str) -> None:
    with pytest.raises(InputError):
        OURS.rewrite(sender, "ours.example", NOW)


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(OURS).replace("secrets", "")
