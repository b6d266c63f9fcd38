"""The door of a gate that runs, met from many loopback addresses: each check watched and on, bans, rates."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from gatepost.store.watch import Watch
from running import ZONE, NameServer, RunningGate, mail, until
from schemas import ask
from stranger import Stranger

StartGate = Callable[..., RunningGate]
STRICT = """
[door]
exempt = ["127.0.0.9/32"]
exempt_recipients = ["bob@gate.example"]
greet_delay = 0.3
early_talker = "{mode}"
pipelining = "{mode}"
hello = "{mode}"
reverse_dns = "{mode}"
"""


def door(more: str = "") -> str:
    """Loopback is not exempt."""
    return f"[door]\nexempt = []\n{more}"


def rcpt(
    gate: RunningGate, source: str, ehlo: bytes = b"mail.sender.example", to: bytes = b"ann@gate.example"
) -> bytes:
    """The reply to RCPT."""
    with Stranger(gate.port, source=source) as client:
        assert client.line().startswith(b"220")
        client.ask(b"EHLO " + ehlo)
        assert client.ask(b"MAIL FROM:<joe@sender.example>").startswith(b"250")
        return client.ask(b"RCPT TO:<" + to + b">")


def talk_early(gate: RunningGate) -> bytes:
    """The first line after EHLO was said too early."""
    with Stranger(gate.port) as client:
        client.say(b"EHLO mail.sender.example\r\n")
        return client.line()


def rush(gate: RunningGate) -> bytes:
    """The reply to a RCPT that was sent with EHLO."""
    with Stranger(gate.port) as client:
        client.line()
        client.say(b"EHLO mail.sender.example\r\nMAIL FROM:<joe@sender.example>\r\nRCPT TO:<ann@gate.example>\r\n")
        return [client.line() for _ in range(3)][-1]


def checks(gate: RunningGate, mode: str) -> set[str]:
    """The checks in the report's rows."""
    watch = Watch.open(gate.folder / "store")
    try:
        return {row.check for row in watch.rows() if row.mode == mode}
    finally:
        watch.close()


def test_what_is_on_refuses_and_who_is_exempt_passes(start_gate: StartGate) -> None:
    gate = start_gate(more=STRICT.format(mode="on"))
    assert talk_early(gate).startswith(b"554 5.5.0")
    assert rush(gate).startswith(b"550 5.5.0")
    assert rcpt(gate, "127.0.0.1").startswith(b"250")
    assert rcpt(gate, "127.0.0.1", ehlo=b"WIN-ABC").startswith(b"550 5.7.1")
    assert rcpt(gate, "127.0.0.1", ehlo=b"mx.gate.example").startswith(b"550 5.7.1")
    assert rcpt(gate, "127.0.0.1", ehlo=b"[127.0.0.2]").startswith(b"550 5.7.1")
    assert rcpt(gate, "127.0.0.2").startswith(b"450 4.7.25")
    for exempt in (b"postmaster", b"Postmaster@gate.example", b"BOB@gate.example"):
        assert rcpt(gate, "127.0.0.2", ehlo=b"x", to=exempt).startswith(b"250"), exempt
    assert rcpt(gate, "127.0.0.9", ehlo=b"x").startswith(b"250")
    assert rcpt(gate, "127.0.0.2", to=b"nobody@gate.example").startswith(b"550 5.1.1")  # first what is for good
    stopped = {"door.early-talker", "door.pipelining", "door.hello", "door.reverse-dns"}
    until(lambda: checks(gate, "on") == stopped, "four checks in the report")
    assert checks(gate, "watch") == set()
    assert " door-stopped check=hello action=refuse client=127.0.0.1 ehlo=WIN-ABC " in gate.log
    until(lambda: len(gate.cli_json("log", "--action", "refuse-recipient")) >= 6, "refusals in the journal")


