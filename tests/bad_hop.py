"""Next hops gone bad: small servers in threads, each with one bad habit.

In: the name of a habit. Out: `BadHop` with its port and what it heard. Everything ends with the test.
Not here: what the gate makes of it (`server/test_bad_hops`).
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

Habit = Callable[[socket.socket], None]
EHLO = b"250-bad.example\r\n250-PIPELINING\r\n250-SIZE 10000000\r\n250-8BITMIME\r\n250 DSN\r\n"


def serve(
    sock: socket.socket,
    *,
    last: bytes = b"250 OK\r\n",
    replies: dict[bytes, bytes] | None = None,
    heard: list[bytes] | None = None,
) -> None:
    """A proper session, but for the `replies` by verb and the `last` one, to the message. `heard` gets every line."""
    replies = replies or {}
    heard = [] if heard is None else heard
    sock.sendall(replies.get(b"GREETING", b"220 bad.example\r\n"))
    lines = sock.makefile("rb")
    while line := lines.readline(4096):
        heard.append(line)
        verb = line[:4].upper()
        usual = {b"EHLO": EHLO, b"LHLO": EHLO, b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 OK\r\n")
        reply = replies.get(verb, usual)
        sock.sendall(reply)
        if verb == b"DATA" and reply.startswith(b"354"):
            while (content := lines.readline(65536)) not in (b".\r\n", b""):
                heard.append(content)
            if content and last:
                sock.sendall(last)
            if not last:
                return
        if verb == b"QUIT":
            return


def _endless(piece: bytes, first: bytes = b"") -> Habit:
    def habit(sock: socket.socket) -> None:
        sock.sendall(first)
        for _ in range(20_000):
            sock.sendall(piece)

    return habit


def _drip(sock: socket.socket) -> None:
    for octet in b"220-slow\r\n" * 200:
        sock.sendall(bytes([octet]))
        time.sleep(0.1)


def _replying(**replies: bytes) -> Habit:
    return lambda sock: serve(sock, replies={verb.encode(): reply for verb, reply in replies.items()})


HABITS: dict[str, Habit] = {
    "says nothing": lambda sock: time.sleep(30),
    "hangs up at once": lambda sock: None,
    "endless greeting": _endless(b"220-" + b"x" * 100 + b"\r\n"),
    "line without end": _endless(b"2" * 1000),
    "drips its greeting": _drip,
    "speaks nonsense": _endless(b"\x00\xff\r\n\x1b[31m"),
    "speaks http": _endless(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "greets with 354": _replying(GREETING=b"354 go\r\n"),
    "greets with 999": _replying(GREETING=b"999 hello\r\n"),
    "greets with 554": _replying(GREETING=b"554 go away\r\n"),
    "greets and answers at once": _replying(GREETING=b"220 x\r\n" + EHLO + b"250 OK\r\n250 OK\r\n354 go\r\n250 OK\r\n"),
    "huge list of keywords": _replying(EHLO=b"250-x\r\n" * 5000 + b"250 y\r\n"),
    "other codes within a reply": _replying(EHLO=b"250-x\r\n550 y\r\n"),
    "354 to MAIL": _replying(MAIL=b"354 go\r\n"),
    "two replies to MAIL": _replying(MAIL=b"250 OK\r\n250 OK\r\n250 OK\r\n"),
    "250 to DATA": _replying(DATA=b"250 OK\r\n"),
    "451 to RCPT": _replying(RCPT=b"451 4.7.1 greylisted \x1b[2J\x07 forged\rlog line\r\n"),
    "421 to MAIL": _replying(MAIL=b"421 going down\r\n"),
    "no reply to the message": lambda sock: serve(sock, last=b""),
    "nonsense to the message": lambda sock: serve(sock, last=b"what?\r\n"),
    "half a reply to the message": lambda sock: serve(sock, last=b"250-almost\r\n"),
    "354 to the message": lambda sock: serve(sock, last=b"354 more\r\n"),
    # Opportunistic TLS falls back to plaintext, on a connection of its own; there it is refused for now.
    "starttls with something behind": _replying(
        EHLO=b"250-x\r\n250 STARTTLS\r\n", STAR=b"220 go\r\n250 smuggled\r\n", MAIL=b"421 no\r\n"
    ),
}


class BadHop:
    """Serves `habit` to whoever comes, until `stop`."""

    def __init__(self, habit: Habit) -> None:
        self._habit = habit
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.calls = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.calls += 1
            threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock: socket.socket) -> None:
        with sock:
            sock.settimeout(30)
            try:
                self._habit(sock)
            except OSError:
                pass  # the gate hung up, as it should

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
