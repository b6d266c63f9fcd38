"""A mail server with all the old mistakes, for SMTP, IMAP and POP3, to see that the probe finds them.

In: what it speaks, a context of TLS. Out: `BadServer` with its port. It is an open relay, takes passwords
in the clear (admin with admin), ends a mail at LF.LF, believes what comes behind STARTTLS, and knows no limit.
Not here: what the probe makes of it (`unit/audit/probe`).
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable

END = re.compile(rb"\r?\n\.\r?\n|\r\.\r")
GOOD_LOGIN = b"AGFkbWluAGFkbWlu"  # admin, admin
Answer = Callable[["Session", bytes], bytes]


class Session:
    """One connection. Its buffer survives STARTTLS, which is the mistake."""

    def __init__(self, sock: socket.socket, answer: Answer, context: ssl.SSLContext | None, greeting: bytes) -> None:
        self.sock, self.answer, self.context, self.greeting = sock, answer, context, greeting
        self.buffer, self.in_data, self.wants_tls, self.closed = b"", False, False, False
        self.recipient = b""

    def run(self) -> None:
        self.sock.sendall(self.greeting)
        while not self.closed:
            octets = self.sock.recv(65536)
            if not octets:
                return
            self.buffer += octets
            while self._step():
                pass

    def _step(self) -> bool:
        if self.in_data:
            found = END.search(self.buffer)
            if not found:
                return False
            self.buffer, self.in_data = self.buffer[found.end() :], False
            self.sock.sendall(b"250 2.0.0 taken\r\n")
            return True
        line, found_end, rest = self.buffer.partition(b"\n")
        if not found_end or self.closed:
            return False
        self.buffer = rest
        self.sock.sendall(self.answer(self, line.rstrip(b"\r")))
        if self.wants_tls and self.context is not None:
            self.wants_tls = False
            self.sock = self.context.wrap_socket(self.sock, server_side=True)
        return True


def smtp(session: Session, line: bytes) -> bytes:
    words = line.upper().split(b" ")
    if words[0] == b"EHLO":
        tls = b"250-STARTTLS\r\n" if session.context is not None else b""
        return b"250-bad.example\r\n250-PIPELINING\r\n" + tls + b"250 AUTH PLAIN\r\n"
    if words[0] == b"DATA":
        session.in_data = True
        return b"354 go on\r\n"
    if words[0] == b"STARTTLS" and session.context is not None:
        session.wants_tls = True
        return b"220 go on\r\n"
    if words[0] == b"AUTH":
        return b"235 welcome\r\n" if line.endswith(GOOD_LOGIN) else b"535 wrong\r\n"
    if words[0] == b"QUIT":
        session.closed = True
        return b"221 bye\r\n"
    return b"250 2.0.0 ok\r\n"


def imap(session: Session, line: bytes) -> bytes:
    tag, _, rest = line.partition(b" ")
    verb = rest.upper().split(b" ")[0]
    if verb == b"CAPABILITY":
        return b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" + tag + b" OK done\r\n"
    if verb == b"LOGIN":
        if rest.endswith(b"}"):
            return b"+ go on\r\n"
        return tag + (b" OK in\r\n" if b'"admin" "admin"' in rest else b" NO wrong\r\n")
    if verb == b"LOGOUT":
        session.closed = True
        return b"* BYE\r\n" + tag + b" OK\r\n"
    return tag + b" OK done\r\n"


def pop3(session: Session, line: bytes) -> bytes:
    verb = line.upper().split(b" ")[0]
    if verb == b"CAPA":
        return b"+OK\r\nUSER\r\n.\r\n"
    if verb == b"PASS":
        return b"+OK in\r\n" if line == b"PASS admin" else b"-ERR wrong\r\n"
    session.closed = verb == b"QUIT"
    return b"+OK\r\n"


class _Forwarding(Session):
    """Ends a mail at CRLF.CRLF only, and sends it on as it came, with whatever stands alone in it."""

    next_port = 0

    def _step(self) -> bool:
        if not self.in_data:
            return super()._step()
        content, found, rest = self.buffer.partition(b"\r\n.\r\n")
        if not found:
            return False
        self.buffer, self.in_data = rest, False
        with socket.create_connection(("127.0.0.1", self.next_port), timeout=20) as away:
            commands = [b"EHLO bad.example", b"MAIL FROM:<>", b"RCPT TO:<" + self.recipient + b">", b"DATA"]
            for octets in (b"", *(command + b"\r\n" for command in commands), content + b"\r\n.\r\n", b"QUIT\r\n"):
                away.sendall(octets)
                away.recv(65536)
        self.sock.sendall(b"250 sent on\r\n")
        return True


def forwarding(port: int) -> Answer:
    """An SMTP server that sends what it gets on to `port`."""

    def answer(session: Session, line: bytes) -> bytes:
        if line.upper().startswith(b"RCPT"):
            session.recipient = line.partition(b"<")[2].partition(b">")[0]
        return smtp(session, line)

    answer.session = type("Forwarding", (_Forwarding,), {"next_port": port})  # type: ignore[attr-defined]
    return answer


GREETINGS = {smtp: b"220 bad.example Badmail 1.2.3\r\n", imap: b"* OK bad\r\n", pop3: b"+OK bad\r\n"}


class BadServer:
    """Serves until `stop`. `mails` it does not keep."""

    def __init__(self, answer: Answer = smtp, context: ssl.SSLContext | None = None) -> None:
        self._answer, self._context = answer, context
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listening.getsockname()[1])
        self.connections = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock: socket.socket) -> None:
        kind = getattr(self._answer, "session", Session)
        session = kind(sock, self._answer, self._context, GREETINGS.get(self._answer, b"220 x\r\n"))
        try:
            sock.settimeout(30)
            session.run()
        except (OSError, ValueError):
            pass  # the probe hung up
        finally:
            session.sock.close()

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