def test_what_is_watched_refuses_nobody_and_is_in_the_messages_story(start_gate: StartGate) -> None:
    gate = start_gate(more=STRICT.format(mode="watch"))
    with Stranger(gate.port, source="127.0.0.2") as client:
        client.say(b"EHLO laptop\r\nMAIL FROM:<joe@sender.example>\r\nRCPT TO:<ann@gate.example>\r\n")
        assert client.line().startswith(b"220")
        replies = [client.line() for _ in range(3)]
        assert all(reply.startswith(b"250") for reply in replies), replies
        assert client.ask(b"DATA").startswith(b"354")
        client.say(mail("watched") + b".\r\n")
        reply = client.line().decode()
    assert reply.startswith("250 "), reply
    story = gate.cli_json("log", reply.split()[-1])[0]
    found = {finding["code"]: finding for finding in story["findings"]}
    assert {"door.early-talker", "door.pipelining", "door.watched"} <= found.keys()
    assert found["door.watched"]["weight"] == 0
    assert found["door.watched"]["evidence"]["checks"] == ["reverse-dns", "hello"]
    watched = {"door.early-talker", "door.pipelining", "door.hello", "door.reverse-dns"}
    until(lambda: checks(gate, "watch") == watched, "four checks in the report")
    assert checks(gate, "on") == set()


def test_rates_are_counted_once_not_per_worker(start_gate: StartGate) -> None:
    rates = '[door.rates]\nmode = "on"\nconnections = 6\nnetwork_connections = 100\nrecipient_messages = 3\n'
    gate = start_gate(more=door(rates))
    lines = []
    for _ in range(12):  # two workers: counted for each, all twelve might get in
        with Stranger(gate.port, source="127.0.0.4") as client:
            lines.append(client.line()[:9])
    assert lines == [b"220 mx.ga"] * 6 + [b"421 4.7.0"] * 6
    answers = [rcpt(gate, f"127.0.0.{number}")[:9] for number in range(20, 25)]
    assert answers == [b"250 2.1.5"] * 3 + [b"450 4.2.1"] * 2
    assert rcpt(gate, "127.0.0.30", to=b"bob@gate.example").startswith(b"250")
    assert "check=rate.connections " in gate.log
    assert "check=rate.recipient action=delay client=127.0.0.23 " in gate.log


def test_the_door_bans_lists_and_lifts_and_a_restart_forgets_nothing(start_gate: StartGate) -> None:
    gate = start_gate(more=door('[door.bans]\nmode = "on"\nafter = 4\n'))
    for _ in range(4):
        assert rcpt(gate, "127.0.0.5", to=b"nobody@gate.example").startswith(b"550")
    until(lambda: first_line(gate, "127.0.0.5").startswith(b"421 4.7.0"), "a ban", 5)
    assert first_line(gate, "127.0.0.6").startswith(b"220")
    ban = ask(gate, "ban", "ban", "list")[0]
    assert (ban["network"], ban["by"]) == ("127.0.0.5/32", "door")
    assert "recipient that does not exist" in ban["reason"]
    assert " banned network=127.0.0.5/32 " in gate.log

    with Stranger(gate.port, source="127.0.0.7") as guest:
        guest.hello()
        added = ask(gate, "changed", "ban", "add", "127.0.0.7", "127.0.1.0/24", "--reason", "guessing", "--for", "ever")
        assert added == [{"changed": {"127.0.0.7/32": 1, "127.0.1.0/24": 1}}]
        time.sleep(1)
        assert guest.ask(b"MAIL FROM:<joe@sender.example>").startswith(b"421")
    assert first_line(gate, "127.0.1.77").startswith(b"554")

    assert ask(gate, "changed", "ban", "lift", "127.0.0.5") == [{"changed": {"127.0.0.5/32": 1}}]
    until(lambda: first_line(gate, "127.0.0.5").startswith(b"220"), "the ban is lifted", 2)
    assert rcpt(gate, "127.0.0.5", to=b"nobody@gate.example").startswith(b"550")
    time.sleep(1)
    assert first_line(gate, "127.0.0.5").startswith(b"220")  # what a person lifted stays lifted for a while

    gate.stop()
    gate.start()
    assert first_line(gate, "127.0.0.7").startswith(b"554")
    assert {one["network"] for one in ask(gate, "ban", "ban", "list")} == {"127.0.0.7/32", "127.0.1.0/24"}
    code, text = gate.cli("ban", "list")
    assert code == 0
    assert "127.0.1.0/24" in text
    assert "guessing" in text
    assert ask(gate, "changed", "ban", "lift", "--all") == [{"changed": {"all": 2}}]
    assert gate.cli("ban", "lift", "192.0.2.1")[0] == 1


