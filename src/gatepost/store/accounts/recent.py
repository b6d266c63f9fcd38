"""Passwords that were right a moment ago: a client that logs in for each message pays argon2id once in a while.

In: a kept hash with the password that is tried. Out: whether just this pair was right within the time. What is kept is
a digest under a key that this process alone has, in memory only; the hash is part of it, so that a changed password is
unknown at once. Wrong passwords are never remembered: each costs its argon2id. Standard: none (Dovecot's auth cache).
Not here: the slow check (`passwords`), whether the account may log in at all (`directory`).
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable

MOST = 20_000  # pairs; some 3 MB


class RecentlyRight:
    """Thread-safe. `seconds` after the slow check a pair is forgotten (0: nothing is kept); `clock` never goes back."""

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._guard = threading.Lock()

    def knows(self, kept: str, password: str) -> bool:
        """Whether `password` was right for `kept` a moment ago. The look-up compares digests under a secret key, of
        which its time tells a guesser nothing."""
        with self._guard:
            return self._until.get(self._digest(kept, password), 0.0) > self._clock()

    def note(self, kept: str, password: str) -> None:
        """It was right now, by the slow check."""
        if self._seconds <= 0:
            return
        digest = self._digest(kept, password)
        with self._guard:
            self._until[digest] = self._clock() + self._seconds
            self._until.move_to_end(digest)
            while len(self._until) > MOST:
                self._until.popitem(last=False)

    def _digest(self, kept: str, password: str) -> bytes:
        parts = f"{len(kept)}:{kept}{password}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(parts, key=self._key, digest_size=32).digest()
