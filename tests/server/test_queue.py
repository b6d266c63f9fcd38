"""`gatepost queue` beside a running gate whose relay is dead, and without one: what people do at 3 a.m."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from next_hop import NextHop
from running import NameServer, RunningGate, free_port, mail, until
from schemas import validator

ANN, BOB = "ann@gate.example", "bob@gate.example"


@pytest.fixture(scope="module")
def hop() -> Iterator[NextHop]:
    server = NextHop()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer, hop: NextHop) -> Iterator[RunningGate]:
    """Mail for our domain goes to a port where nobody listens; reports go to `hop`."""
    running = RunningGate(
        tmp_path_factory.mktemp("queue"),
        name_server.port,
        domain=f'route = "smtp:127.0.0.1:{free_port()}"',
        more=f'[delivery]\nrelay = "smtp:127.0.0.1:{hop.port}"',
    )
    yield running
    running.stop()


def ask(gate: RunningGate, *command: str, code: int = 0) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        assert main(["queue", *command, "--config", str(gate.config)]) == code, said.getvalue()
    return said.getvalue()


def ask_json(gate: RunningGate, schema: str, *command: str, code: int = 0) -> list[dict[str, Any]]:
    answers = [json.loads(line) for line in ask(gate, *command, "--json", code=code).splitlines()]
    for answer in answers:
        validator(schema).validate(answer)
    return answers


def put_off(gate: RunningGate, subject: str, *recipients: str) -> str:
    """A message that was tried once and waits."""
    code, text = gate.send(mail(subject), *recipients)
    assert code == 250
    message_id = text.rpartition(" ")[2]

    def tried() -> bool:
        found = [one for one in ask_json(gate, "spooled", "list") if one["id"] == message_id]
        return bool(found) and all(r["attempts"] for r in found[0]["recipients"])

    until(tried, "the first try")
    return message_id


def test_the_list_says_why_where_to_and_when(gate: RunningGate) -> None:
    message_id = put_off(gate, "why", ANN)
    text = ask(gate, "list", "--to", "ann", "--domain", "gate.example", "--why", "refused")
    for part in (message_id, f"<{ANN}>", "smtp:127.0.0.1:", "1 try", "next in", "4.4.1", "messages: 1, copies: 1"):
        assert part in text, text
    assert "No gate" not in text
    assert ask(gate, "list", "--why", "no such words") == "The queue is empty.\n"
    (found,) = ask_json(gate, "spooled", "list", "--sort", "next")
    assert found["recipients"][0]["destination"].startswith("smtp:127.0.0.1:")
    table = ask(gate, "list", "--summary")
    assert "TOTAL" in table
    assert "gate.example" in table
    (pile,) = ask_json(gate, "queue-summary", "list", "--summary")
    assert (pile["name"], pile["copies"], pile["ages"]["under_5_minutes"]) == ("gate.example", 1, 1)
    assert ask_json(gate, "queue-summary", "list", "--summary", "--by", "sender")[0]["name"] == "sender.example"
    assert "1 copy deleted" in ask(gate, "drop", message_id)


def test_mail_goes_round_a_dead_relay(gate: RunningGate, hop: NextHop) -> None:
    first, second = put_off(gate, "one", ANN), put_off(gate, "two", BOB)
    way = f"smtp:127.0.0.1:{hop.port}"
    assert f"1 copy to go by {way}" in ask(gate, "reroute", first, "--to", way)
    until(lambda: bool(hop.mail_for(ANN)), "it arrives by the other way")
    assert not hop.mail_for(BOB)
    assert ask_json(gate, "changed", "reroute", "--domain", "gate.example", "--to", way) == [{"changed": {second: 1}}]
    until(lambda: bool(hop.mail_for(BOB)), "the whole domain's mail arrives")
    until(lambda: ask(gate, "list") == "The queue is empty.\n", "an empty queue")
    assert "rerouted" in gate.cli("log", second)[1]


def test_mail_is_returned_with_a_report(gate: RunningGate, hop: NextHop) -> None:
    message_id = put_off(gate, "back", ANN)
    ask(gate, "bounce", message_id, "--reason", "Ann has left us")
    until(lambda: bool(hop.mail_for("joe@sender.example")), "the report")
    (report,) = hop.mail_for("joe@sender.example")
    for part in (b"Ann has left us", b"Action: failed", b"Status: 5.7.0", b"Final-Recipient: rfc822;ann@gate.example"):
        assert part.lower() in report.lower().replace(b"rfc822; ", b"rfc822;"), report
    until(lambda: ask(gate, "list") == "The queue is empty.\n", "an empty queue")


def test_hold_retry_and_all(gate: RunningGate) -> None:
    message_id = put_off(gate, "held", ANN, BOB)
    assert "1 copy held" in ask(gate, "hold", message_id, "--to", ANN)
    assert ask_json(gate, "changed", "retry", "--all") == [{"changed": {message_id: 1}}]
    (found,) = ask_json(gate, "spooled", "list", "--held")
    assert [r["state"] for r in found["recipients"]] == ["held", "queued"]
    assert "held, 1 try" in ask(gate, "list")
    assert "queued again" in ask(gate, "unhold", "--all")
    assert "No waiting mail is like that." in ask(gate, "unhold", "--all", code=1)
    until(lambda: ask_json(gate, "spooled", "list")[0]["recipients"][0]["attempts"] == 2, "it is tried at once")
    assert "2 copies deleted" in ask(gate, "delete", "--all")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["drop"], "names no mail"),
        (["retry", "--older", "soon"], "is no time"),
        (["retry", "0" * 12], "is not in the spool"),
        (["reroute", "--all"], "one is needed"),
        (["reroute", "--all", "--to", "maildir"], "leads to no server"),
        (["reroute", "--all", "--to", "smtp:a b:25"], "neither a host name nor an address"),
        (["reroute", "--all", "--to", "mx", "--back"], "exclude each other"),
        (["bounce", "--all", "--reason", "a\nb"], "is not one line"),
        (["drop", "0" * 12, "--all"], "exclude each other"),
    ],
)
def test_bad_input_is_one_clear_line(gate: RunningGate, command: list[str], says: str) -> None:
    text = ask(gate, *command, code=2)
    assert says in text
    assert text.startswith("gatepost: ")
    assert text.count("\n") == 1


def test_without_a_gate(gate: RunningGate, hop: NextHop, tmp_path: Path) -> None:
    message_id = put_off(gate, "asleep", "ann+asleep@gate.example")
    gate.stop()
    assert "No gate is running here" in ask(gate, "list")
    ask(gate, "reroute", message_id, "--to", f"smtp:127.0.0.1:{hop.port}")
    ask(gate, "bounce", message_id)
    assert "to be returned" in ask(gate, "list")
    before = len(hop.mail_for("joe@sender.example"))
    gate.start()
    until(lambda: len(hop.mail_for("joe@sender.example")) > before, "what was asked for is done after the start")