def first_line(gate: RunningGate, source: str) -> bytes:
    with Stranger(gate.port, source=source) as client:
        return client.line()


def test_own_networks_are_never_banned(start_gate: StartGate) -> None:
    gate = start_gate(more='[door.bans]\nmode = "on"\nafter = 2\n[inspector]\ntrusted_relays = ["192.0.2.7"]\n')
    for _ in range(5):
        assert rcpt(gate, "127.0.0.5", to=b"nobody@gate.example").startswith(b"550")
    time.sleep(1)
    assert gate.cli_json("ban", "list") == []
    assert "Nobody is banned." in gate.cli("ban", "list")[1]
    for network in ("127.0.0.5", "127.0.0.0/8", "192.0.2.0/24", "::1"):
        code, text = gate.cli("ban", "add", network, "--reason", "x")
        assert (code, "never banned" in text) == (2, True), text
    for wrong in (["0.0.0.0/0"], ["x"], ["192.0.3.1", "--for", "soon"]):
        assert gate.cli("ban", "add", *wrong, "--reason", "x")[0] == 2
    assert gate.cli("ban", "lift")[0] == 2


def test_the_tarpit_slows_one_down_and_nobody_else(start_gate: StartGate) -> None:
    gate = start_gate(more=door("[door.tarpit]\nafter = 2\nstep = 1.0\nmax_delay = 1.0\n"))
    slow = [Stranger(gate.port, source="127.0.0.5").hello() for _ in range(6)]
    for client in slow:
        assert client.ask(b"NONSENSE").startswith(b"500")
        client.ask(b"MAIL FROM:<joe@sender.example>")
        assert client.ask(b"RCPT TO:<nobody@gate.example>").startswith(b"550")
    began = time.monotonic()
    for number, client in enumerate(slow):
        client.say(b"RCPT TO:<nobody@gate.example>\r\n" if number % 2 else b"NONSENSE\r\n")
    assert rcpt(gate, "127.0.0.6").startswith(b"250")
    free = time.monotonic() - began
    for client in slow:
        assert client.line().startswith((b"550", b"500"))
    held = time.monotonic() - began
    for client in slow:
        client.sock.close()
    assert held >= 0.9
    assert free < held
    assert gate.log.count("check=tarpit action=slow ") == 6


def test_greylisting_delays_strangers_but_no_proven_sender_and_no_code(start_gate: StartGate) -> None:
    gate = start_gate(more=door('[door.greylist]\nmode = "on"\ndelay = 1.5\n'))
    stranger = {"sender": "x@nowhere.example"}
    first = mail("offer", author="x@nowhere.example")
    assert gate.send(first, **stranger)[1].startswith("4.7.1 We do not know you yet")
    assert gate.send(first, **stranger)[0] == 451
    assert gate.send(mail("proven"))[0] == 250  # an aligned pass
    code = mail("Your verification code", author="x@nowhere.example")
    assert gate.send(code, "bob@gate.example", **stranger)[0] == 250
    time.sleep(1.5)
    assert gate.send(first, **stranger)[0] == 250
    assert gate.send(mail("another", author="x@nowhere.example"), **stranger)[0] == 250
    assert gate.send(mail("other", author="x@nowhere.example"), "bob@gate.example", **stranger)[0] == 451
    assert "check=greylist action=delay " in gate.log


