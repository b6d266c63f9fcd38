"""Upkeep: what is older than the settings keep goes, everything else stays."""

from __future__ import annotations

from pathlib import Path

from gatepost.names import Envelope, Recipient, Session
from gatepost.store.history import Received, SenderHistory
from gatepost.store.journal import Entry, Journal
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import NewMessage, Spool, SpoolShard, State, Treatment
from gatepost.store.upkeep import Upkeep, keep_up

NOW = 1_790_000_000.0
DAY = 86400.0


def test_one_round(tmp_path: Path) -> None:
    settings = SpoolSettings(reserve=0)
    shard = SpoolShard.open(tmp_path / "spool", 0, settings)
    envelope = Envelope(mail_from="", recipients=(Recipient(address="a@x"),))
    first = shard.next_id(NOW)
    for at in (NOW, NOW + 50 * DAY):
        shard.add_many(
            [
                NewMessage(
                    id=first if at == NOW else shard.next_id(at),
                    envelope=envelope,
                    session=Session(received_at=at),
                    body=b"x",
                    treatments=(Treatment(state=State.QUARANTINED),),
                )
            ]
        )
    journal = Journal.open(tmp_path)
    journal.write([Entry(at=NOW - 60 * DAY), Entry(at=NOW)])
    history = SenderHistory(tmp_path)
    history.keep([Received(author="bob@example.net", recipients=("a@x",), at=NOW - 500 * DAY)])
    spool = Spool.open(tmp_path / "spool", settings, now=NOW)
    assert keep_up(spool, journal, history, NOW + 60 * DAY) == Upkeep(expired=1, forgotten=1, unremembered=3)
    assert keep_up(spool, journal, history, NOW + 60 * DAY) == Upkeep(expired=0, forgotten=0)
    (note,) = journal.attempts(first)
    assert (note.rcpt_to, note.status, note.text) == ("a@x", "expired", "held for more than 30 days")
    assert spool.counts()[State.QUARANTINED] == 1
    spool.close()
    shard.close()
    journal.close()
    history.close()
