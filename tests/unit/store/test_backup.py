"""Backup and restore: what was there is there again; what is damaged or not ours is refused; nothing is overwritten."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.errors import InputError, StoreDamaged
from gatepost.names import Envelope, Recipient, Session
from gatepost.store.accounts import AccountDirectory, Accounts
from gatepost.store.backup import backup
from gatepost.store.journal import Entry, Journal
from gatepost.store.maildir import Drop, Mailboxes
from gatepost.store.restore import restore
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import NewMessage, Outcome, Spool, SpoolShard, State

NOW = 1_790_000_000.0
SETTINGS = SpoolSettings(inline_limit=1000, reserve=0)


def new_message(shard: SpoolShard, body: bytes) -> NewMessage:
    return NewMessage(
        id=shard.next_id(NOW),
        envelope=Envelope(mail_from="bob@example.net", recipients=(Recipient(address="anna@example.org"),)),
        session=Session(received_at=NOW),
        body=body,
    )


def store_with_everything(folder: Path) -> list[NewMessage]:
    """A store as it may stand; returns the mail in its spool."""
    messages = []
    for number in (0, 255):
        shard = SpoolShard.open(folder / "spool", number, SETTINGS)
        batch = [new_message(shard, os.urandom(size)) for size in (10, 5000)]
        shard.add_many(batch)
        messages += batch
        shard.close()
    mailboxes = Mailboxes(folder / "mail", "mx")
    for position, to in enumerate(("anna@example.org", "new@example.org", "cur@example.org")):
        drop = Drop(id=messages[0].id, position=position, address=to, octets=b"mail", junk=position == 0)
        assert mailboxes.deliver([drop]) == [None]
    journal = Journal.open(folder)
    journal.write([Entry(at=NOW, subject="kept")])
    journal.close()
    accounts = Accounts.open(folder)
    accounts.add("anna@example.org", "correct horse battery", NOW)
    accounts.app_passwords.add("anna@example.org", "phone", ["imap"], NOW)
    accounts.certificates.add("anna@example.org", "fingerprint", "ab" * 32, NOW)
    accounts.rights.delegate("anna@example.org", "@example.org", NOW)
    accounts.rights.suspend("anna@example.org", "a burst", NOW)
    accounts.close()
    (folder / "keys").mkdir()
    (folder / "keys" / "dkim.pem").write_bytes(b"key")
    return messages


def test_what_was_there_is_there_again(tmp_path: Path) -> None:
    messages = store_with_everything(tmp_path / "data")
    told: list[str] = []
    made = backup(tmp_path / "data", tmp_path / "b.tar", NOW, told.append)
    assert made.files == len(told) == len(set(told)) > 8
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar", "data"]
    assert restore(tmp_path / "b.tar", tmp_path / "again") == made
    again = tmp_path / "again"
    spool = Spool.open(again / "spool", SETTINGS, now=NOW, exclusive=True)
    assert {m.id: spool.body(m.id) for m in spool.due(NOW)} == {m.id: m.body for m in messages}
    spool.close()
    assert Journal.open(again).search()[0].subject == "kept"
    accounts = Accounts.open(again)
    assert accounts.rights.resume("anna@example.org")
    directory = AccountDirectory(accounts)
    assert directory.check_password("anna@example.org", "correct horse battery")
    assert directory.verifier("anna@example.org")
    assert directory.by_certificate("ab" * 32, "")
    assert directory.may_send_as("anna@example.org", "sales@example.org")
    assert [kept.name for kept in accounts.app_passwords.all("anna@example.org")] == ["phone"]
    accounts.close()
    assert (again / "keys" / "dkim.pem").read_bytes() == b"key"
    inbox = Mailboxes(again / "mail", "mx").path("anna@example.org")
    assert [p.read_bytes() for p in (inbox / ".Junk" / "new").iterdir()] == [b"mail"]
    assert (inbox / ".Junk" / "maildirfolder").exists()
    for path in again.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    store_with_everything(tmp_path / "data")
    backup(tmp_path / "data", tmp_path / "b.tar", NOW)
    before = (tmp_path / "b.tar").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        backup(tmp_path / "data", tmp_path / "b.tar", NOW)
    with pytest.raises(InputError, match="another place"):
        backup(tmp_path / "data", tmp_path / "data" / "b.tar", NOW)
    with pytest.raises(InputError, match="not empty"):
        restore(tmp_path / "b.tar", tmp_path / "data")
    assert (tmp_path / "b.tar").read_bytes() == before
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "b.tar", tmp_path / "empty")


def spoil_cut(octets: bytes) -> bytes:
    return octets[: len(octets) // 2]


def spoil_end(octets: bytes) -> bytes:
    """Cut short between two files, where tar itself sees no error: the manifest is gone."""
    return octets[: octets.index(b"manifest.json")]


def spoil_octet(octets: bytes) -> bytes:
    at = octets.index(b"SQLite format 3") + 4500
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]


@pytest.mark.parametrize("spoil", [spoil_cut, spoil_end, spoil_octet, lambda octets: b"no archive", lambda octets: b""])
def test_a_spoilt_archive_is_refused_and_leaves_nothing(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    store_with_everything(tmp_path / "data")
    backup(tmp_path / "data", tmp_path / "b.tar", NOW)
    (tmp_path / "bad.tar").write_bytes(spoil((tmp_path / "b.tar").read_bytes()))
    with pytest.raises((InputError, StoreDamaged)):
        restore(tmp_path / "bad.tar", tmp_path / "again")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar", "bad.tar", "data"]


def archive_of(path: Path, members: dict[str, bytes], **changes: object) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, octets in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(octets)
            for field, value in changes.items():
                setattr(info, field, value)
            tar.addfile(info, io.BytesIO(octets))
    return path


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "."])
def test_no_name_in_an_archive_leaves_the_folder(tmp_path: Path, name: str) -> None:
    archive = archive_of(tmp_path / "b.tar", {name: b"x"})
    with pytest.raises((InputError, StoreDamaged)):
        restore(archive, tmp_path / "again")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.tar"]


def test_links_and_manifests_that_are_none_are_refused(tmp_path: Path) -> None:
    link = archive_of(tmp_path / "link.tar", {"a": b""}, type=tarfile.SYMTYPE, linkname="/etc/passwd")
    with pytest.raises(StoreDamaged):
        restore(link, tmp_path / "again")
    for number, manifest in enumerate(
        (b"[]", b"{", b'{"format": 1}', b'{"format": 1, "files": [{"path": 1}]}', b"[" * 100_000)
    ):
        with pytest.raises(StoreDamaged):
            restore(archive_of(tmp_path / f"{number}.tar", {"manifest.json": manifest}), tmp_path / "again")
    newer = json.dumps({"format": 2, "files": []}).encode()
    with pytest.raises(InputError, match="newer"):
        restore(archive_of(tmp_path / "newer.tar", {"manifest.json": newer}), tmp_path / "again")


def test_a_backup_under_load_loses_no_message_that_was_accepted_before_it_began(tmp_path: Path) -> None:
    """Reception and delivery go on while the backup is made: what was accepted before is in it, in spool or mailbox."""
    data = tmp_path / "data"
    shard = SpoolShard.open(data / "spool", 0, SETTINGS)
    spool, mailboxes = Spool.open(data / "spool", SETTINGS, now=NOW, exclusive=True), Mailboxes(data / "mail", "mx")
    accepted: list[str] = []
    stop = threading.Event()

    def receive() -> None:
        while not stop.is_set():
            batch = [new_message(shard, os.urandom(size)) for size in (100, 3000)]
            shard.add_many(batch)
            accepted.extend(new.id for new in batch)

    def deliver() -> None:
        while not stop.is_set():
            messages = spool.due(NOW, 5)
            drops = [Drop(id=m.id, position=0, address="a@x", octets=spool.body(m.id)) for m in messages]
            assert not any(mailboxes.deliver(drops))
            spool.record([Outcome(id=m.id, position=0, state=State.DELIVERED) for m in messages], NOW)

    threads = [threading.Thread(target=work) for work in (receive, deliver)]
    for thread in threads:
        thread.start()
    before: list[list[str]] = []
    try:
        while len(accepted) < 100:
            stop.wait(0.01)
        for number in range(2):
            before.append(list(accepted))
            backup(data, tmp_path / f"{number}.tar", NOW)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for number, promised in enumerate(before):
        again = tmp_path / f"again{number}"
        restore(tmp_path / f"{number}.tar", again)
        restored = Spool.open(again / "spool", SETTINGS, now=NOW, exclusive=True)
        in_spool = {m.id for m in restored.due(NOW, 1_000_000)}
        assert all(restored.body(message_id) for message_id in in_spool)
        names = " ".join(p.name for p in (again / "mail").rglob("new/*"))
        assert [i for i in promised if i not in in_spool and f"I{i}R" not in names] == []
        restored.close()


@pytest.mark.parametrize("moment", range(6))
def test_mail_delivered_at_any_step_of_the_backup_is_in_it(tmp_path: Path, moment: int) -> None:
    data = tmp_path / "data"
    shard = SpoolShard.open(data / "spool", 0, SETTINGS)
    spool, mailboxes = Spool.open(data / "spool", SETTINGS, now=NOW, exclusive=True), Mailboxes(data / "mail", "mx")

    def deliver(wanted: int) -> None:
        messages = spool.due(NOW, wanted)
        drops = [Drop(id=m.id, position=0, address="a@x", octets=spool.body(m.id)) for m in messages]
        assert not any(mailboxes.deliver(drops))
        spool.record([Outcome(id=m.id, position=0, state=State.DELIVERED) for m in messages], NOW)

    batch = [new_message(shard, os.urandom(size)) for size in (10, 5000, 20, 6000)]
    shard.add_many(batch)
    deliver(2)
    steps: list[str] = []

    def at_step(path: str) -> None:
        steps.append(path)
        if len(steps) == moment + 1:
            deliver(10)

    backup(data, tmp_path / "b.tar", NOW, at_step)
    restore(tmp_path / "b.tar", tmp_path / "again")
    restored = Spool.open(tmp_path / "again" / "spool", SETTINGS, now=NOW)
    kept = {m.id: restored.body(m.id) for m in restored.due(NOW)}
    names = " ".join(p.name for p in (tmp_path / "again" / "mail").rglob("new/*"))
    assert [new.id for new in batch if new.id not in kept and f"I{new.id}R" not in names] == []
    assert all(kept.get(new.id, new.body) == new.body for new in batch)


def test_a_damaged_database_is_not_kept_as_a_backup(tmp_path: Path) -> None:
    store_with_everything(tmp_path / "data")
    path = tmp_path / "data" / "accounts.db"
    octets = bytearray(path.read_bytes())
    octets[4096:4196] = b"\xff" * 100
    path.write_bytes(octets)
    with pytest.raises(Exception, match="damaged"):
        backup(tmp_path / "data", tmp_path / "b.tar", NOW)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data"]
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(path).execute("SELECT * FROM account").fetchall()


def test_octets_that_are_gone_are_told_rather_than_left_out(tmp_path: Path) -> None:
    messages = store_with_everything(tmp_path / "data")
    next((tmp_path / "data" / "spool" / "shard-000.bodies").iterdir()).unlink()
    with pytest.raises(StoreDamaged, match=f"the octets of {messages[1].id} are gone"):
        backup(tmp_path / "data", tmp_path / "b.tar", NOW)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data"]
