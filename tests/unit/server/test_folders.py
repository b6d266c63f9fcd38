"""Learning from what people move between their inbox and Junk: real Maildirs, as mail programs leave them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatepost.message.message import parse_message
from gatepost.message.trace import write_received
from gatepost.server import folders
from gatepost.server.folders import FolderWatch
from gatepost.server.learning import fingerprint_of, learn
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.store.journal import Attempt, Journal
from gatepost.store.learned import LearnedStore
from gatepost.store.maildir import Drop, Mailboxes
from gatepost.store.moves import Moves
from gatepost.store.settings import LearnedSettings, StoreSettings
from gatepost.store.spool.ids import IdSource, write_id

HOST = "mx.gate.example"
ANN, BOB = "ann@gate.example", "bob@gate.example"
LATER = 120.0  # past SETTLED
TICK = 0.03  # what happens in one tick of the file system's clock cannot be told apart; no round comes so soon


class House:
    """Mailboxes, journal, what was learnt; and people's hands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.boxes = Mailboxes(folder / "mail", HOST)
        self.journal = Journal.open(folder)
        self.moves = Moves.open(folder)
        self.learned = LearnedStore(folder)
        self.ids = IdSource(0)
        self.begin = ""
        self.taught: list[tuple[str, str]] = []  # Message-ID and label
        self.watch = FolderWatch(
            root=folder / "mail", host=HOST, journal=self.journal, moves=self.moves, teach=self.teach
        )

    def teach(self, raw: bytes, label: str, now: float) -> bool:
        self.taught.append((parse_message(raw).header.text("message-id"), label))
        return learn(self.learned, raw, label, now)

    def close(self) -> None:
        self.journal.close()
        self.moves.close()
        self.learned.close()

    def deliver(
        self, name: str, *, to: str = ANN, junk: bool = False, host: str = HOST, noted: bool = True, html: bool = False
    ) -> Path:
        """As the gate delivers, with the journal's line."""
        now = time.time()
        message_id = write_id(self.ids.next(now))
        top = write_received(
            ehlo_domain="x", client_ip="192.0.2.1", reverse_name="", by=host, protocol="ESMTP", id=message_id, date=now
        )
        kind = "Content-Type: text/html\r\n" if html else ""
        fields = f"Return-Path: <x@y>\r\nMessage-ID: <{name}>\r\nSubject: {name}\r\n{kind}"
        raw = f"{fields}\r\n<p>Text of {name}.\r\n".encode()
        drop = Drop(id=message_id, position=0, address=to, junk=junk, octets=top + raw)
        assert self.boxes.deliver([drop]) == [None]
        where = "Junk" if junk else "inbox"
        if noted:
            note = Attempt(
                id=message_id, at=now, rcpt_to=to, status="sent", relay="maildir", text=f"delivered to {where}"
            )
            self.journal.write([], [note])
        (path,) = self.boxes.path(to, junk=junk).glob(f"new/*{message_id}*")
        return path

    def box(self, *, junk: bool, to: str = ANN) -> Path:
        return self.boxes.create(to, junk=junk) / "cur"

    def look(self) -> list[tuple[str, str]]:
        """What one round taught."""
        before = len(self.taught)
        self.begin = self.watch.look(time.time() + LATER, self.begin).next
        time.sleep(TICK)
        return self.taught[before:]

    def label(self, path: Path) -> str | None:
        return self.learned.label_of(fingerprint_of(parse_message(path.read_bytes())))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.close()


def rename(path: Path, folder: Path, flags: str = ":2,S") -> Path:
    """As a program that knows Maildir moves: the name stays."""
    return path.rename(folder / (path.name.partition(":")[0] + flags))


def copy_and_remove(path: Path, folder: Path) -> Path:
    """As an IMAP server moves: a link of another name, then the first goes."""
    target = folder / f"{time.time_ns()}.other,S=9:2,"
    os.link(path, target)
    path.unlink()
    return target


@pytest.mark.parametrize("move", [rename, copy_and_remove])
def test_into_junk_is_spam_and_out_of_it_is_ham_and_each_is_learnt_once(house: House, move: object) -> None:
    wanted, unwanted = house.deliver("wanted", junk=True), house.deliver("unwanted")
    house.deliver("stays")
    house.deliver("stays in junk", junk=True)
    assert house.look() == []
    wanted = move(wanted, house.box(junk=False))  # type: ignore[operator]
    unwanted = move(unwanted, house.box(junk=True))  # type: ignore[operator]
    assert sorted(house.look()) == [("<unwanted>", "spam"), ("<wanted>", "ham")]
    assert (house.label(wanted), house.label(unwanted)) == ("ham", "spam")
    said = house.journal.said(0, ("learnt-ham", "learnt-spam"))
    assert sorted(map(sorted, said.values())) == [["learnt-ham"], ["learnt-spam"]]
    assert house.look() == []
    rename(unwanted, house.box(junk=True), ":2,SF")  # flagged: the file was touched, not moved
    assert house.look() == []


