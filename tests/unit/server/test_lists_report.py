"""The report: what was hit, what it stops, and which of it a release from quarantine shows to be wrong."""

from __future__ import annotations

from pathlib import Path

from gatepost.server.lists_report import report
from gatepost.store.journal import Attempt, Entry, Journal
from gatepost.store.spool.ids import IdSource, write_id
from gatepost.store.watch import Watch, WouldHave

DAY = 86400.0
NOW = 20_000 * DAY + 3600
_ids = IdSource(0)


def test_hits_stops_and_false_alarms(tmp_path: Path) -> None:
    good, bad = write_id(_ids.next(NOW)), write_id(_ids.next(NOW))
    watch, journal = Watch.open(tmp_path), Journal.open(tmp_path)
    zen = {"check": "list.zen", "at": NOW, "mode": "watch"}
    early = {"check": "door.early-talker", "mode": "watch", "action": "refuse"}
    watch.keep(
        [
            WouldHave(**zen, action="quarantine", message_id=good, subject="192.0.2.1", client_ip="192.0.2.1"),
            WouldHave(**zen, action="quarantine", message_id=bad, subject="192.0.2.9", client_ip="192.0.2.9"),
            WouldHave(**zen, action="weigh", message_id=bad, subject="192.0.2.9", client_ip="192.0.2.9"),
            WouldHave(**early, at=NOW - 10, client_ip="192.0.2.1", session="1"),
            WouldHave(**early, at=NOW - 10, client_ip="192.0.2.9", session="2"),
            WouldHave(**early, at=NOW - 5000, client_ip="192.0.2.1", session="3"),  # another visit
        ]
    )
    journal.write(
        [Entry(id=good, at=NOW, client_ip="192.0.2.1"), Entry(id=bad, at=NOW, client_ip="192.0.2.9")],
        [
            Attempt(id=good, at=NOW + 60, rcpt_to="a@x", status="released", text="ann"),
            Attempt(id=good, at=NOW + 60, rcpt_to="b@x", status="released", text="ann"),
            Attempt(id=bad, at=NOW + 60, rcpt_to="a@x", status="deleted", text="ann"),
        ],
    )
    lines = {line.check: line for line in report(watch, journal, NOW)}
    assert (lines["list.zen"].hits, lines["list.zen"].stops, lines["list.zen"].false_alarms) == (3, 2, 1)
    assert lines["list.zen"].examples[0]["message_id"] == good
    door = lines["door.early-talker"]
    assert (door.hits, door.stops, door.false_alarms) == (3 - 1, 2, 1)  # the other visit was the day before
    assert report(watch, journal, NOW + DAY) == []
    assert [line.false_alarms for line in report(watch, None, NOW)] == [0, 0]
    watch.close()
    journal.close()
