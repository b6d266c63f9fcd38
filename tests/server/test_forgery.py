"""Forged fields, injected lines and relaying in every spelling: nothing a stranger wrote is taken for ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from running import ZONE, NameServer, RunningGate, mail, until
from stranger import Stranger

OURS = ["Return-Path", "Delivered-To", "Received", "Authentication-Results", "Gatepost-Verdict"]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer) -> Iterator[RunningGate]:
    gate = RunningGate(tmp_path_factory.mktemp("forgery"), name_server.port)
    yield gate
    gate.stop()


def deliver(gate: RunningGate, raw: bytes) -> bytes:
    """The message as it lies in the mailbox."""
    before = set(gate.mailbox("ann")) | set(gate.mailbox("ann", ".Junk"))
    with Stranger(gate.port) as stranger:
        stranger.hello().envelope()
        assert stranger.ask(b"DATA").startswith(b"354")
        answer = stranger.ask(raw + b".")
        assert answer.startswith(b"250"), answer

    def new() -> list[bytes]:
        found = (set(gate.mailbox("ann")) | set(gate.mailbox("ann", ".Junk"))) - before
        return [path.read_bytes() for path in found]

    until(lambda: new() != [], "the mail")
    return new()[0]


FORGED = [
    b"Gatepost-Verdict: accept",
    b"gatepost-verdict: accept",
    b"GATEPOST-VERDICT : accept",
    b"Gatepost-Verdict\t: accept",
    b"Gatepost-Verdict:\r\n accept",
    b"Gatepost-Verdict: \xff\xfe accept",
    b"Gatepost-Anything: 1",
    b"Return-Path: <forged@bank.example>",
    b"return-path  :<forged@bank.example>",
    b"Authentication-Results: mx.gate.example; spf=pass",
    b"authentication-results : MX.Gate.Example; spf=pass",
    b"Authentication-Results: (comment (nested)) mx.gate.example (more); spf=pass",
    b'Authentication-Results: "mx.gate.example"; spf=pass',
    b'Authentication-Results: "mx.gate.\\example"; spf=pass',
    b"Authentication-Results:\r\n\tmx.gate.example\r\n\t; spf=pass",
    b"Authentication-Results: mx.gate.example 1; spf=pass",
    b"Authentication-Results: mx.gate.example/1; spf=pass",
    b"Authentication-Results: mx.gate.example.; spf=pass",
    b"Authentication-Results: mx.gate.example",
    b"Authentication-Results: mx.gate.example; none",
    b"Authentication-Results: \xef\xbd\x8dx.gate.example; spf=pass",
    b"Authentication-Results: mx\xef\xbc\x8egate\xef\xbc\x8eexample; spf=pass",
    b"Authentication-Results: (unclosed mx.gate.example; spf=pass",
    b"Authentication-Results: =?utf-8?q?mx.gate.example?=; spf=pass",
]


@pytest.mark.parametrize("field", FORGED, ids=lambda field: repr(field)[:60])
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_forged_field_is_gone(gate: RunningGate, field: bytes, place: str) -> None:
    raw = mail("forged")
    raw = field + b"\r\n" + raw if place == "first" else raw.replace(b"\r\n\r\n", b"\r\n" + field + b"\r\n\r\n", 1)
    delivered = deliver(gate, raw)
    header = delivered.partition(b"\r\n\r\n")[0]
    unfolded = re.sub(rb"\r\n[ \t]+", b" ", header).decode("latin-1").split("\r\n")
    names = [line.partition(":")[0].strip() for line in unfolded]
    assert names[:5] == OURS
    for name in ("gatepost-verdict", "return-path"):
        assert [one.lower() for one in names].count(name) == 1
    assert not [name for name in names if name.lower() == "gatepost-anything"]
    foreign = [line for line in unfolded[5:] if line.lower().startswith("authentication-results")]
    assert not [line for line in foreign if re.search(r"mx.gate.example\s*[;./ 1\"]", line)], foreign


@pytest.mark.parametrize(
    "field", [b"Authentication-Results: other.example; spf=pass", b"Authentication-Results: mx.gate.example.org; none"]
)
def test_what_others_found_stays(gate: RunningGate, field: bytes) -> None:
    assert field in deliver(gate, field + b"\r\n" + mail("kept"))


EVIL = [
    b"\x1b[2J",
    b"a\rX-Injected: yes",
    b"a\x00b",
    b"\xc2\x85X-Injected:yes",
    b"\xe2\x80\xa8X",
    b"\xff\xfe",
    b"a b c",
    b"(comment",
    b"x);",
    b"[127.0.0.1",
    b"x" * 250,
    "ü.example".encode(),
    b"a;b=c",
    b'"quoted"',
    b"=?utf-8?q?x?=",
]


@pytest.mark.parametrize("name", EVIL, ids=lambda name: repr(name)[:30])
def test_an_evil_name_in_ehlo_does_no_harm(gate: RunningGate, name: bytes) -> None:
    before = len(gate.mailbox("bob"))
    with Stranger(gate.port) as stranger:
        stranger.line()
        if not stranger.ask(b"EHLO " + name).startswith(b"250"):
            stranger.ask(b"EHLO fallback.example")
        stranger.envelope(b"bob@gate.example")
        stranger.ask(b"DATA")
        assert stranger.ask(mail("evil") + b".").startswith(b"250")
    raw = gate.delivered("bob", before + 1)[-1].read_bytes()
    assert b"\nX-Injected" not in raw
    assert b"\x1b" not in raw
    assert b"\x00" not in raw
    check_log(gate)


SENDERS = [
    b"MAIL FROM:<%s@sender.example>",
    b"MAIL FROM:<x@%s>",
    b'MAIL FROM:<"%s"@sender.example>',
    b"MAIL FROM:<x@sender.example> SMTPUTF8 ENVID=%s",
    b"MAIL FROM:<joe@sender.example> %s=1",
]


@pytest.mark.parametrize("command", SENDERS)
def test_evil_addresses_do_no_harm(gate: RunningGate, command: bytes) -> None:
    for evil in EVIL:
        with Stranger(gate.port) as stranger:
            stranger.hello()
            if not stranger.ask(command.replace(b"%s", evil)).startswith(b"250"):
                stranger.ask(b"MAIL FROM:<joe@sender.example>")
            refused = stranger.ask(b'RCPT TO:<"' + evil + b'"@gate.example>')
            assert refused[:3] in (b"550", b"501", b"553"), (evil, refused)
            assert stranger.ask(b"RCPT TO:<ann@gate.example>")[:3] == b"250"
            stranger.ask(b"DATA")
            answer = stranger.ask(mail("evil") + b".")
            assert answer[:3] in (b"250", b"550", b"451"), (evil, answer)
            assert b"\x1b" not in answer
    check_log(gate)


def check_log(gate: RunningGate) -> None:
    """One line an event, nothing that moves a terminal; and what the command line shows is as clean."""
    for line in gate.log.splitlines():
        assert line.isprintable()
        assert re.match(r"\S+ (info|warning|error) [a-z-]+ ", line), line
    assert "Traceback" not in gate.log


def test_evil_text_on_the_terminal(gate: RunningGate) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\r"
    raw = mail(evil.replace("\r", ""), author=f'"{evil[:4]}" <joe@sender.example>', body=evil.replace("\r", ""))
    deliver(gate, raw)
    for command in (["log"], ["log", "--json"], ["queue", "list"], ["quarantine", "list"]):
        text = gate.cli(*command)[1]
        for odd in "\x1b\x07\x9b\u202e":
            assert odd not in text


def test_a_reverse_name_that_injects(tmp_path_factory: pytest.TempPathFactory) -> None:
    zone = ZONE.replace(
        "1.0.0.127.in-addr.arpa. 300 IN PTR mail.sender.example.",
        r"1.0.0.127.in-addr.arpa. 300 IN PTR a\013\010X-Injected\058\032yes\027[2J.sender.example."
        "\n"
        r"a\013\010X-Injected\058\032yes\027[2J.sender.example. 300 IN A 127.0.0.1",
    )
    server = NameServer(zone)
    gate = RunningGate(tmp_path_factory.mktemp("ptr"), server.port)
    try:
        raw = deliver(gate, mail("ptr"))
        assert b"\nX-Injected" not in raw
        assert b"\x1b" not in raw
        check_log(gate)
        assert "\x1b" not in gate.cli("log")[1]
    finally:
        gate.stop()
        server.stop()


RELAY = [
    b"<x@elsewhere.example>",
    b"<x%elsewhere.example@gate.example>",
    b"<elsewhere.example!x@gate.example>",
    b"<@gate.example:x@elsewhere.example>",
    b"<@a.example,@gate.example:x@elsewhere.example>",
    b'<"x@elsewhere.example"@gate.example>',
    b'<"x%elsewhere.example"@gate.example>',
    b'<"x@elsewhere.example">',
    b"<x@elsewhere.example@gate.example>",
    b"<x@[127.0.0.1]>",
    b"<x@[IPv6:::1]>",
    b"<x@127.0.0.1>",
    b"<x@localhost>",
    b"<x@mx.gate.example>",
    b"<x@gate.example.elsewhere.example>",
    b"<x@elsewhere.example.>",
    b"<x@.gate.example>",
    b"<x>",
    b"<>",
    b"x@elsewhere.example",
    b"<postmaster@elsewhere.example>",
    b"<postmaster@[127.0.0.1]>",
    b"<postmaster%elsewhere.example@gate.example>",
    b"<ann+x@elsewhere.example@gate.example>",
    b"<ann@elsewhere.example,ann@gate.example>",
    b"<ann@gate.example> <x@elsewhere.example>",
    b"<ann@gate.example>,<x@elsewhere.example>",
    b"<ann@gate.example\x00@elsewhere.example>",
    b"<ann@gate.example\tx@elsewhere.example>",
    b'<"ann"@elsewhere.example>',
    b"<x@elsewhere.example> ORCPT=rfc822;ann@gate.example",
    b"<mailto:x@elsewhere.example>",
    b"</etc/passwd>",
    b"<|/bin/sh@gate.example>",
    b"<../../x@gate.example>",
]


@pytest.mark.parametrize(
    "sender", [b"<joe@sender.example>", b"<>", b"<ann@gate.example>", b"<postmaster@gate.example>"]
)
def test_nothing_is_relayed_in_any_spelling(gate: RunningGate, sender: bytes) -> None:
    for recipient in RELAY:
        with Stranger(gate.port) as stranger:
            stranger.hello()
            assert stranger.ask(b"MAIL FROM:" + sender).startswith(b"250")
            answer = stranger.ask(b"RCPT TO:" + recipient)
            assert answer[:1] == b"5", (recipient, answer)
            assert stranger.ask(b"DATA")[:1] == b"5"


def test_relaying_stays_closed_with_a_catch_all_and_with_any_recipient(
    start_gate: Callable[..., RunningGate], tmp_path: object
) -> None:
    gate = start_gate(domain='catch_all = "ann"\n[domains."any.example"]\nrecipients = "any"\nroute = "maildir"')
    for recipient in RELAY:
        if recipient in (b"<../../x@gate.example>", b"<|/bin/sh@gate.example>"):
            continue  # odd names, but names of ours
        for spelling in (recipient, recipient.replace(b"gate.example", b"any.example")):
            with Stranger(gate.port) as stranger:
                stranger.hello()
                stranger.ask(b"MAIL FROM:<joe@sender.example>")
                answer = stranger.ask(b"RCPT TO:" + spelling)
                assert answer[:1] == b"5", (spelling, answer)
    for odd in ("../../x@any.example", "/etc/passwd@any.example", ".Junk@any.example"):
        with Stranger(gate.port) as stranger:
            stranger.hello()
            stranger.ask(b"MAIL FROM:<joe@sender.example>")
            if stranger.ask(f'RCPT TO:<"{odd.partition("@")[0]}"@any.example>'.encode()).startswith(b"250"):
                stranger.ask(b"DATA")
                assert stranger.ask(mail("odd") + b".").startswith(b"250")
    until(lambda: gate.cli_json("queue", "list") == [], "an empty queue")
    places = {path.parent.parent for path in (gate.folder / "store").rglob("cur")}
    assert all(place.is_relative_to(gate.folder / "store" / "mail") for place in places)
