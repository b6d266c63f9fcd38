"""kill -9 of the whole gate at random moments under load, many times: every message answered 250 is accounted for.

The supervisor and all its processes die at once, as in a crash of the machine's software; then the accounts are taken
and the gate starts again on what is left. GATEPOST_KILLS sets the number of rounds. For power cuts see
`test_power_cut`: the page cache survives a kill.
"""

from __future__ import annotations

import os
import random
import re
import smtplib
import threading
import time
from pathlib import Path

from accounting import Promise, take_account

from running import NameServer, RunningGate, mail, until

ROUNDS = int(os.environ.get("GATEPOST_KILLS", "6"))
SESSIONS = 6
QUEUED = re.compile(r"queued as ([0-9a-z]{12})")
# Round numbers differ in size, so that bodies are kept in the database and in files of their own.
SIZES = (200, 9_000, 300_000)


class Load:
    """Sessions that hand in mail until the gate dies; `promises` are the ids that were answered 250."""

    def __init__(self, gate: RunningGate, seed: int) -> None:
        self.promises: dict[str, Promise] = {}
        self._gate = gate
        self._threads = [threading.Thread(target=self._session, args=(seed + n,), daemon=True) for n in range(SESSIONS)]
        for thread in self._threads:
            thread.start()

    def _session(self, seed: int) -> None:
        rng = random.Random(seed)
        try:
            client = self._gate.client()
            client.ehlo()
            for number in range(10_000):
                body = mail(f"m{seed}-{number}", body="x" * 70 + ("\n" + "y" * 70) * (rng.choice(SIZES) // 71))
                recipients = ["ann@gate.example", "bob@gate.example"][: rng.randint(1, 2)]
                client.mail("joe@sender.example")
                for recipient in recipients:
                    client.rcpt(recipient)
                code, text = client.data(body)
                found = QUEUED.search(text.decode())
                if code == 250 and found:
                    self.promises[found[1]] = Promise(recipients=len(recipients))
        except (OSError, smtplib.SMTPException):
            pass  # the gate was killed: what was not answered was not promised

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)


def test_every_250_survives_kill_9(tmp_path: Path, name_server: NameServer) -> None:
    rng = random.Random(20261124)
    promises: dict[str, Promise] = {}
    gate = RunningGate(tmp_path, name_server.port)
    for number in range(ROUNDS):
        if number:
            gate.start()
        load = Load(gate, 1000 * number)
        until(lambda load=load: bool(load.promises), "the first 250")
        time.sleep(rng.uniform(0.0, 0.8))
        gate.kill()
        load.join()
        promises |= load.promises
        account = take_account(tmp_path / "store/spool", tmp_path / "store/mail", promises, now=time.time())
        assert account.is_clean, f"round {number}: {account}"
    gate.start()
    try:
        until(lambda: gate.cli_json("queue", "list") == [], "everything is delivered after the last start")
    finally:
        gate.stop()
    account = take_account(tmp_path / "store/spool", tmp_path / "store/mail", promises, now=time.time())
    print(f"{ROUNDS} kills, {len(promises)} messages answered 250: {account}")
    assert account.is_clean, str(account)
    assert not account.in_spool
