"""The running gate looks inside messages: bombs are held back, honest mail is not, children come and go with it."""

from __future__ import annotations

import io
import os
import signal
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from running import RunningGate, until


def letter(subject: str, html: str = "", attachment: bytes = b"", name: str = "a.zip") -> bytes:
    """A message of text, perhaps a page, perhaps an attachment."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "joe@sender.example"
    message["To"] = "ann@gate.example"
    message["Subject"] = subject
    message["Date"] = "Tue, 24 Nov 2026 08:00:00 +0000"
    message["Message-ID"] = f"<{subject}@sender.example>"
    message.set_content("Hello Ann.")
    if html:
        message.add_alternative(html, subtype="html")
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="zip", filename=name)
    return bytes(message)


def zipped(octets: bytes, name: str = "minutes.txt") -> bytes:
    """A zip of one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, octets)
    return out.getvalue()


def below(pid: int) -> list[int]:
    """The processes below `pid`, at any depth."""
    try:
        children = [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(each for child in children for each in below(child))]


def nurseries(gate: RunningGate) -> list[int]:
    """The processes that bear the sandbox's children."""
    found = []
    for pid in below(gate.process.pid):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"gatepost.sandbox.child" in command:
            found.append(pid)
    return found


def test_a_bomb_is_held_back_and_honest_mail_is_not(gate: RunningGate) -> None:
    assert gate.send(letter("bomb", attachment=zipped(bytes(100 << 20))))[0] == 250
    assert (
        gate.send(letter("honest", "<p>Hello <a href='https://sender.example/'>Ann</a></p>", zipped(b"words")))[0]
        == 250
    )
    gate.delivered("ann")
    assert len(gate.mailbox("ann")) == 1
    line = next(line for line in gate.log.splitlines() if " message " in line and "bomb" in line)
    assert "action=quarantine" in line
    assert "content.bomb" in line
    assert " sandbox-ready " in gate.log
    assert " sandbox-child " not in gate.log


def test_children_that_are_killed_are_replaced_and_end_with_the_gate(start_gate: Callable[..., RunningGate]) -> None:
    gate = start_gate()
    page = "<p>Hello <a href='https://sender.example/'>Ann</a></p>"
    assert gate.send(letter("first", page))[0] == 250
    until(lambda: len(nurseries(gate)) >= 3, "each reception process has a nursery, and one a child")
    for pid in nurseries(gate):
        os.kill(pid, signal.SIGKILL)
    for number in range(6):
        assert gate.send(letter(f"after-{number}", page))[0] == 250
    gate.delivered("ann", 7)
    pids = nurseries(gate)
    assert pids
    gate.stop()
    until(lambda: not any(_lives(pid) for pid in pids), "no child outlives the gate")


def test_it_can_be_switched_off(start_gate: Callable[..., RunningGate]) -> None:
    gate = start_gate(more="[content]\nenabled = false")
    assert gate.send(letter("bomb", attachment=zipped(bytes(100 << 20))))[0] == 250
    gate.delivered("ann")
    assert nurseries(gate) == []


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
