"""The accounts themselves: what is missing, changed or there twice is found."""

from __future__ import annotations

from pathlib import Path

from accounting import Promise, read_promises, take_account
from workload import NOW, SETTINGS, new_message

from gatepost.store.maildir import Drop, Mailboxes
from gatepost.store.spool import SpoolShard


def test_a_promise_line_that_is_cut_short_is_none() -> None:
    assert read_promises(b"ACCEPTED a 1f 2\nTOGETHER\nACCEPTED b 2f") == {"a": Promise("1f", 2)}


def test_what_is_missing_changed_or_there_twice_is_found(tmp_path: Path) -> None:
    spool, mailboxes = tmp_path / "spool", Mailboxes(tmp_path / "mail", "mx")
    shard = SpoolShard.open(spool, 0, SETTINGS)
    kept, large = new_message(shard, 100, to=2), new_message(shard, 5000)
    shard.add_many([kept, large])
    shard.close()
    promises = {kept.id: Promise(recipients=2), large.id: Promise(recipients=1)}
    assert take_account(spool, tmp_path / "mail", promises, now=NOW, settings=SETTINGS).is_clean

    more = promises | {kept.id: Promise(recipients=3), "0" * 12: Promise()}
    account = take_account(spool, tmp_path / "mail", more, now=NOW, settings=SETTINGS)
    assert account.lost == {kept.id, "0" * 12}
    changed = {kept.id: Promise(sha256="00")}
    assert take_account(spool, tmp_path / "mail", changed, now=NOW, settings=SETTINGS).damaged

    (spool / "shard-000.bodies" / large.id).unlink()
    account = take_account(spool, tmp_path / "mail", promises, now=NOW, settings=SETTINGS)
    assert (account.lost, len(account.damaged)) == ({large.id}, 1)

    drop = Drop(id=large.id, position=0, address="a@x", octets=large.body)
    assert mailboxes.deliver([drop]) == [None]
    account = take_account(spool, tmp_path / "mail", promises, now=NOW, settings=SETTINGS)
    assert (account.lost, account.in_mailbox) == (set(), {(large.id, 0)})
    (file,) = (mailboxes.path("a@x") / "new").iterdir()
    (mailboxes.path("a@x") / "cur" / (file.name + ":2,RS")).write_bytes(large.body)
    assert take_account(spool, tmp_path / "mail", promises, now=NOW, settings=SETTINGS).twice
