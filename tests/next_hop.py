"""A next hop that does as it is told: a small SMTP server in a thread.

In: which recipients it refuses, and how. Out: what it took. Not here: real ones (tests/interop).
"""

from __future__ import annotations

import socketserver
import threading


class NextHop(socketserver.ThreadingTCPServer):
    """`refuses` maps recipients to the reply they get; `taken` holds (sender, recipients, mail)."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.port = int(self.server_address[1])
        self.refuses: dict[str, str] = {}
        self.taken: list[tuple[str, list[str], bytes]] = []
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def mail_for(self, recipient: str) -> list[bytes]:
        return [mail for _, recipients, mail in self.taken if recipient in recipients]


class _Conversation(socketserver.StreamRequestHandler):
    server: NextHop

    def handle(self) -> None:
        self.say("220 hop.example ESMTP")
        sender, recipients = "", []
        while line := self.rfile.readline().decode().strip():
            verb, address = line[:4].upper(), line.partition("<")[2].partition(">")[0]
            if verb == "RCPT" and address in self.server.refuses:
                self.say(self.server.refuses[address])
                continue
            if verb == "MAIL":
                sender, recipients = address, []
            elif verb == "RCPT":
                recipients.append(address)
            elif verb == "DATA":
                self.say("354 go on")
                self.server.taken.append((sender, recipients, self.read_mail()))
            self.say("250 2.0.0 OK" if verb != "QUIT" else "221 2.0.0 bye")

    def read_mail(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    def say(self, reply: str) -> None:
        self.wfile.write(reply.encode() + b"\r\n")
