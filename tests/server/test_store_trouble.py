"""The store in trouble: damaged, locked, unwritable, full, gone. Each is told in one line; mail that can go on does."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import shutil
import smtplib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.cli.main import main
from gatepost.store.history import SenderHistory
from running import RunningGate, mail, until

StartGate = Callable[..., RunningGate]
DEAD = '[domains."dead.example"]\nrecipients = "any"\nroute = "smtp:127.0.0.1:1"\n'


def shards(gate: RunningGate) -> list[Path]:
    return sorted((gate.folder / "store" / "spool").glob("shard-*.db"))


def in_here(gate: RunningGate, *command: str) -> tuple[int, str]:
    """`gate.cli` without a process of its own."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main([*command, "--config", str(gate.config)])
    return code, said.getvalue()


def assert_plain(gate: RunningGate, *command: str) -> str:
    """The command ends with a code of ours and words on one line, if it fails."""
    code, text = in_here(gate, *command)
    assert code in (0, 1, 2), (command, text)
    assert "Traceback" not in text
    if code == 2 and command[0] != "serve":
        assert text.startswith("gatepost: ")
        assert text.count("\n") == 1, text
    return text


def test_a_damaged_shard_is_told_and_the_others_go_on(start_gate: StartGate) -> None:
    gate = start_gate(domain=DEAD)
    for number in range(6):
        assert gate.send(mail(f"waits-{number}"), "x@dead.example")[0] == 250
    gate.stop()
    before = shards(gate)[0].read_bytes()
    shards(gate)[0].write_bytes(before[:4096] + random.Random(1).randbytes(len(before) - 4096))
    shards(gate)[-1].write_bytes(b"nonsense" * 1000)  # the delivery's own, for reports
    code, text = gate.cli("serve", "--check")
    assert code == 2
    assert "shard-000.db: damaged" in text
    gate.start()
    assert gate.log.count("shard-damaged") >= 1
    assert gate.send(mail("goes-on"))[0] == 250
    gate.delivered("ann")
    assert shards(gate)[0].read_bytes()[4096:] != before[4096:]  # nothing was guessed around
    assert "Traceback" not in gate.log


def test_a_damaged_memory_of_senders_stops_no_mail_and_begins_anew_once_it_is_away(start_gate: StartGate) -> None:
    gate = start_gate()
    gate.stop()
    history = gate.folder / "store" / "history.db"
    for path in history.parent.glob("history.db*"):
        path.unlink()
    history.write_bytes(random.Random(1).randbytes(9000))
    gate.start()
    assert gate.send(mail("without-memory"))[0] == 250
    gate.delivered("ann")
    until(lambda: "history-failed" in gate.log, "the loss is told")
    history.rename(history.with_suffix(".damaged"))
    assert gate.send(mail("with-memory"))[0] == 250
    again = SenderHistory(history.parent)
    until(lambda: asyncio.run(again.lookup("joe@sender.example", [], [])).messages == 1, "a new memory")
    again.close()
    assert "Traceback" not in gate.log


def test_a_damaged_journal_stops_no_mail_and_is_begun_anew_once_it_is_away(start_gate: StartGate) -> None:
    gate = start_gate()
    gate.stop()
    journal = gate.folder / "store" / "journal.db"
    journal.write_bytes(random.Random(1).randbytes(9000))
    gate.start()
    assert gate.send(mail("without-history"))[0] == 250
    gate.delivered("ann")
    until(lambda: "journal-failed" in gate.log, "the loss is told")
    assert "damaged" in assert_plain(gate, "log")
    journal.rename(journal.with_suffix(".damaged"))
    assert gate.send(mail("with-history"))[0] == 250
    until(lambda: "with-history" in assert_plain(gate, "log"), "a new history")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "random": lambda path: path.write_bytes(random.Random(2).randbytes(20_000)),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "log of nonsense": lambda path: path.with_name(path.name + "-wal").write_bytes(b"x" * 5000),
    "newer": lambda path: sqlite3.connect(path, isolation_level=None).execute("PRAGMA user_version=99"),
    "gone": lambda path: path.unlink(),
    "a device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
}


