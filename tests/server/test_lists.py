"""Lists in a running gate: what they say is told, watched lists only record, own entries are in force at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import ZONE, NameServer, RunningGate, mail, until
from schemas import ask

MORE = """
[lists]
use = ["our", "watched"]
[lists.dns.our]
kind = "domain"
zone = "our.lists.test"
codes."127.0.0.2" = { meaning = "a nuisance", weight = 0.5 }
[lists.dns.watched]
kind = "domain"
zone = "watched.lists.test"
mode = "watch"
weight = 4.0
"""
LISTS = """
test.our.lists.test. 60 IN A 127.0.0.2
test.watched.lists.test. 60 IN A 127.0.0.2
sender.example.our.lists.test. 60 IN A 127.0.0.2
sender.example.watched.lists.test. 60 IN A 127.0.0.2
shop.example.watched.lists.test. 60 IN A 127.0.0.2
gate.example.our.lists.test. 60 IN A 127.0.0.2
"""


@pytest.fixture
def listing_gate(tmp_path: Path) -> Iterator[RunningGate]:
    """A gate with two lists, which have passed their test."""
    server = NameServer(ZONE + LISTS)
    gate = RunningGate(tmp_path, server.port, more=MORE, monitor=True)
    until(lambda: "own-listed list=our subject=gate.example" in gate.log, "our own listing is told")
    yield gate
    gate.stop()
    server.stop()


def test_lists_in_a_running_gate(listing_gate: RunningGate) -> None:
    gate = listing_gate
    code, listed = gate.cli("lists", "list")
    assert code == 1  # we are listed
    assert "WE ARE LISTED: gate.example is on our" in listed
    assert gate.send(mail("first"))[0] == 250
    gate.delivered("ann")
    (entry,) = ask(gate, "log", "log")
    found = {finding["code"]: finding for finding in entry["findings"] if finding["group"] == "lists"}
    assert {code: finding["weight"] for code, finding in found.items()} == {"list.domain": 0.5, "list.watched": 0.0}
    assert entry["action"] == "accept"

    # A held message that is released shows what the watched list would have done wrongly.
    code, text = gate.send(mail("held", author="offer@shop.example"))
    message_id = text.rpartition(" ")[2]
    assert gate.cli("quarantine", "release", message_id)[0] == 0
    until(lambda: len(ask(gate, "lists-report", "lists", "report")) == 2, "hits are kept")
    lines = {line["check"]: line for line in ask(gate, "lists-report", "lists", "report")}
    assert (lines["list.our"]["hits"], lines["list.our"]["mode"]) == (2, "on")
    assert (lines["list.watched"]["hits"], lines["list.watched"]["false_alarms"]) == (2, 1)
    assert lines["list.watched"]["examples"][0]["message_id"] == message_id
    assert "list.watched" in gate.cli("lists", "report")[1]


def test_own_entries_are_in_force_at_once(listing_gate: RunningGate) -> None:
    gate = listing_gate
    assert gate.send(mail("before"))[0] == 250
    (added,) = ask(gate, "lists-entry", "lists", "add", "block", "joe@sender.example", "--comment", "a nuisance")
    assert added["done"] == "added"
    until(lambda: gate.send(mail("after"))[0] == 550, "the block is in force")
    until(lambda: bool(gate.cli_json("log", "--action", "reject")), "it is in the journal")
    assert gate.cli_json("log", "--action", "reject")[0]["decided_by"] == ["list.local-block"]
    (shown,) = ask(gate, "lists-entry", "lists", "show")
    assert (shown["value"], shown["expires"]) == ("joe@sender.example", None)
    until(lambda: "list.local-block" in gate.cli("lists", "report")[1], "the report tells of it")
    (removed,) = ask(gate, "lists-entry", "lists", "remove", "joe@sender.example")
    assert removed["done"] == "removed"
    until(lambda: gate.send(mail("again"))[0] == 250, "the block is gone")


DOOR = """
[smtp]
proxy_networks = ["127.0.0.1/32"]
[door]
lists = "on"
[lists]
use = ["one", "two", "watched"]
watch_own = false
[lists.dns.one]
kind = "ip"
zone = "one.lists.test"
[lists.dns.two]
kind = "ip"
zone = "two.lists.test"
[lists.dns.watched]
kind = "ip"
zone = "watched.lists.test"
mode = "watch"
"""
ADDRESSES = "".join(
    f"{reverse}.{name}.lists.test. 60 IN A 127.0.0.2\n"
    for name, hosts in {"one": (66, 67, 68), "two": (66,), "watched": (66, 67)}.items()
    for reverse in ("2.0.0.127", *(f"{host}.2.0.192" for host in hosts))
)


def greeting(gate: RunningGate, client: str) -> str:
    """The first line that a client with this address gets."""
    with socket.create_connection(("127.0.0.1", gate.port), 20) as sock:
        sock.sendall(f"PROXY TCP4 {client} 192.0.2.1 40000 25\r\n".encode())
        return sock.makefile("rb").readline().decode()


def test_two_lists_close_the_door_before_the_greeting(tmp_path: Path) -> None:
    server = NameServer(ZONE + ADDRESSES)
    gate = RunningGate(tmp_path, server.port, more=DOOR)
    try:
        until(lambda: greeting(gate, "192.0.2.66").startswith("554"), "both lists are tested")
        assert greeting(gate, "192.0.2.67").startswith("220")  # one that counts and one that is only watched
        assert greeting(gate, "192.0.2.68").startswith("220")
        assert greeting(gate, "192.0.2.69").startswith("220")
    finally:
        gate.stop()
        server.stop()
