"""kill -9 of the delivery at random moments, many times, to a server that remembers what it answered 250.

None is lost. None is sent again that the spool no longer has: only what was answered 250 and not yet written down when
the process died may come twice, which the protocol cannot prevent (RFC 5321 §6.1, RFC 1047); how many that are is
counted. GATEPOST_KILLS sets the number of rounds.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from carrying import SPOOL

from gatepost.names import Envelope, Recipient, Session
from gatepost.store.spool import NewMessage, Spool, SpoolShard
from next_hop import NextHop
from running import NameServer, RunningGate, until

ROUNDS = int(os.environ.get("GATEPOST_KILLS", "5"))
MESSAGES = 300 * ROUNDS
MOST_TWICE = 200  # a kill: what was answered in the hundredth of a second that outcomes gather, and a slow disk takes


@pytest.fixture
def hop() -> Iterator[NextHop]:
    server = NextHop()
    yield server
    server.stop()


def fill(folder: Path, count: int, domain: str) -> None:
    """Puts messages with one recipient each into the spool, as two workers would."""
    for number in range(2):
        shard = SpoolShard.open(folder, number, SPOOL)
        now = time.time()
        batch = [
            NewMessage(
                id=shard.next_id(now),
                envelope=Envelope(mail_from="joe@sender.example", recipients=(Recipient(address=f"{n}@{domain}"),)),
                session=Session(client_ip="127.0.0.1", received_at=now),
                body=b"From: joe@sender.example\r\nSubject: %d\r\n\r\nHello.\r\n" % n,
            )
            for n in range(number, count, 2)
        ]
        shard.add_many(batch)
        shard.close()


def answered(hop: NextHop) -> Counter[str]:
    """How often each recipient's mail was answered 250."""
    return Counter(recipients[0] for _, recipients, _ in list(hop.taken))


def waiting(folder: Path) -> set[str]:
    """The recipients whose mail is still in the spool."""
    spool = Spool.open(folder, SPOOL, now=time.time())
    found = spool.select("state = 'queued'", (), 1_000_000)
    spool.close()
    return {recipient.address for spooled in found for recipient in spooled.recipients}


def settled(hop: NextHop) -> None:
    """Returns when nothing arrives any more: what the dead process had sent is read."""
    before = -1
    while len(hop.taken) != before:
        before = len(hop.taken)
        time.sleep(0.05)


class Account:
    """What may come twice, and what did."""

    def __init__(self, folder: Path, hop: NextHop) -> None:
        self._folder, self._hop = folder, hop
        self.windows: list[set[str]] = []

    def after_a_kill(self) -> None:
        settled(self._hop)
        left, done = waiting(self._folder), answered(self._hop)
        self.windows.append({one for one in left if done[one]})
        assert len(self.windows[-1]) <= MOST_TWICE, "answered 250 and not written down"

    def at_the_end(self, everybody: set[str]) -> None:
        done = answered(self._hop)
        twice = {one for one, times in done.items() if times > 1}
        print(f"{len(self.windows)} kills, {len(done)} messages, {sum(done.values())} sent,")
        print(f"answered and not written down: {[len(window) for window in self.windows]}")
        assert done.keys() == everybody, "lost"
        assert twice <= set().union(*self.windows), "sent again although it was written down"


def test_kill_9_of_the_delivery(tmp_path: Path, hop: NextHop) -> None:
    rng, account = random.Random(20261124), Account(tmp_path, hop)
    fill(tmp_path, MESSAGES, "far.example")
    everybody = {f"{n}@far.example" for n in range(MESSAGES)}
    for number in range(ROUNDS + 1):
        before = len(hop.taken)
        program = [sys.executable, str(Path(__file__).with_name("carrying.py")), str(tmp_path), str(hop.port)]
        process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
        try:
            if number == ROUNDS:
                until(lambda: not waiting(tmp_path), "the rest is delivered")
                break
            until(lambda before=before: len(hop.taken) > before + rng.randrange(200), "some are delivered")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        account.after_a_kill()
    account.at_the_end(everybody)


def test_kill_9_of_the_whole_gate(tmp_path: Path, hop: NextHop, name_server: NameServer) -> None:
    rng, spool = random.Random(1), tmp_path / "store" / "spool"
    account = Account(spool, hop)
    fill(spool, 600, "gate.example")
    gate = RunningGate(tmp_path, name_server.port, domain=f'route = "smtp:127.0.0.1:{hop.port}"')
    for number in range(2):
        before = len(hop.taken) if number else 0
        if number:
            gate.start()
        until(lambda before=before: len(hop.taken) > before + rng.randrange(150), "some are delivered")
        gate.kill()
        account.after_a_kill()
    gate.start()
    try:
        until(lambda: not waiting(spool), "the rest is delivered")
    finally:
        gate.stop()
    account.at_the_end({f"{n}@gate.example" for n in range(600)})
