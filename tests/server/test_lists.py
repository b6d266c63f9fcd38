"""Lists in a running gate: own entries are in force at once, and two lists close the door. See also tests/journeys."""

from __future__ import annotations

import socket
from pathlib import Path

from running import ZONE, NameServer, RunningGate, mail, until
from schemas import ask


def test_own_entries_are_in_force_at_once(gate: RunningGate) -> None:
    assert gate.send(mail("before"))[0] == 250
    (added,) = ask(gate, "lists-entry", "lists", "add", "block", "joe@sender.example", "--comment", "a nuisance")
    assert added["done"] == "added"
    until(lambda: gate.send(mail("after"))[0] == 550, "the block is in force")
    until(lambda: "action=reject" in gate.log, "it is in the log")
    assert " by=list.local-block " in gate.log
    (shown,) = ask(gate, "lists-entry", "lists", "show")
    assert (shown["value"], shown["expires"]) == ("joe@sender.example", None)
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