def test_many_peers_behind_one_private_address_are_told_of_and_not_banned(start_gate: StartGate) -> None:
    gate = start_gate(more=door('shared_peers = 3\n[door.bans]\nmode = "on"\nafter = 6\n'))
    for number in range(9):  # two workers, each of which may see the first two names
        reply = rcpt(gate, "127.0.0.5", ehlo=b"host%d.example" % number, to=b"nobody@gate.example")
        assert reply.startswith(b"550"), number
    time.sleep(1)
    assert 1 <= gate.log.count(" shared-address client=127.0.0.5 ") <= 2
    assert gate.cli_json("ban", "list") == []


def test_the_option_that_moved_is_named(start_gate: StartGate) -> None:
    gate = start_gate()
    gate.configure(more="[relay]\ngreet_delay = 2.0\n")
    code, text = gate.cli("serve", "--check")
    assert code == 2
    assert "relay.greet_delay: 2.0: is now door.greet_delay" in text


def test_a_reload_takes_new_modes_and_keeps_the_counts(start_gate: StartGate) -> None:
    rates = '[door.rates]\nmode = "{mode}"\nconnections = 3\n'
    gate = start_gate(more=door(rates.format(mode="watch")))
    assert [first_line(gate, "127.0.0.4")[:3] for _ in range(4)] == [b"220"] * 4
    gate.configure(more=door(rates.format(mode="on")))
    gate.process.send_signal(signal.SIGHUP)
    until(lambda: " reloaded " in gate.log, "a reload")
    until(lambda: first_line(gate, "127.0.0.4").startswith(b"421"), "the counts of before hold", 5)


LISTED = ZONE + "".join(
    f"{reverse}.{name}.example. 300 IN A 127.0.0.2\n"
    for name, reverse in (
        ("one", "2.0.0.127"),  # the entries by which lists are tested
        ("two", "2.0.0.127"),
        ("one", "66.2.0.192"),
        ("two", "66.2.0.192"),
        ("one", "67.2.0.192"),
    )
)
ASK_LISTS = """
[lists]
use = ["one", "two"]
[lists.dns.one]
kind = "ip"
zone = "one.example"
[lists.dns.two]
kind = "ip"
zone = "two.example"
"""


def test_two_lists_refuse_before_the_greeting_one_needs_another_sign(tmp_path: Path) -> None:
    """Private addresses are on no list, so a proxy tells of others."""
    name_server = NameServer(LISTED)
    more = door('lists = "on"\n') + ASK_LISTS + '[smtp]\nproxy_networks = ["127.0.0.0/8"]\n'
    gate = RunningGate(tmp_path, name_server.port, more=more)

    def dialogue(client_ip: str, ehlo: bytes = b"mail.sender.example") -> list[bytes]:
        with Stranger(gate.port) as client:
            client.say(f"PROXY TCP4 {client_ip} 192.0.2.1 40000 25\r\n".encode())
            answers = [client.line()]
            if answers[0].startswith(b"220"):
                commands = (b"EHLO " + ehlo, b"MAIL FROM:<joe@sender.example>", b"RCPT TO:<ann@gate.example>")
                answers += [client.ask(command) for command in commands]
            return answers

    try:
        greetings: list[bytes] = []  # each worker tests the lists before it believes them

        def believed() -> bool:
            greetings.append(dialogue("192.0.2.66")[0][:9])
            return greetings[-8:] == [b"554 5.7.1"] * 8

        until(believed, "lists that passed their test in both workers")
        assert dialogue("192.0.2.67")[-1].startswith(b"250")
        assert dialogue("192.0.2.67", b"laptop")[-1].startswith(b"554 5.7.1")
        assert dialogue("192.0.2.68", b"laptop")[-1].startswith(b"250")
        assert 'check=lists action=refuse client=192.0.2.66 reason="its address is on one, two"' in gate.log
    finally:
        gate.stop()
        name_server.stop()
