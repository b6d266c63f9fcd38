"""The mail room: looking at held mail safely, changing what becomes of it, learning from it, allowing its sender."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatepost.cli.held import as_text
from gatepost.errors import InputError
from gatepost.finding import Finding, Severity
from gatepost.message.message import parse_message
from gatepost.names import Envelope, Recipient, Session
from gatepost.server.learning import fingerprint_of
from gatepost.server.mailroom.operations import DELETE, RELEASE
from gatepost.server.mailroom.room import MailRoom
from gatepost.server.mailroom.teach import allow_sender, learn_held, release
from gatepost.server.mailroom.view import open_content, read_structure, view_data, view_message
from gatepost.server.settings import GateSettings
from gatepost.store.journal import Entry, Journal
from gatepost.store.learned import LearnedStore
from gatepost.store.lists import ListStore
from gatepost.store.settings import LearnedSettings, SpoolSettings, StoreSettings
from gatepost.store.spool import NewMessage, SpoolShard, State, Treatment
from schemas import validator

NOW = 1_790_000_000.0
ANN, BOB = "ann@gate.example", "bob@gate.example"
NASTY = (
    b'From: "\xe2\x80\xaeeve" <joe@shop.example>\r\nSubject: =?utf-8?q?ring=07_=E2=80=AEgpj?=\r\n'
    b"X: \x1b]0;owned\x07\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
    b"plain \x1b[2J words\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n"
    b"Content-Type: text/html\r\n\r\n<script>alert(1)</script><p>shown</p><img src='http://track.example/1.png'>\r\n"
    b"--c--\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner text\r\n--b--\r\n"
)
Hold = Callable[..., str]


@pytest.fixture
def settings(tmp_path: Path) -> GateSettings:
    return GateSettings(store=StoreSettings(folder=str(tmp_path), spool=SpoolSettings(reserve=0)))


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Holds a message for Ann and Bob, with the journal's entry of the given codes."""
    shard = SpoolShard.open(tmp_path / "spool", 0, SpoolSettings(reserve=0))
    journal = Journal.open(tmp_path)

    def held(raw: bytes = NASTY, *codes: str, noted: bool = True) -> str:
        new = NewMessage(
            id=shard.next_id(NOW),
            envelope=Envelope(mail_from="x@y", recipients=(Recipient(address=ANN), Recipient(address=BOB))),
            session=Session(received_at=NOW, client_ip="192.0.2.1", ehlo_domain="\x1b[31mx"),
            body=raw,
            treatments=(Treatment(state=State.QUARANTINED),) * 2,
            reason=json.dumps({"action": "quarantine", "score": 9.0, "decided_by": ["malware.found"]}),
        )
        shard.add_many([new])
        findings = [
            Finding(code=code, severity=Severity.WARNING, weight=1, group="x", summary="\x1bseen") for code in codes
        ]
        if noted:
            journal.write([Entry(id=new.id, at=NOW, findings=tuple(findings))])
        return new.id

    yield held
    journal.close()
    shard.close()


@pytest.fixture
def room(hold: Hold, settings: GateSettings) -> Iterator[MailRoom]:
    with MailRoom.open(settings, "root", NOW) as opened:
        yield opened


@pytest.mark.parametrize("sandbox", [True, False])
def test_nothing_in_a_view_reaches_a_terminal(room: MailRoom, hold: Hold, sandbox: bool) -> None:
    message_id = hold(NASTY, "a.b")
    raw = room.body(message_id)
    opened = open_content(raw, room.settings.content) if sandbox else None
    view = view_message(room.find(message_id), raw, room.entry(message_id), opened)
    validator("held").validate(json.loads(json.dumps(view_data(view))))
    text = as_text(view)
    assert all(c.isprintable() or c == "\n" for c in text)
    for part in ("‹U+202E›gpj", "␛]0;owned␇", "plain ␛[2J words", "a.b: ␛seen", "quarantine at score 9: malware.found"):
        assert part in text
    assert ("http://track.example/1.png" in text) is sandbox
    assert "alert(1)" not in "".join(t.visible for t in view.opened.texts)


def test_our_own_reader_gives_structure_and_plain_text_alone() -> None:
    opened = read_structure(parse_message(NASTY))
    assert [(item.path, item.declared_type) for item in opened.items] == [
        ("1", "text/plain"),
        ("2.1", "text/html"),
        ("3", "text/plain"),
    ]
    assert [text.item for text in opened.texts] == ["1", "3"]
    assert opened.trouble


