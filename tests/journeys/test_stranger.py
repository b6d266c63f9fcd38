"""A sender through the memory of senders. The words below the test are the title of a page in docs/journeys/."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatepost.store.history import HistoryWriter, SenderHistory
from running import RunningGate, mail, until
from schemas import ask

StartGate = Callable[..., RunningGate]
ANN, BOB, MARY, EVE = "ann@gate.example", "bob@gate.example", "mary@sender.example", "eve@silent.example"


def remembered(history: Path) -> bytes:
    """What the history has on disk: database and write-ahead log."""
    return b"".join(path.read_bytes() for path in history.parent.glob("history.db*"))


def test_stranger(start_gate: StartGate) -> None:
    """A stranger becomes an acquaintance"""
    # thresholds so high that words weigh nothing here: only who writes
    high = "tag_at = 20.0\nquarantine_at = 25.0\nreject_at = 30.0"
    gate = start_gate(more=f"[inspector]\nmemory_days = 0.0\n{high}")
    history = gate.folder / "store" / "history.db"

    def found(subject: str, author: str, *recipients: str) -> dict[str, list[dict[str, Any]]]:
        """What was found of the sender, by recipient ("" for all)."""
        code, text = gate.send(mail(subject, author=author), *recipients or (ANN,))
        assert code == 250, text
        message_id = text.rpartition(" ")[2]
        until(lambda: gate.cli("log", message_id)[0] == 0, "the journal")
        (entry,) = ask(gate, "log", "log", message_id)
        told: dict[str, list[dict[str, Any]]] = {}
        for finding in entry["findings"]:
            if finding["code"].startswith(("sender.first", "sender.acq", "sender.unknown")):
                told.setdefault(finding.get("recipient", ""), []).append(finding)
        return told

    def codes(told: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
        return {recipient: [finding["code"] for finding in findings] for recipient, findings in told.items()}

    assert found("first", "joe@sender.example") == {}  # a memory that has seen nothing says nothing
    until(lambda: b"joe@sender.example" in remembered(history), "the gate remembers Joe")

    assert codes(found("hello", MARY)) == {"": ["sender.first-time"]}
    until(lambda: MARY.encode() in remembered(history), "the gate remembers Mary")
    assert found("again", MARY) == {}
    assert codes(found("both", MARY, ANN, BOB)) == {BOB: ["sender.first-time-to-you"]}

    for _ in range(2):  # nothing proves Eve, so she is never remembered
        assert codes(found("hi", EVE)) == {"": ["sender.first-time"]}
    assert EVE.encode() not in remembered(history)

    writer = HistoryWriter(SenderHistory(history.parent))  # as submission does when Ann writes to her
    writer.note_sent(ANN, [MARY], "<answer@gate.example>", time.time())
    writer.close()
    (acquainted,) = found("thanks", MARY)[""]
    assert acquainted["code"] == "sender.acquainted"
    assert acquainted["weight"] == -2.5

    (gate.folder / "one.eml").write_bytes(mail("look", author=MARY))  # the same memory, for a saved file
    session = (
        "--ip",
        "127.0.0.1",
        "--ehlo",
        "mail.sender.example",
        "--mail-from",
        "joe@sender.example",
        "--fail-on",
        "never",
    )
    (inspected,) = gate.cli_json("inspect", str(gate.folder / "one.eml"), *session)
    assert "sender.acquainted" in [finding["code"] for finding in inspected["findings"]]
