"""SMTP: reading undoes writing, cuts do not matter, and client and server machine never disagree."""

from __future__ import annotations

import itertools
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.errors import RemoteProtocolError
from gatepost.names import Body, Envelope, Recipient
from gatepost.wire.smtp import ClientConnection, Limits, Reply, ServerConnection, State, Verb
from gatepost.wire.smtp.commands import find_verb, parse_command
from gatepost.wire.smtp.data import DataReader, has_bare_newline, write_data
from gatepost.wire.smtp.events import Answered, Bad, Closed, Hello, Mail, Message, Plain, Rcpt
from gatepost.wire.smtp.replies import ReplyReader
from gatepost.wire.smtp.writer import write_command

EXTENSIONS = ("PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS")

atoms = st.text(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~", min_size=1, max_size=20)
quoted = st.text(string.ascii_letters + ' "\\@,<>', min_size=1, max_size=10).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
labels = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
domains = st.lists(labels, min_size=1, max_size=3).map(".".join) | st.sampled_from(
    ["[192.0.2.1]", "[IPv6:2001:db8::1]"]
)
dotted = st.lists(atoms, min_size=1, max_size=3).map(".".join)
locals_ = dotted | quoted.filter(lambda text: not text[1:-1].isalpha())  # quoting that is not needed is taken off
addresses = st.tuples(locals_, domains).map("@".join)
utf8 = st.sampled_from(["jürgen@bücher.example", "用户@例子.广告", "δοκιμή@παράδειγμα.δοκιμή"])
wishes = st.sampled_from([(), ("NEVER",), ("SUCCESS",), ("FAILURE", "DELAY"), ("SUCCESS", "FAILURE", "DELAY")])
recipients = st.builds(
    Recipient,
    address=addresses,
    notify=wishes,
    orcpt=st.none()
    | addresses.filter(lambda text: " " not in text and '"' not in text and "+" not in text and "=" not in text).map(
        "rfc822;".__add__
    ),
)
envelopes = st.builds(
    Envelope,
    mail_from=st.just("") | addresses,
    recipients=st.just(()),
    body=st.sampled_from(Body),
    smtputf8=st.just(False),
    size=st.none() | st.integers(0, 10**12),
    ret=st.sampled_from([None, "FULL", "HDRS"]),
    envid=st.sampled_from([None, "x", "QQ+3D314159"]),
    requiretls=st.booleans(),
) | st.builds(Envelope, mail_from=utf8, recipients=st.just(()), smtputf8=st.just(True))

lines = st.lists(st.sampled_from([b"", b".", b"..", b".x", b"x", b"a.b", b"\0", b"\xff"]), max_size=8)
contents = lines.map(lambda some: b"".join(line + b"\r\n" for line in some))
anything = st.binary(max_size=60) | st.lists(
    st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.\r\n", b"x", b"\0"]), max_size=12
).map(b"".join)


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    """`octets` cut at `places` (taken modulo its length)."""
    edges = sorted({0, len(octets), *(place % (len(octets) + 1) for place in places)})
    return [octets[start:end] for start, end in itertools.pairwise(edges)]


@given(envelopes)
def test_mail_is_read_as_it_was_written(envelope: Envelope) -> None:
    line = write_command(Mail(envelope))[:-2]
    assert find_verb(line) is Verb.MAIL
    assert parse_command(Verb.MAIL, line, EXTENSIONS, False) == Mail(envelope)


@given(recipients | utf8.map(lambda address: Recipient(address=address)))
def test_rcpt_is_read_as_it_was_written(recipient: Recipient) -> None:
    line = write_command(Rcpt(recipient))[:-2]
    assert parse_command(Verb.RCPT, line, EXTENSIONS, True) == Rcpt(recipient)


@given(contents, st.lists(st.integers(0, 200)), st.binary(max_size=10))
def test_content_is_read_as_it_was_written(content: bytes, places: list[int], behind: bytes) -> None:
    reader, seen = DataReader(Limits()), 0
    wire = write_data(content)
    for piece in cut(wire + behind, places):
        end = reader.feed(piece)
        if end is not None:
            seen += end
            break
        seen += len(piece)
    assert seen == len(wire)
    assert reader.finish() == content


@given(anything, st.lists(st.integers(0, 200)))
def test_content_ends_at_the_first_crlf_dot_crlf(octets: bytes, places: list[int]) -> None:
    at = (b"\r\n" + octets).find(b"\r\n.\r\n")
    reader, seen, ended = DataReader(Limits()), 0, False
    for piece in cut(octets, places):
        end = reader.feed(piece)
        seen += len(piece) if end is None else end
        if end is not None:
            ended = True
            break
    assert ended == (at >= 0)
    if ended:
        assert seen == at + 3
        if has_bare_newline(octets[: at + 3]):
            with pytest.raises(RemoteProtocolError):
                reader.finish()
        else:
            assert not has_bare_newline(reader.finish())


texts = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40).filter(
    lambda text: text[:2] not in ("2.", "4.", "5.")
)
replies = st.builds(
    lambda code, some: Reply(code, *some, enhanced=f"{code // 100}.1.0"),
    st.sampled_from([250, 354 - 104, 421, 450, 550]),
    st.lists(texts, min_size=1, max_size=4),
)