@pytest.mark.parametrize("raw", [b"", b"\r\n", bytes(range(256)) * 40, b"Content-Type: multipart/mixed\r\n\r\n--\r\n"])
def test_any_octets_can_be_looked_at(room: MailRoom, hold: Hold, raw: bytes) -> None:
    message_id = hold(raw)
    for opened in (None, open_content(raw, room.settings.content)):
        view = view_message(room.find(message_id), raw, room.entry(message_id), opened)
        validator("held").validate(json.loads(json.dumps(view_data(view))))
        assert all(c.isprintable() or c == "\n" for c in as_text(view))


def test_changes_are_noted_with_who_made_them(room: MailRoom, hold: Hold, tmp_path: Path) -> None:
    message_id = hold()
    assert room.perform(RELEASE, message_id, NOW, "ANN@gate.example").copies == 1
    assert room.perform(RELEASE, message_id, NOW, ANN).copies == 0
    assert room.perform(DELETE, message_id, NOW).copies == 1
    journal = Journal.open(tmp_path)
    noted = [(one.rcpt_to, one.status, one.text) for one in journal.attempts(message_id)]
    journal.close()
    assert noted == [(ANN, "released", "root"), (BOB, "deleted", "root")]
    with pytest.raises(InputError, match="is not in the spool"):
        room.perform(RELEASE, "1jnpe71dr100", NOW)


def test_a_journal_that_is_away_changes_nothing(room: MailRoom, hold: Hold, tmp_path: Path) -> None:
    message_id = hold()
    (tmp_path / "journal.db").write_bytes(b"this is no database" * 100)
    (tmp_path / "journal.db-wal").unlink(missing_ok=True)
    done = room.perform(DELETE, message_id, NOW)
    assert done.copies == 2
    assert "not noted in the journal" in done.trouble
    assert room.entry(message_id) is None


def label(folder: Path, raw: bytes) -> str | None:
    store = LearnedStore(folder)
    try:
        return store.label_of(fingerprint_of(parse_message(raw)))
    finally:
        store.close()


def test_a_release_is_learnt_as_ham_where_the_settings_say_so(room: MailRoom, hold: Hold, tmp_path: Path) -> None:
    message_id = hold()
    assert learn_held(room, message_id, "spam", NOW)
    assert label(tmp_path, NASTY) == "spam"
    assert not learn_held(room, message_id, "spam", NOW)
    assert release(room, message_id, NOW, ANN).copies == 1
    assert label(tmp_path, NASTY) == "ham"
    other = b"Subject: other\r\n\r\nx\r\n"
    store = StoreSettings(
        folder=str(tmp_path), spool=SpoolSettings(reserve=0), learned=LearnedSettings(learn_from_releases=False)
    )
    room.settings = GateSettings(store=store)
    assert release(room, hold(other), NOW).copies == 2
    assert label(tmp_path, other) is None


@pytest.mark.parametrize(
    ("codes", "noted", "proven"), [(("auth.dmarc.pass",), True, True), (("x.y",), True, False), ((), False, None)]
)
def test_a_sender_is_allowed_and_whether_he_was_proven_is_told(
    room: MailRoom, hold: Hold, tmp_path: Path, codes: tuple[str, ...], noted: bool, proven: bool | None
) -> None:
    message_id = hold(NASTY, *codes, noted=noted)
    allowed = allow_sender(room, message_id, NOW)
    assert (allowed.value, allowed.before, allowed.proven) == ("joe@shop.example", "", proven)
    assert allow_sender(room, message_id, NOW, whole_domain=True).value == "shop.example"
    assert allow_sender(room, message_id, NOW).before == "allow"
    lists = ListStore.open(tmp_path)
    found = {(entry.kind, entry.value, entry.verdict, entry.added_by) for entry in lists.entries()}
    lists.close()
    assert found == {("sender", "joe@shop.example", "allow", "root"), ("domain", "shop.example", "allow", "root")}


@pytest.mark.parametrize("raw", [b"x\r\n\r\n", b"From: a@x.example, b@y.example\r\n\r\n", b"From: a@x.example\r\n" * 2])
def test_without_a_single_author_nobody_is_allowed(room: MailRoom, hold: Hold, raw: bytes) -> None:
    with pytest.raises(InputError, match="no single author"):
        allow_sender(room, hold(raw), NOW)