def test_who_changes_his_mind_is_followed(house: House) -> None:
    path = rename(house.deliver("maybe"), house.box(junk=True))
    assert house.look() == [("<maybe>", "spam")]
    path = rename(path, house.box(junk=False))
    assert house.look() == [("<maybe>", "ham")]
    assert house.label(path) == "ham"
    path = rename(path, house.box(junk=True))
    assert house.look() == [("<maybe>", "spam")]


def test_one_persons_junk_does_not_turn_when_another_reads_the_same_mail(house: House) -> None:
    rename(house.deliver("both"), house.box(junk=True))
    other = house.deliver("both", to=BOB)
    house.deliver("x", to=BOB, junk=True)
    assert house.look() == [("<both>", "spam")]
    rename(other, house.box(junk=False, to=BOB))
    assert house.look() == []


def test_a_copy_that_also_stays_in_junk_is_no_move(house: House) -> None:
    path = house.deliver("copied", junk=True)
    house.look()
    os.link(path, house.box(junk=False) / "1.copy:2,")
    house.deliver("another", junk=True)  # or Junk would not be looked at
    assert house.look() == []


@pytest.mark.parametrize("odd", [{"noted": False}, {"host": "mx.elsewhere.example"}])
def test_mail_that_nobody_knows_teaches_nothing(house: House, odd: dict[str, object]) -> None:
    house.deliver("x", junk=True)
    rename(house.deliver("foreign", **odd), house.box(junk=True))  # type: ignore[arg-type]
    assert house.look() == []


def test_what_is_put_into_the_trash_is_no_ham(house: House) -> None:
    path = house.deliver("deleted", junk=True)
    trash = house.boxes.path(ANN) / ".Trash" / "cur"
    trash.mkdir(parents=True)
    rename(path, trash)
    assert house.look() == []


def test_anything_may_lie_in_a_mailbox(house: House) -> None:
    junk = house.box(junk=True)
    os.mkfifo(junk / "pipe")
    (junk / "link").symlink_to("/etc/passwd")
    (junk / "folder").mkdir()
    (junk / "empty").touch()
    (junk / "binary").write_bytes(bytes(range(256)) * 1000)
    (house.folder / "mail" / "file").write_bytes(b"")
    rename(house.deliver("x"), junk)
    assert house.look() == [("<x>", "spam")]


def test_a_move_under_way_is_waited_for(house: House) -> None:
    rename(house.deliver("x"), house.box(junk=True))
    house.watch.look(time.time())
    assert house.taught == []
    assert house.look() == [("<x>", "spam")]


def test_a_round_is_bounded_and_the_next_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MAX_FILES", 4)
    for to in (ANN, BOB):
        for n in range(5):
            rename(house.deliver(f"{to}{n}", to=to), house.box(junk=True, to=to))
    rounds = [house.look() for _ in range(6)]
    assert all(len(one) <= 4 for one in rounds)
    assert len(house.taught) == len(set(house.taught)) == 10
    assert rounds[-1] == []


def test_a_second_process_of_rounds_remembers(house: House) -> None:
    rename(house.deliver("x"), house.box(junk=True))
    assert house.look() == [("<x>", "spam")]
    house.watch = FolderWatch(
        root=house.folder / "mail", host=HOST, journal=house.journal, moves=house.moves, teach=house.teach
    )
    assert house.look() == []


def test_the_delivery_process_does_it_and_says_so(
    house: House, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(folders, "SETTLED", -1.0)
    monkeypatch.setattr(folders, "EVERY", 0.01)
    path = rename(house.deliver("x", html=True), house.box(junk=True))  # opened in a child
    settings = GateSettings(hostname=HOST, store=StoreSettings(folder=str(house.folder)))

    said = ""

    async def run(settings: GateSettings) -> None:
        nonlocal said
        task = asyncio.create_task(folders.watch_folders(settings, house.journal, Log("info")))
        for _ in range(500):
            await asyncio.sleep(0.01)
            said += capfd.readouterr().err
            if task.done() or "learnt" in said:
                break
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    off = replace(settings.store, learned=LearnedSettings(learn_from_folders=False))
    asyncio.run(run(replace(settings, store=off)))
    assert house.label(path) is None
    asyncio.run(run(settings))
    assert house.label(path) == "spam"
    assert "learnt spam=1" in said
