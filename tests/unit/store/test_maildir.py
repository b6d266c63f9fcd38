"""Maildir delivery: where files go, what they are called, and that a repeated delivery makes no second copy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gatepost.errors import StoreError
from gatepost.store.maildir import Drop, Mailboxes
from gatepost.store.spool.ids import IdSource, write_id

NOW = 1_790_000_000.5
ID = write_id(IdSource(0).next(NOW))


def drop(octets: bytes = b"Subject: x\r\n\r\nhello\r\n", to: str = "anna@example.org", **more: object) -> Drop:
    return Drop(**{"id": ID, "position": 0, "address": to, "octets": octets, **more})  # type: ignore[arg-type]


@pytest.fixture
def mailboxes(tmp_path: Path) -> Mailboxes:
    return Mailboxes(tmp_path / "mail", "mx.example.org")


def test_a_message_lies_in_new_with_its_octets_and_its_size_in_the_name(mailboxes: Mailboxes) -> None:
    octets = bytes(range(256)) * 50
    assert mailboxes.deliver([drop(octets)]) == [None]
    inbox = mailboxes.path("anna@example.org")
    (file,) = (inbox / "new").iterdir()
    assert file.read_bytes() == octets
    assert file.name == f"1790000000.M500000I{ID}R0.mx.example.org,S={len(octets)}"
    assert sorted(p.name for p in inbox.iterdir()) == ["cur", "new", "tmp"]
    assert list((inbox / "tmp").iterdir()) == []
    for path in [mailboxes.folder, *mailboxes.folder.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0


def test_junk_goes_to_a_maildir_plus_plus_folder(mailboxes: Mailboxes) -> None:
    assert mailboxes.deliver([drop(junk=True)]) == [None]
    junk = mailboxes.path("anna@example.org") / ".Junk"
    assert len(list((junk / "new").iterdir())) == 1
    assert (junk / "maildirfolder").exists()
    assert (junk.parent / "cur").is_dir()


def test_a_batch_for_many_mailboxes(mailboxes: Mailboxes) -> None:
    drops = [drop(to=f"u{n % 7}@example.org", position=n) for n in range(50)]
    assert mailboxes.deliver(drops) == [None] * 50
    assert sum(len(list((mailboxes.path(f"u{n}@example.org") / "new").iterdir())) for n in range(7)) == 50


@pytest.mark.parametrize("seen", [None, ":2,", ":2,S"])
def test_a_repeated_delivery_makes_no_second_copy(mailboxes: Mailboxes, seen: str | None) -> None:
    mailboxes.deliver([drop()])
    inbox = mailboxes.path("anna@example.org")
    if seen is not None:
        (file,) = (inbox / "new").iterdir()
        file.rename(inbox / "cur" / (file.name + seen))
    assert mailboxes.deliver([drop()]) == [None]
    assert len(list(inbox.glob("new/*")) + list(inbox.glob("cur/*"))) == 1


def test_what_a_crash_left_in_tmp_is_replaced(mailboxes: Mailboxes) -> None:
    inbox = mailboxes.create("anna@example.org")
    (inbox / "tmp" / f"1790000000.M500000I{ID}R0.mx.example.org,S=5").write_bytes(b"h")
    assert mailboxes.deliver([drop(b"hello")]) == [None]
    assert [p.read_bytes() for p in (inbox / "new").iterdir()] == [b"hello"]
    assert list((inbox / "tmp").iterdir()) == []


def test_two_copies_of_one_message_for_one_mailbox_are_two(mailboxes: Mailboxes) -> None:
    assert mailboxes.deliver([drop(position=0), drop(position=1)]) == [None, None]
    assert len(list((mailboxes.path("anna@example.org") / "new").iterdir())) == 2


def test_one_mailboxs_trouble_does_not_touch_the_others(mailboxes: Mailboxes) -> None:
    mailboxes.folder.mkdir()
    (mailboxes.folder / "broken.example").write_bytes(b"not a folder")
    first, second, third = mailboxes.deliver([drop(), drop(to="a@broken.example"), drop(to="@example.org")])
    assert first is None
    assert isinstance(second, StoreError)
    assert isinstance(third, StoreError)
    assert len(list((mailboxes.path("anna@example.org") / "new").iterdir())) == 1


def test_a_mailbox_removed_meanwhile_is_made_again(mailboxes: Mailboxes) -> None:
    inbox = mailboxes.create("anna@example.org")
    for part in ("tmp", "new", "cur"):
        (inbox / part).rmdir()
    assert mailboxes.deliver([drop()]) == [None]


@pytest.mark.parametrize("address", ["../../etc@example.org", "a/b@example.org", ".@..", "\0@x", "%2e%2e@x", "..@.."])
def test_no_address_leaves_the_folder(mailboxes: Mailboxes, address: str) -> None:
    path = mailboxes.path(address)
    assert path.parent.parent == mailboxes.folder
    assert os.path.normpath(path) == str(path)
    assert not path.name.startswith(".")


def test_names_differ_where_addresses_differ_and_case_does_not_matter(mailboxes: Mailboxes) -> None:
    assert mailboxes.path("Anna@EXAMPLE.org") == mailboxes.path("anna@example.org")
    assert mailboxes.path("a%2Fb@x") != mailboxes.path("a/b@x")
    assert mailboxes.path("jürgen@x").name == "j%C3%BCrgen"


def test_a_symbolic_link_in_tmp_is_not_followed(mailboxes: Mailboxes, tmp_path: Path) -> None:
    inbox = mailboxes.create("anna@example.org")
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (inbox / "tmp" / f"1790000000.M500000I{ID}R0.mx.example.org,S=5").symlink_to(victim)
    assert mailboxes.deliver([drop(b"hello")]) == [None]
    assert victim.read_bytes() == b"precious"
