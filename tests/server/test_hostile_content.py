"""Hostile messages through the running gate: each is answered soon, none hurts the process or what comes after it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from running import ZONE, NameServer, RunningGate, mail, until
from stranger import resident

MEMORY = 80 << 20  # octets that all processes together may grow by: a message of some megabytes is held a few times
SECONDS = 6.0  # that one message may take on a busy machine of two cores


def deep(levels: int) -> bytes:
    """Multiparts in multiparts."""
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(levels))
    return mail("deep", more="MIME-Version: 1.0").replace(b"\r\n\r\n", b"\r\n" + parts.encode(), 1)


def rfc822(levels: int) -> bytes:
    """Messages in messages."""
    return mail("russian", more="Content-Type: message/rfc822") + b"Content-Type: message/rfc822\r\n\r\n" * levels


def many(name: str, value: str, count: int) -> bytes:
    return mail("many", more="".join(f"{name}: {value.format(n=n)}\n" for n in range(1, count + 1)).rstrip("\n"))


DKIM = "v=1; a=rsa-sha256; d=sender.example; s=s{n}; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"
ARC = (
    "ARC-Seal: i={n}; a=rsa-sha256; t=1; cv=pass; d=sender.example; s=s{n}; b=AAAA\n"
    "ARC-Message-Signature: i={n}; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=s; h=from; bh=AAAA; b=AAAA\n"
    "ARC-Authentication-Results: i={n}; sender.example; spf=pass"
)
HOSTILE = {
    "mime of 2,000 levels": deep(2000),
    "messages in messages": rfc822(20_000),
    "subject of encoded words": mail("=?utf-8?b?" + "?= =?utf-8?b?".join(["w4TDlsOc"] * 8000) + "?="),
    "subject of broken encoded words": mail("=?" * 100_000),
    "100,000 fields": many("X-Field", "{n}", 100_000),
    "a field of a megabyte": mail("long", more="X-Long: " + "a b " * 262_144),
    "a name of a megabyte": mail("long name", more="X" * 1_000_000 + ": y"),
    "a field folded 100,000 times": mail("folded", more="X-Folded: y" + "\n\tz" * 100_000),
    "no header": b"\r\n" * 50_000,
    "only colons": b":\r\n" * 50_000,
    "10,000 signatures": many("DKIM-Signature", DKIM, 10_000),
    "a signature of a megabyte": mail("tag", more="DKIM-Signature: " + "a=b;" * 250_000),
    "60 ARC sets": mail("arc", more="\n".join(ARC.format(n=n) for n in range(60, 0, -1))),
    "10,000 authors": mail("authors", author=", ".join(f"a{n}@d{n}.example" for n in range(10_000))),
    "an author of open brackets": mail("author", author="<" * 100_000),
    "an author of comments": mail("author", author="(" * 100_000 + " joe@sender.example"),
    "an author of quotes": mail("author", author='"\\"' * 50_000),
    "an author of groups": mail("author", author="a:b:" * 50_000 + ";"),
    "40 Received": many(
        "Received", "from a{n}.example ([192.0.2.{n}]) by b.example with SMTP; Mon, 1 Jan 2024 00:00:00 +0000", 40
    ),
    "a Received of a megabyte": mail("received", more="Received: " + "from x by y (((" * 70_000),
    "10,000 parts": mail(
        "parts", more="MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b", body="--b\n\nx\n" * 10_000
    ),
    "a boundary that is everywhere": mail(
        "b", more="Content-Type: multipart/mixed; boundary=-", body="---\n" * 100_000
    ),
    "10,000 parameters": mail("p", more="Content-Type: text/plain" + "".join(f"; a*{n}*=x" for n in range(10_000))),
    "10,000 Authentication-Results": many(
        "Authentication-Results", "mx.gate.example; spf=pass smtp.mailfrom=x{n}", 10_000
    ),
    "results of comments": mail("ar", more="Authentication-Results: " + "(" * 200_000),
    "a date of digits": mail("date", more="Date: " + "9" * 200_000),
    "list identifiers": mail("list", more="List-Id: " + "<" * 200_000 + "\nMessage-ID: " + "<" * 200_000),
    "utf-8 everywhere": ("From: ü@sender.example\r\nSubject: " + "💣" * 50_000 + "\r\nX-Ü: y\r\n\r\n").encode(),
    "eight bits": b"From: \xff\xfe@\x80\r\nTo: \xc3\r\nSubject: \xe2\x28\xa1\r\nDate: \x9b31m\r\n\r\n\x1b[2J",
    "lines of a megabyte": mail("line", body="x" * 3_000_000),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer) -> Iterator[RunningGate]:
    gate = RunningGate(tmp_path_factory.mktemp("hostile"), name_server.port)
    assert gate.send(mail("before"))[0] == 250
    yield gate
    gate.stop()


@pytest.fixture
def unhurt(shared: RunningGate) -> Iterator[RunningGate]:
    pids, before = shared.children(), resident(shared.children())
    yield shared
    assert shared.children() == pids, shared.log[-2000:]
    grown = resident(pids) - before
    assert grown < MEMORY, f"{grown >> 20} MB more"
    assert shared.send(mail("good"))[0] == 250
    for word in ("Traceback", "process-failed", "gatekeeper failed", "our mistake", "never retrieved"):
        assert word not in shared.log, shared.log[-3000:]


@pytest.fixture(scope="module")
def shown() -> set[str]:
    """What was held and shown already: the gate is the same for all."""
    return set()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message(unhurt: RunningGate, shown: set[str], name: str) -> None:
    began = time.monotonic()
    code, text = unhurt.send(HOSTILE[name])
    took = time.monotonic() - began
    assert code in (250, 451, 550, 552, 554), text
    assert "4.3.0" not in text
    assert took < SECONDS, f"{took:.1f} s"
    until(lambda: unhurt.cli_json("queue", "list") == [], "an empty queue")
    assert unhurt.cli("log", "--limit", "3")[0] == 0
    for held in unhurt.cli_json("quarantine", "list"):
        if held["id"] not in shown:
            shown.add(held["id"])
            assert unhurt.cli("quarantine", "show", held["id"])[0] == 0


def test_the_same_hostile_messages_again_and_again_leave_no_memory_behind(unhurt: RunningGate) -> None:
    for name in ("mime of 2,000 levels", "10,000 signatures", "100,000 fields", "subject of encoded words"):
        for _ in range(5):
            unhurt.send(HOSTILE[name])


HOSTILE_ZONE = ZONE + "\n".join(
    [
        'loop.example. 300 IN TXT "v=spf1 include:loop.example -all"',
        *(
            f'i{n}.example. 300 IN TXT "v=spf1 include:i{n + 1}.example include:i{n + 1}.example -all"'
            for n in range(20)
        ),
        'ptr.example. 300 IN TXT "v=spf1 ptr ptr ptr ptr ptr ptr ptr ptr ptr ptr ptr ptr -all"',
        'macro.example. 300 IN TXT "v=spf1 exists:' + "%{l}%{s}" * 20 + '.macro.example -all"',
        "huge.example. 300 IN TXT " + " ".join(['"' + "v=spf1 " + "a:x " * 60 + '"'] * 240),
        "cname.example. 300 IN CNAME cname2.example.",
        "cname2.example. 300 IN CNAME cname.example.",
        *(f'many.example. 300 IN TXT "v=spf1 ip4:192.0.2.{n} -all"' for n in range(200)),
        '_dmarc.many.example. 300 IN TXT "v=DMARC1; p=reject"',
        "_dmarc.huge.example. 300 IN TXT " + " ".join(['"v=DMARC1; p=none; ' + "x" * 200 + '"'] * 200),
        *(f"mx.example. 300 IN MX 10 m{n}.mx.example." for n in range(100)),
        'mx.example. 300 IN TXT "v=spf1 mx -all"',
        "",
    ]
)


def test_dns_that_lies_at_length(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = NameServer(HOSTILE_ZONE)
    gate = RunningGate(tmp_path_factory.mktemp("dns"), server.port)
    try:
        gate.send(mail("before"))
        before = resident(gate.children())
        for domain in ("loop", "i0", "ptr", "macro", "huge", "cname", "many", "mx", "a." * 60 + "x"):
            began = time.monotonic()
            code, text = gate.send(mail("dns", author=f"x@{domain}.example"), sender=f"x@{domain}.example")
            assert code in (250, 451, 550), text
            assert time.monotonic() - began < SECONDS
        assert resident(gate.children()) - before < MEMORY
        assert gate.send(mail("after"))[0] == 250
        assert "Traceback" not in gate.log, gate.log[-3000:]
    finally:
        gate.stop()
        server.stop()