@given(replies)
def test_reply_is_read_as_it_was_written(reply: Reply) -> None:
    reader = ReplyReader(Limits())
    *others, last = reply.octets.split(b"\r\n")[:-1]
    assert all(reader.feed(line) is None for line in others)
    assert reader.feed(last) == reply


@settings(max_examples=150)
@given(
    st.lists(st.tuples(envelopes, st.lists(recipients, min_size=1, max_size=4), contents), min_size=1, max_size=3),
    st.lists(st.sampled_from([250, 250, 250, 450, 550]), max_size=30),
    st.booleans(),
    st.lists(st.integers(1, 40), min_size=1, max_size=20),
)
def test_client_and_server_never_disagree(
    messages: list[tuple[Envelope, list[Recipient], bytes]], verdicts: list[int], pipelining: bool, sizes: list[int]
) -> None:
    pair = Pair(verdicts, EXTENSIONS if pipelining else EXTENSIONS[1:], sizes)
    pair.run()
    pair.say(Hello(Verb.EHLO, "client.example"))
    for envelope, some, content in messages:
        commands: list[Mail | Rcpt | Plain] = [Mail(envelope), *map(Rcpt, some)]
        if pipelining:
            pair.say(*commands, Plain(Verb.DATA))
        else:
            for command in commands:
                if command.verb is Verb.MAIL or pair.client.state in (State.MAIL, State.RCPT):
                    pair.say(command)
            if pair.client.state is State.RCPT:
                pair.say(Plain(Verb.DATA))
        if pair.client.state is State.DATA:
            pair.sent.append(content)
            pair.client.send_message(content)
            pair.run()
        elif pair.client.state is not State.READY:
            pair.say(Plain(Verb.RSET))
    pair.say(Plain(Verb.QUIT))
    assert pair.client.state is State.CLOSED
    assert pair.received == pair.sent