def test_every_command_has_one_line_for_every_damage(start_gate: StartGate, tmp_path: Path) -> None:
    gate = start_gate(domain=DEAD)
    gate.send(mail("waits"), "x@dead.example")
    gate.send(mail("held", author="offer@shop.example"))
    waiting = gate.cli_json("queue", "list")[0]["id"]
    gate.stop()
    store = gate.folder / "store"
    shutil.copytree(store, tmp_path / "good")
    for number, damage in enumerate(DAMAGE.values()):
        for database in [store / "journal.db", *shards(gate)]:
            damage(database)
        for command in (
            ["queue", "list"],
            ["queue", "show", waiting],
            ["log"],
            ["backup", str(tmp_path / f"{number}")],
        ):
            assert_plain(gate, *command)
        assert_plain(gate, "serve", "--check")
        shutil.rmtree(store)
        shutil.copytree(tmp_path / "good", store)
    for odd in (store / "spool", store):
        shutil.rmtree(odd)
        odd.write_bytes(b"a file")
        for command in (["queue", "list"], ["log"], ["backup", str(tmp_path / "odd")], ["serve", "--check"]):
            assert_plain(gate, *command)
        odd.unlink()
        shutil.copytree(tmp_path / "good", store, dirs_exist_ok=True)


@pytest.mark.parametrize(
    "bad", ["x", "", "../../etc/passwd", "\x1b[2J", "0" * 12, "zzzzzzzzzzzz", "ü" * 12, "a" * 9999]
)
def test_odd_ids(gate: RunningGate, bad: str) -> None:
    for command in (["queue", "show"], ["quarantine", "show", "--raw"], ["quarantine", "release"], ["queue", "retry"]):
        text = assert_plain(gate, *command, bad)
        assert "\x1b" not in text
    for limit in ("0", "-1", "99999999999999999999", "x"):
        assert in_here(gate, "queue", "list", "--limit", limit)[0] == 2


def test_a_spool_that_somebody_locks_is_told_and_works_again(start_gate: StartGate) -> None:
    gate = start_gate(more="[store.spool]\nbusy_seconds = 0.5\n")
    locks = [sqlite3.connect(path, isolation_level=None) for path in shards(gate)]
    for lock in locks:
        lock.execute("BEGIN IMMEDIATE")
    code, text = gate.send(mail("locked"))
    assert (code, text[:5]) == (451, "4.3.0")
    assert "keeps it locked" in gate.log
    for lock in locks:
        lock.execute("ROLLBACK")
        lock.close()
    assert gate.send(mail("free"))[0] == 250
    gate.delivered("ann")
    assert "process-failed" not in gate.log


def test_less_room_than_the_reserve_is_421_at_the_door_and_check_says_so(start_gate: StartGate) -> None:
    gate = start_gate(more=f"[store.spool]\nreserve = {1 << 49}\n")
    with pytest.raises(smtplib.SMTPConnectError) as refused:
        gate.client()
    assert (refused.value.smtp_code, bytes(refused.value.smtp_error)[:5]) == (421, b"4.3.1")
    assert "spool-full" in gate.log
    assert gate.cli("serve", "--check")[0] == 2


def test_a_spool_that_is_taken_away_while_it_runs_refuses_for_now(start_gate: StartGate) -> None:
    gate = start_gate(more="[store.spool]\ninline_limit = 1000\n")
    assert gate.send(mail("before"))[0] == 250
    for bodies in (gate.folder / "store" / "spool").glob("*.bodies"):
        bodies.rmdir()
    code, text = gate.send(mail("large", body="x" * 5000))
    assert (code, text[:5]) == (451, "4.3.0")
    assert "spool-refused" in gate.log
    for path in shards(gate):
        path.with_suffix(".bodies").mkdir()
    assert gate.send(mail("large", body="x" * 5000))[0] == 250
    assert "Traceback" not in gate.log


def test_a_mailbox_that_cannot_be_written_keeps_its_mail_and_nobody_elses(gate: RunningGate) -> None:
    mailboxes = gate.folder / "store" / "mail" / "gate.example"
    mailboxes.mkdir(parents=True)
    (mailboxes / "ann").write_bytes(b"a file where the mailbox should be")
    assert gate.send(mail("both"), "ann@gate.example", "bob@gate.example")[0] == 250
    gate.delivered("bob")

    def waits() -> bool:
        found = [one for message in gate.cli_json("queue", "list") for one in message["recipients"]]
        return any(one["address"] == "ann@gate.example" and one["attempts"] > 0 for one in found)

    until(waits, "the mail for ann waits")
    waiting = gate.cli_json("queue", "list")[0]
    copy = next(one for one in waiting["recipients"] if one["address"] == "ann@gate.example")
    assert "mailbox" in copy["last_reply"]
    assert copy["next_try"] > time.time()
    os.unlink(mailboxes / "ann")
    assert gate.cli("queue", "retry", waiting["id"])[0] == 0
    gate.delivered("ann")
