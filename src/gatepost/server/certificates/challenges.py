"""Proves that names are ours: by files that the HTTP listener serves, or by records in DNS.

In: `Proof`s, from the thread that orders. Out: they can be seen. Standard: RFC 8555 §8.3 (HTTP-01), §8.4 (DNS-01).
Not here: serving the files (`server.https`), sending changes (`net.publish`).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from gatepost.errors import GatepostError
from gatepost.net.authority import write_private
from gatepost.ports.publisher import Action, Change, Outcome, Publisher
from gatepost.server.certificates.order import AcmeFailed, Proof

TTL = 60  # seconds: a challenge is looked at once
PATIENCE = 60.0  # seconds for one change of DNS; the publisher has its own time-outs


class HttpProver:
    """A file a token; the process that serves HTTP finds it there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def show(self, proofs: Sequence[Proof]) -> None:
        """Writes the files."""
        for proof in proofs:
            write_private(self._folder / proof.token, proof.value.encode("ascii"))

    def hide(self, proofs: Sequence[Proof]) -> None:
        """Deletes them."""
        for proof in proofs:
            (self._folder / proof.token).unlink(missing_ok=True)


class DnsProver:
    """A TXT record a name. `loop` runs the publisher; this is called from another thread."""

    def __init__(self, publisher: Publisher, loop: asyncio.AbstractEventLoop, delay: float) -> None:
        self._publisher, self._loop, self._delay = publisher, loop, delay

    def show(self, proofs: Sequence[Proof]) -> None:
        """Publishes the records and waits until the secondaries have them."""
        for reason in self._change(Action.ADD, proofs):
            raise AcmeFailed(f"dns-01: {reason}")
        time.sleep(self._delay)

    def hide(self, proofs: Sequence[Proof]) -> None:
        """Deletes them; what is left by a failure harms nobody."""
        try:
            self._change(Action.DELETE, proofs)
        except (GatepostError, TimeoutError):
            pass

    def _change(self, action: Action, proofs: Sequence[Proof]) -> list[str]:
        """Why it was not done; empty when it was."""
        if not proofs:
            return []
        texts: dict[str, list[str]] = defaultdict(list)
        for proof in proofs:  # a name and its wildcard share one
            texts[f"_acme-challenge.{proof.name.removeprefix('*.')}"].append(f'"{proof.value}"')
        changes = [
            Change(action=action, name=name, rtype="TXT", records=tuple(found), ttl=TTL)
            for name, found in texts.items()
        ]
        done = asyncio.run_coroutine_threadsafe(self._publisher.publish(changes), self._loop).result(PATIENCE)
        return [one.reason for one in done if one.outcome is not Outcome.DONE]
