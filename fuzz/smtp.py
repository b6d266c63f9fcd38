"""Fuzzes SMTP: the server's and the client's machine, whole against cut up, and the PROXY header.

What must hold: any octets give events or our error; the same events however they are cut; what is accepted as a
message has no stray CR or LF; a command that was read can be written and read again; after STARTTLS nothing in
plaintext counts.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.errors import RemoteProtocolError
from gatepost.names import Envelope
from gatepost.server.smtp.gatekeeper import OpenDoor
from gatepost.server.smtp.listener import Listener
from gatepost.server.smtp.proxy import ProxyReader
from gatepost.server.smtp.settings import SmtpSettings
from gatepost.server.smtp.visit import Visit
from gatepost.wire.smtp import ClientConnection, Limits, Reply, ServerConnection, State, Verb
from gatepost.wire.smtp.commands import find_verb, parse_command
from gatepost.wire.smtp.events import Bad, Closed, Hello, Mail, Message, Plain, Rcpt, ServerEvent
from gatepost.wire.smtp.writer import write_command

LIMITS = Limits(command_line=600, message=2000, discard=2000, reply_line=600, reply_lines=20)
KEYWORDS = (
    "PIPELINING",
    "SIZE 2000",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "CHUNKING",
    "REQUIRETLS",
    "AUTH PLAIN",
    "XCLIENT ADDR",
)
START = b"EHLO client.example\r\nMAIL FROM:<a@example.com> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x+2B\r\n"
CORPUS = [
    START
    + b"RCPT TO:<b@example.net> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@example.net\r\nDATA\r\nx: y\r\n\r\n..a\r\n.\r\n"
    + b"QUIT\r\n",
    START
    + b'RCPT TO:<"b c"@[IPv6:2001:db8::1]>\r\nBDAT 5\r\nabc\r\nBDAT 2 LAST\r\n\r\nRSET\r\nNOOP x\r\nVRFY y\r\n'
    + b"HELP\r\n",
    "EHLO x\r\nMAIL FROM:<jürgen@bücher.example> SMTPUTF8\r\nRCPT TO:<@a,@b:ü@x.example>\r\nDATA\r\n.\r\n".encode(),
    b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nDATA\r\na\n.\nb\r.\r\n\n.\r\nx\r\n.\r\n",
    b"EHLO x\r\nAUTH PLAIN\r\nAGEAYg==\r\nAUTH PLAIN =\r\n*\r\nMAIL FROM:<a@b>\r\n",
    b"EHLO x\r\nXCLIENT ADDR=192.0.2.1 NAME=[UNAVAILABLE]\r\nSTARTTLS\r\nEHLO injected\r\n",
    b"220-mx\r\n220 mx ESMTP\r\n250-mx\r\n250-PIPELINING\r\n250 SIZE 1\r\n250 2.1.0 ok\r\n421 bye\r\n",
    b"220 mx\r\n250-mx\r\n250 X\r\n550-5.1.1 no\r\n550 5.1.1 such\r\n354 go\r\n221 2.0.0 bye\r\n",
    b"PROXY TCP6 2001:db8::1 2001:db8::2 5555 25\r\nEHLO x\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\x19\0\x19EHLO x\r\n",
]


def answer(machine: ServerConnection, event: ServerEvent, keywords: tuple[str, ...]) -> None:
    match event:
        case Bad():
            machine.send_reply(event.reply)
        case Hello():
            machine.send_hello("mx.example.net", keywords)
        case Plain(verb=Verb.DATA):
            machine.send_reply(Reply(354, "go"))
        case Plain(verb=Verb.STARTTLS | Verb.QUIT):
            machine.send_reply(Reply(220, "go"))
        case Closed():
            pass
        case _ if event.verb is Verb.AUTH and machine.state is State.READY:
            machine.send_reply(Reply(334, ""))
        case _:
            machine.send_reply(Reply(250, "ok", enhanced="2.0.0"))


def serve(data: bytes, step: int, keywords: tuple[str, ...] = KEYWORDS) -> tuple[list[ServerEvent], bytes]:
    machine = ServerConnection(LIMITS)
    machine.send_reply(Reply(220, "mx"))
    events: list[ServerEvent] = []
    for start in range(0, len(data), step):
        machine.receive_data(data[start : start + step])
        while (event := machine.next_event()) is not None:
            events.append(event)
            answer(machine, event, keywords)
    return events, machine.data_to_send()


def told(event: ServerEvent) -> tuple[str, bytes]:
    """An event in a form that can be compared."""
    return repr(event), event.raw if isinstance(event, Message) else b""


def check_server(data: bytes) -> None:
    events, replies = serve(data, max(1, len(data)))
    for step in (1, 7):
        again, same = serve(data, step)
        assert (list(map(told, again)), same) == (list(map(told, events)), replies), f"cut by {step}"
    for event in events:
        if isinstance(event, Message):
            raw = event.raw
            assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
            assert not raw or raw.endswith(b"\r\n")
        if isinstance(event, Mail | Rcpt):
            line = write_command(event)[:-2]
            verb = find_verb(line)
            assert verb is event.verb
            extensions = {keyword.partition(" ")[0] for keyword in KEYWORDS}
            assert parse_command(verb, line, extensions, True) == event


def check_injection(data: bytes) -> None:
    """With STARTTLS offered, a session in plaintext never gets beyond it."""
    try:
        events, _ = serve(data, max(1, len(data)), (*KEYWORDS, "STARTTLS"))
    except RemoteProtocolError:
        return
    starts = [index for index, event in enumerate(events) if event == Plain(Verb.STARTTLS)]
    assert not starts or starts[0] == len(events) - 1


def ask(data: bytes, step: int) -> list[object]:
    machine = ClientConnection(LIMITS)
    seen: list[object] = []
    commands = iter([Hello(Verb.EHLO, "x"), Plain(Verb.NOOP), Plain(Verb.RSET), Plain(Verb.QUIT)])
    for start in range(0, len(data), step):
        machine.receive_data(data[start : start + step])
        try:
            while (event := machine.next_event()) is not None:
                seen.append(event)
        except RemoteProtocolError as error:
            return [*seen, str(error)]
        if step == 1 and machine.pending == 0 and machine.state in (State.GREETED, State.READY):
            machine.send_command(next(commands, Plain(Verb.NOOP)))
    return seen


def check_client(data: bytes) -> None:
    ask(data, 1)
    ask(data, max(1, len(data)))


def check_proxy(data: bytes) -> None:
    results = []
    for step in (max(1, len(data)), 1):
        reader, header = ProxyReader(), None
        try:
            for start in range(0, len(data), step):
                header = reader.feed(data[start : start + step])
                if header is not None:
                    break
        except RemoteProtocolError:
            header = "refused"  # type: ignore[assignment]
        results.append(header)
    assert results[0] == results[1], results


class Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 5555), "sockname": ("127.0.0.1", 25)})
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


async def drive(data: bytes) -> None:
    """The driver, with a gatekeeper that takes its time over messages."""
    settings = SmtpSettings(limits=LIMITS, xclient_networks=("127.0.0.1",), max_octets_in_flight=1500)
    listener = Listener(hostname="mx", gatekeeper=Slow(), settings=settings)
    protocol, wire = listener._connected(), Wire()
    protocol.connection_made(wire)
    for start in range(0, len(data), 50):
        if wire.closed:
            break
        protocol.data_received(data[start : start + 50])
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    await asyncio.sleep(0)
    assert listener.connections == 0


class Slow(OpenDoor):
    async def message(self, visit: Visit, envelope: Envelope, raw: bytes) -> Reply | None:
        assert envelope.recipients
        return None


class Noted(logging.Handler):
    """What the driver logs is what went wrong in it."""

    def emit(self, record: logging.LogRecord) -> None:
        WRONG.append(record.getMessage())


WRONG: list[str] = []
LOOP = asyncio.new_event_loop()
LOOP.set_exception_handler(lambda _, context: WRONG.append(str(context)))
logging.getLogger("gatepost.smtp").addHandler(Noted())


def target(data: bytes) -> None:
    LOOP.run_until_complete(drive(data))
    assert not WRONG, WRONG
    check_server(data)
    check_injection(data)
    check_client(data)
    check_proxy(data)


if __name__ == "__main__":
    main(target, CORPUS)