class Pair:
    """A client and a server machine, joined; the server answers by `verdicts`, octets travel in pieces of `sizes`."""

    def __init__(self, verdicts: list[int], keywords: tuple[str, ...], sizes: list[int]) -> None:
        self.client = ClientConnection()
        self.server = ServerConnection()
        self.server.send_reply(Reply(220, "mx"))
        self.keywords = keywords
        self.verdicts = iter(verdicts)
        self.sizes = sizes
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    def say(self, *commands: Hello | Mail | Rcpt | Plain) -> None:
        for command in commands:
            self.client.send_command(command)
        self.run()

    def run(self) -> None:
        """Until nobody has anything to say; then both must be in the same state."""
        while True:
            forth, back = self.client.data_to_send(), self.server.data_to_send()
            if not forth and not back:
                break
            self.carry(forth, self.server)
            self.carry(back, self.client)
        assert self.client.state is self.server.state
        assert self.client.pending == 0

    def carry(self, octets: bytes, to: ClientConnection | ServerConnection) -> None:
        turn = 0
        while octets:
            size = self.sizes[turn % len(self.sizes)]
            to.receive_data(octets[:size])
            octets = octets[size:]
            turn += 1
            while (event := to.next_event()) is not None:
                if not isinstance(event, Answered):
                    self.answer(event)

    def answer(self, event: object) -> None:
        code = next(self.verdicts, 250)
        match event:
            case Hello():
                self.server.send_hello("mx", self.keywords)
            case Bad():
                self.server.send_reply(event.reply)
            case Plain(verb=Verb.QUIT):
                self.server.send_reply(Reply(221, "bye"))
            case Plain(verb=Verb.DATA) if code == 250:
                self.server.send_reply(Reply(354, "go"))
            case Plain(verb=Verb.RSET):
                self.server.send_reply(Reply(250, "ok"))
            case Closed():
                raise AssertionError("nobody closed")
            case Message():
                self.received.append(event.raw)
                self.server.send_reply(Reply(code, "so be it"))
            case _:
                self.server.send_reply(Reply(code, "so be it"))


pieces = st.sampled_from([
    *(b"EHLO x\r\n", b"HELO x\r\n", b"MAIL FROM:<a@b>\r\n", b"MAIL FROM:<> SIZE=9\r\n", b"RCPT TO:<c@d>\r\n"),
    *(b"DATA\r\n", b"x: y\r\n\r\n", b".\r\n", b"..\r\n", b"\r\n.\r\n", b"\n.\n", b"\r", b"\n", b"\0"),
    *(b"BDAT 5\r\n", b"BDAT 3 LAST\r\n", b"abcde", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"NOPE\r\n"),
    *(b"VRFY x\r\n", b"x" * 700, b"\xc3\xbc", b"STARTTLS\r\n"),
])  # fmt: skip
sessions = st.lists(pieces | st.binary(max_size=8), max_size=25).map(b"".join)


def told(octets: list[bytes]) -> list[tuple[str, bytes]]:
    """What a server that says yes to everything is told, in a form that can be compared."""
    machine = ServerConnection(Limits(command_line=600, message=300, discard=600))
    machine.send_reply(Reply(220, "mx"))
    seen = []
    for piece in octets:
        machine.receive_data(piece)
        while (event := machine.next_event()) is not None:
            seen.append((repr(event), event.raw if isinstance(event, Message) else b""))
            match event:
                case Hello():
                    machine.send_hello("mx", (*EXTENSIONS, "CHUNKING"))
                case Bad():
                    machine.send_reply(event.reply)
                case Closed():
                    pass
                case Plain(verb=Verb.DATA):
                    machine.send_reply(Reply(354, "go"))
                case _:
                    machine.send_reply(Reply(250, "ok"))
    return seen


@settings(max_examples=300)
@given(sessions, st.lists(st.integers(0, 2000)))
def test_a_server_is_told_the_same_however_it_is_cut(octets: bytes, places: list[int]) -> None:
    whole = told([octets] if octets else [])
    assert told(cut(octets, places)) == whole
    assert told([octets[at : at + 1] for at in range(len(octets))]) == whole


@given(st.lists(st.sampled_from([b"220", b"250", b"354", b"421", b"550", b"-", b" ", b"x", b"\r\n", b"\n", b"\xff"])))
def test_any_octets_from_a_server_give_answers_or_our_error(some: list[bytes]) -> None:
    machine = ClientConnection(Limits(reply_line=50, reply_lines=5))
    try:
        for piece in some:
            machine.receive_data(piece)
            while (event := machine.next_event()) is not None:
                assert isinstance(event, Answered)
                if machine.state is State.GREETED:
                    machine.send_command(Hello(Verb.EHLO, "x"))
    except RemoteProtocolError:
        assert machine.state is State.CLOSED
