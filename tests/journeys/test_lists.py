"""A list from its first day to the day it counts. The words below the test are the title of a page in docs/journeys."""

from __future__ import annotations

import signal
from pathlib import Path

from gatepost.store.journal import Journal
from gatepost.store.watch import Watch
from running import ZONE, NameServer, RunningGate, mail, until
from schemas import ask

LISTS = """
test.our.lists.test. 60 IN A 127.0.0.2
sender.example.our.lists.test. 60 IN A 127.0.0.2
shop.example.our.lists.test. 60 IN A 127.0.0.2
gate.example.our.lists.test. 60 IN A 127.0.0.2
"""
MORE = """
[lists]
use = ["our"]
[lists.dns.our]
kind = "domain"
zone = "our.lists.test"
mode = "{mode}"
codes."127.0.0.2" = {{ meaning = "a nuisance", weight = 4.0 }}
"""


def listed(gate: RunningGate, journal: Journal, subject: str) -> dict[str, float]:
    """Send one proven mail and tell what lists said of it, by code with weight."""
    message_id = gate.send(mail(subject))[1].rpartition(" ")[2]
    until(lambda: bool(journal.search(message_id=message_id)), "it is in the journal")
    (entry,) = journal.search(message_id=message_id)
    assert entry.action == "accept"
    return {finding.code: finding.weight for finding in entry.findings if finding.group == "lists"}


def test_lists(tmp_path: Path) -> None:
    """A list is watched before it counts"""
    server = NameServer(ZONE + LISTS)
    gate = RunningGate(tmp_path, server.port, more=MORE.format(mode="watch"))
    journal, watch = Journal.open(tmp_path / "store"), Watch.open(tmp_path / "store")
    try:
        until(lambda: "own-listed list=our subject=gate.example" in gate.log, "our own listing is told")
        code, text = gate.cli("lists", "list")
        assert code == 1
        assert "WE ARE LISTED: gate.example is on our" in text
        assert listed(gate, journal, "watched") == {"list.watched": 0.0}

        # What somebody releases was wrongly hit: the report tells it before the list may do anything.
        held = gate.send(mail("held", author="offer@shop.example"))[1].rpartition(" ")[2]
        assert gate.cli("quarantine", "release", held)[0] == 0
        until(lambda: len(watch.rows()) == 2, "hits are kept")
        (line,) = ask(gate, "lists-report", "lists", "report")
        assert (line["check"], line["mode"], line["false_alarms"]) == ("list.our", "watch", 1)
        assert line["examples"][0]["message_id"] == held

        gate.configure(more=MORE.format(mode="on"))
        gate.process.send_signal(signal.SIGHUP)
        until(lambda: " reloaded " in gate.log, "the new configuration is used")
        until(
            lambda: listed(gate, journal, "counted") == {"list.domain": 4.0}, "the new processes have tested the list"
        )
    finally:
        gate.stop()
        journal.close()
        watch.close()
        server.stop()
