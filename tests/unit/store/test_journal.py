"""The journal: what is noted is found again by id, sender, recipient and time; age and size are bounded."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import StoreError
from gatepost.finding import Finding, Severity
from gatepost.store.journal import Attempt, Entry, Journal, JournalWriter
from gatepost.store.journal.entry import ENTRY_COLUMNS, write_findings
from gatepost.store.journal.schema import STEPS
from gatepost.store.settings import JournalSettings
from gatepost.store.spool.ids import IdSource, write_id

NOW = 1_790_000_000.0
DAY = 86400.0
FINDING = Finding(
    code="auth.dmarc.fail",
    severity=Severity.DANGER,
    weight=5.0,
    group="auth",
    summary="Süß",
    evidence={"domain": "example.net", "aligned": False},
    remedy="ask",
    reference="RFC 9989 §5",
    recipient="anna@example.org",
)
ID = "1jnpe71dr100"
_ids = IdSource(0)


def entry(at: float = NOW, **more: object) -> Entry:
    fields = {
        "id": write_id(_ids.next(at)),
        "at": at,
        "client_ip": "192.0.2.1",
        "mail_from": "bob@example.net",
        "recipients": ("anna@example.org", "carl@example.org"),
        "message_id": "<1@example.net>",
        "action": "accept",
        **more,
    }
    return Entry(**fields)  # type: ignore[arg-type]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal.open(tmp_path)
    yield opened
    opened.close()


def test_an_entry_comes_back_whole(journal: Journal) -> None:
    noted = entry(
        ehlo_domain="mx",
        subject="Grüße\udcff",
        size=5,
        score=4.5,
        decided_by=("a.b", "c.d"),
        reply="250 ok",
        findings=(FINDING,),
    )
    journal.write([noted])
    (found,) = journal.search()
    assert found.findings == (FINDING,)
    assert (found.subject, found.decided_by, found.recipients) == ("Grüße?", noted.decided_by, noted.recipients)
    assert (found.id, found.at, found.size, found.score, found.reply) == (noted.id, NOW, 5, 4.5, "250 ok")


def test_no_text_keeps_others_out_of_the_journal(journal: Journal) -> None:
    odd = entry(mail_from="\udcff@x", recipients=("\ud800@x",), ehlo_domain="\udc80", reply="550 \udcff")
    tried = Attempt(id=odd.id, at=NOW, rcpt_to="\udcff@x", status="bounced", text="\udcff\0")
    journal.write([odd, entry()], [tried])
    assert len(journal.search()) == 2
    assert journal.attempts(odd.id)[0].rcpt_to == "?@x"


def test_search_by_everything_it_promises(journal: Journal) -> None:
    one, two = entry(NOW), entry(NOW + 10, mail_from="Eve@evil.example", recipients=("dora@example.org",))
    three = entry(NOW + 20, id="", message_id="<three@x>", action="reject")
    journal.write([one, two, three])
    assert [e.at for e in journal.search()] == [three.at, two.at, one.at]
    assert journal.search(limit=1) == [three]
    assert journal.search(message_id=one.id) == [one]
    assert journal.search(message_id=one.id.upper()) == [one]
    assert journal.search(message_id="three@") == [three]
    assert journal.search(mail_from="EVIL") == [two]
    assert journal.search(rcpt_to="dora@") == [two]
    assert journal.search(since=NOW + 10, until=NOW + 20) == [two]
    assert journal.search(action="reject", rcpt_to="anna") == [three]
    assert journal.search(mail_from="nobody' OR 1=1 --") == []


def test_a_walk_passes_every_entry_once_and_in_order(journal: Journal) -> None:
    entries = [entry(NOW + n // 700, id=write_id(n + 1), basis=f'{{"n":{n}}}') for n in range(1400)]
    journal.write(entries)
    assert list(journal.walk(NOW, NOW + 2)) == entries
    assert [one.basis for one in journal.walk(NOW + 1, NOW + 2)] == [one.basis for one in entries[700:]]
    assert journal.count(NOW, NOW + 1) == 700
    assert list(journal.walk(NOW + 2, NOW + 9)) == []


def test_what_people_said_of_messages(journal: Journal) -> None:
    said = ("released", "learnt-ham", "deleted")
    journal.write([], [Attempt(id=ID, at=NOW, rcpt_to="a@x", status=status, text="ann") for status in said])
    journal.write([], [Attempt(id=ID, at=NOW, rcpt_to="a@x", status="released", relay="a next hop's word")])
    assert journal.said(NOW, ("released", "learnt-ham")) == {ID: {"released", "learnt-ham"}}
    assert journal.said(NOW + 1, ("released",)) == {}


def test_a_journal_of_an_older_version_is_read_on(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.db") as old:
        old.executescript(STEPS[0] + "PRAGMA user_version=1;")
        row = (1, 7, 9.0, *[""] * 6, 1, "", 0.0, "", "")
        old.execute(f"INSERT INTO entry (key, {ENTRY_COLUMNS}) VALUES ({', '.join('?' * len(row))})", row)
        old.execute("INSERT INTO detail VALUES (1, ?)", (write_findings([FINDING]),))
    old.close()
    journal = Journal.open(tmp_path)
    (found,) = journal.search()
    assert (found.findings, found.basis) == ((FINDING,), "")
    journal.close()


def test_attempts_follow_their_message(journal: Journal) -> None:
    noted = entry()
    tries = [
        Attempt(
            id=noted.id, at=NOW + n, rcpt_to="anna@example.org", status=status, relay="mx[192.0.2.9]:25", text="451 no"
        )
        for n, status in enumerate(("deferred", "sent"))
    ]
    journal.write([noted], tries)
    assert journal.attempts(noted.id) == tries
    assert journal.attempts("0" * 12) == journal.attempts("nonsense") == []


def test_old_entries_go(journal: Journal) -> None:
    old, young = entry(NOW - 91 * DAY, findings=(FINDING,)), entry(NOW)
    tried = [Attempt(id=e.id, at=e.at, rcpt_to="a@b", status="sent") for e in (old, young)]
    journal.write([old, young], tried)
    assert journal.prune(NOW) == 1
    assert journal.search() == [young]
    assert (journal.attempts(old.id), len(journal.attempts(young.id))) == ([], 1)


def test_the_size_is_bounded_oldest_first(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path, JournalSettings(max_octets=1_000_000))
    for start in range(0, 10_000, 1000):
        journal.write([entry(NOW + n, subject="x" * 100) for n in range(start, start + 1000)])
    assert journal.prune(NOW) > 0
    left = journal.search(limit=20_000)
    assert 0 < len(left) < 10_000
    assert left[0].at == NOW + 9999
    journal.write([entry(NOW + 10_000)])
    journal.close()
    assert Journal.open(tmp_path).search(limit=1)[0].at == NOW + 10_000


def test_the_writer_writes_what_was_noted(tmp_path: Path) -> None:
    writer = JournalWriter(Journal.open(tmp_path))
    noted = [entry(NOW + n) for n in range(2500)]
    for one in noted:
        writer.note(one)
        writer.note(Attempt(id=one.id, at=one.at, rcpt_to="a@b", status="sent"))
    writer.close()
    writer.note(noted[0])  # too late: counted, no error
    assert writer.lost == 1
    journal = Journal.open(tmp_path)
    assert journal.search(limit=5000) == noted[::-1]
    assert len(journal.attempts(noted[0].id)) == 1
    journal.close()


def test_a_failing_journal_loses_notes_and_nothing_else(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path)
    told: list[tuple[StoreError | None, int]] = []
    writer = JournalWriter(journal, lambda error, lost: told.append((error, lost)))
    journal.close()
    for _ in range(3):  # told of once, however long it lasts
        writer.note(entry())
        time.sleep(0.3)
    writer.close()
    assert writer.lost == 3
    ((error, lost),) = told
    assert isinstance(error, StoreError)
    assert lost >= 1


def test_two_processes_may_write(tmp_path: Path) -> None:
    writers = [JournalWriter(Journal.open(tmp_path)) for _ in range(3)]
    for n in range(300):
        writers[n % 3].note(entry(NOW + n))
    for writer in writers:
        writer.close()
    assert [writer.lost for writer in writers] == [0, 0, 0]
    assert len(Journal.open(tmp_path).search(limit=1000)) == 300


def test_a_damaged_journal_does_not_stop_its_writer_and_begins_anew_once_it_is_away(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"nonsense" * 1000)
    journal = Journal.open_sometime(tmp_path)
    with pytest.raises(StoreError, match="damaged"):
        journal.write([entry()])
    with pytest.raises(StoreError, match="damaged"):
        journal.prune(NOW)
    path.rename(tmp_path / "journal.damaged")
    journal.write([entry(at=NOW + 1)])
    journal.write([entry(at=NOW + 2)])
    assert [found.at for found in journal.search()] == [NOW + 2, NOW + 1]
    journal.close()
    opened = Journal.open_sometime(tmp_path)
    assert len(opened.search()) == 2
    opened.close()
