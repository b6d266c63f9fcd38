"""What runs out: descriptors, patience, DNS. And dialogues made of chance: no order of commands does harm."""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

from running import RunningGate, mail, until
from stranger import Stranger, resident

StartGate = Callable[..., RunningGate]


def cpu(pids: list[int]) -> float:
    """Seconds of processor that the processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / 100


def test_no_more_descriptors_is_no_more_connections_and_nothing_else(gate: RunningGate) -> None:
    gate.send(mail("before"))
    for pid in gate.children():
        most = len(os.listdir(f"/proc/{pid}/fd")) + 24
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
    crowd = [Stranger(gate.port) for _ in range(200)]
    time.sleep(1)
    before = cpu(gate.children())
    time.sleep(2)
    assert cpu(gate.children()) - before < 1.0, "it turns in circles"
    for stranger in crowd:
        stranger.sock.close()
    children = gate.children()
    until(lambda: gate.send(mail("after"))[0] == 250, "mail is taken again")
    assert gate.children() == children
    assert gate.log.count("\n") < 1000
    assert "Traceback" not in gate.log, gate.log[-3000:]


def test_dns_that_is_down_defers_and_loses_nothing(start_gate: StartGate) -> None:
    gate = start_gate()
    text = gate.config.read_text()
    gate.config.write_text(text.replace(f"127.0.0.1:{gate._dns}", "127.0.0.1:1"))
    gate.stop()
    gate.start()
    began = time.monotonic()
    code, said = gate.send(mail("no-dns"))
    assert (code, said[:2]) == (451, "4.")
    assert time.monotonic() - began < 15
    gate.config.write_text(text)
    gate.stop()
    gate.start()
    assert gate.send(mail("dns"))[0] == 250
    gate.delivered("ann")


WORDS = [
    b"EHLO x", b"HELO x", b"MAIL FROM:<joe@sender.example>", b"MAIL FROM:<>", b"RCPT TO:<ann@gate.example>",
    b"RCPT TO:<no@gate.example>", b"DATA", b".", b"..", b"", b"BDAT 5\r\nabcde", b"BDAT 0 LAST", b"BDAT 3 LAST\r\nab",
    b"RSET", b"NOOP", b"VRFY x", b"EXPN x", b"HELP", b"STARTTLS", b"AUTH PLAIN", b"=", b"*", b"LHLO x",
    b"QUIT ", b"mail from:<joe@sender.example> size=10 body=8bitmime", b"Subject: x", b"\xff\xfe", b"A" * 900,
    b"MAIL FROM:<joe@sender.example> SMTPUTF8", b"RCPT TO:<ann@gate.example> NOTIFY=NEVER ORCPT=rfc822;x",
]  # fmt: skip


def test_dialogues_made_of_chance(start_gate: StartGate) -> None:
    """A fixed seed; ends of lines, too, are drawn, and where a piece ends."""
    gate = start_gate(more="[smtp]\ncommand_timeout = 2.0\ndata_timeout = 2.0\nclose_timeout = 1.0\n")
    gate.send(mail("before"))
    pids, before, chance = gate.children(), resident(gate.children()), random.Random(7)
    for _ in range(300):
        ends = chance.choices([b"\r\n", b"\n", b"\r", b"\r\n\r\n"], [97, 1, 1, 1], k=chance.randrange(1, 30))
        script = b"".join(chance.choice(WORDS) + end for end in ends)
        with Stranger(gate.port) as stranger:
            while script and stranger.say(script[: (cut := chance.randrange(1, 400))]):
                script = script[cut:]
            try:
                stranger.finish()
            except OSError:
                continue
            answer = stranger.hear()
            assert all(line[:3].isdigit() for line in answer.split(b"\r\n") if line), answer
    assert gate.children() == pids
    assert resident(pids) - before < 20 << 20
    assert gate.send(mail("after"))[0] == 250
    for word in ("Traceback", "process-failed", "gatekeeper failed", "never retrieved"):
        assert word not in gate.log, gate.log[-3000:]
