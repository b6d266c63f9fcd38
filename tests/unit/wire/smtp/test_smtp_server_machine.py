"""The server's half of the machine: what it makes of octets, however they are cut, and what it refuses."""

from __future__ import annotations

import pytest

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.names import Body
from gatepost.wire.smtp import Limits, Reply, ServerConnection, State, Verb
from gatepost.wire.smtp.events import (
    Auth,
    AuthLine,
    Bad,
    Chunk,
    Closed,
    Hello,
    Mail,
    Message,
    Plain,
    Rcpt,
    ServerEvent,
    Xclient,
)
from gatepost.wire.smtp.parameters import MAIL_PARAMETERS, read_parameters

OK = Reply(250, "OK", enhanced="2.0.0")
KEYWORDS = ("PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN", "CHUNKING", "ENHANCEDSTATUSCODES")


def answer(machine: ServerConnection, event: ServerEvent) -> None:
    """The plainest server: yes to everything."""
    match event:
        case Bad():
            machine.send_reply(event.reply)
        case Hello():
            machine.send_hello("mx.example.net", KEYWORDS)
        case Plain(verb=Verb.DATA):
            machine.send_reply(Reply(354, "Go ahead"))
        case Plain(verb=Verb.QUIT):
            machine.send_reply(Reply(221, "Bye", enhanced="2.0.0"))
        case Closed():
            pass
        case _:
            machine.send_reply(OK)


def started(limits: Limits | None = None) -> ServerConnection:
    machine = ServerConnection(limits)
    machine.send_reply(Reply(220, "mx.example.net ESMTP"))
    return machine


def play(octets: bytes, step: int = 0, limits: Limits | None = None) -> list[ServerEvent]:
    """All events of a session that sends `octets` in pieces of `step` (0: whole)."""
    machine = started(limits)
    events: list[ServerEvent] = []
    for start in range(0, len(octets), step or len(octets)):
        machine.receive_data(octets[start : start + (step or len(octets))])
        while (event := machine.next_event()) is not None:
            events.append(event)
            answer(machine, event)
    return events


GREETED = b"EHLO client.example\r\n"
ENVELOPE = GREETED + b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\n"


def codes(events: list[ServerEvent]) -> list[int]:
    return [event.reply.code for event in events if isinstance(event, Bad)]


def messages(events: list[ServerEvent]) -> list[bytes]:
    return [event.raw for event in events if isinstance(event, Message)]


SESSION = (
    ENVELOPE
    + b"RCPT TO:<c@example.net>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.also\r\n.\r\n"
    + b"MAIL FROM:<> SIZE=5 BODY=8BITMIME\r\nRCPT TO:<postmaster>\r\nBDAT 3\r\na\r\nBDAT 2 LAST\r\n.\r"
    + b"NOPE\r\nRSET\r\nQUIT\r\nMAIL FROM:<x@y>\r\n"
)


@pytest.mark.parametrize("step", [0, 1, 2, 3, 5, 7, 64])
def test_events_do_not_depend_on_the_cut(step: int) -> None:
    events = play(SESSION, step)
    assert [type(event).__name__ for event in events] == [
        "Hello", "Mail", "Rcpt", "Rcpt", "Plain", "Message", "Mail", "Rcpt", "Chunk", "Bad", "Bad", "Plain", "Plain",
    ]  # fmt: skip
    assert messages(events) == [b"Subject: x\r\n\r\n.dot\r\nalso\r\n"]
    assert codes(events) == [550, 500]  # "a CR LF . CR" ends with a bare CR
    mail = events[6]
    assert isinstance(mail, Mail)
    assert (mail.envelope.mail_from, mail.envelope.size, mail.envelope.body) == ("", 5, Body.EIGHT_BIT)


def test_no_next_event_before_the_last_was_answered() -> None:
    machine = started()
    machine.receive_data(ENVELOPE)
    assert isinstance(machine.next_event(), Hello)
    assert machine.next_event() is None
    machine.send_hello("mx", KEYWORDS)
    assert isinstance(machine.next_event(), Mail)


def test_an_answer_to_nothing_is_our_error() -> None:
    machine = started()
    with pytest.raises(LocalProtocolError):
        machine.send_reply(OK)


def test_bad_is_never_answered_with_success() -> None:
    machine = started()
    machine.receive_data(b"NOPE\r\n")
    assert isinstance(machine.next_event(), Bad)
    with pytest.raises(LocalProtocolError):
        machine.send_reply(OK)


def test_the_reply_moves_the_state() -> None:
    machine = started()
    machine.receive_data(ENVELOPE)
    answer(machine, machine.next_event() or pytest.fail("no event"))
    assert isinstance(machine.next_event(), Mail)
    machine.send_reply(Reply(550, "no", enhanced="5.7.1"))
    assert machine.state is State.READY
    refused = machine.next_event()
    assert isinstance(refused, Bad)
    assert refused.reply.code == 503


@pytest.mark.parametrize(
    "line",
    [b"MAIL FROM:<a@b>", b"RCPT TO:<a@b>", b"DATA", b"STARTTLS", b"BDAT 0 LAST"],
)
def test_nothing_before_ehlo(line: bytes) -> None:
    assert len(codes(play(line + b"\r\n"))) == 1


def test_data_without_recipients() -> None:
    assert codes(play(GREETED + b"MAIL FROM:<a@b.example>\r\nDATA\r\n")) == [554]


# RFC 5321 §4.1.1.4 and the smuggling of 2023: none of these ends a message, and none of them is let through.
NO_END = [
    b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n\n.\r\n", b"\r\r\n.\r\r\n", b"\r\n.\r\r\n",
    b"\r\n.\n\r", b"\n\r.\n\r", b"\r\n\r.\r\n", b"\r\n.\r.\r\n",
]  # fmt: skip
INSIDE = b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\nsmuggled\r\n.\r\n"


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize("end", NO_END, ids=repr)
def test_only_crlf_dot_crlf_ends_data(end: bytes, step: int) -> None:
    events = play(ENVELOPE + b"DATA\r\nfirst" + end + INSIDE, step)
    assert messages(events) == []
    assert codes(events) == [550]
    assert sum(isinstance(event, Mail) for event in events) == 1


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize(
    "end", [b"\0\r\n.\0\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n. \r\n", b"\r\n..\r\n"], ids=repr
)
def test_a_dot_with_company_ends_nothing(end: bytes, step: int) -> None:
    events = play(ENVELOPE + b"DATA\r\nfirst" + end + INSIDE, step)
    assert len(messages(events)) == 1
    assert messages(events)[0].endswith(b"smuggled\r\n")
    assert sum(isinstance(event, Mail) for event in events) == 1


@pytest.mark.parametrize("end", NO_END, ids=repr)
def test_normalising_ends_data_no_sooner(end: bytes) -> None:
    events = play(ENVELOPE + b"DATA\r\nfirst" + end + INSIDE, limits=Limits(bare_newlines="normalise"))
    [raw] = messages(events)
    assert raw.startswith(b"first")
    assert raw.endswith(b"smuggled\r\n")
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO x\nMAIL FROM:<a@b>\r\n",
        b"NOOP\n",
        b"\n",
        b"EHLO x\r\nNOOP\nRSET\r\n",
        b"X" * 5000,
        b"NOOP " + b"x" * 2044 + b"\r\n",
    ],
)
def test_lines_that_two_readers_could_cut_differently_close(octets: bytes, step: int) -> None:
    last = play(octets + b"RSET\r\n", step)[-1]
    assert isinstance(last, Bad)
    assert last.fatal
    assert last.reply.code == 500


@pytest.mark.parametrize(
    "line",
    [b"NOOP\rRSET", b"MAIL FROM:<a@b>\rRCPT", b"NOOP\0", b"MAIL FROM:<a\0@b>", b"\0", b"\xff\xfe", b"RSET \x1b[1m"],
)
def test_control_characters_in_a_command(line: bytes) -> None:
    assert len(codes(play(GREETED + line + b"\r\n"))) == 1


def test_browsers_are_sent_away() -> None:
    events = play(b"POST / HTTP/1.1\r\nHost: mx\r\n\r\nEHLO x\r\n")
    assert len(events) == 1
    assert isinstance(events[0], Bad)
    assert events[0].fatal


def tls_server() -> ServerConnection:
    machine = started()
    machine.receive_data(GREETED)
    assert isinstance(machine.next_event(), Hello)
    machine.send_hello("mx", (*KEYWORDS, "STARTTLS"))
    machine.data_to_send()
    return machine


def test_starttls() -> None:
    machine = tls_server()
    machine.receive_data(b"STARTTLS\r\n")
    assert machine.next_event() == Plain(Verb.STARTTLS)
    machine.send_reply(Reply(220, "Go ahead", enhanced="2.0.0"))
    assert machine.state is State.TLS
    machine.tls_started()
    assert machine.state is State.GREETED
    machine.receive_data(b"MAIL FROM:<a@b>\r\n")
    refused = machine.next_event()
    assert isinstance(refused, Bad)  # the EHLO before is forgotten
    assert refused.reply.code == 503


def test_starttls_injection_with_the_command() -> None:
    machine = tls_server()
    machine.receive_data(b"STARTTLS\r\nEHLO injected\r\n")
    event = machine.next_event()
    assert isinstance(event, Bad)
    assert event.fatal
    machine.send_reply(event.reply)
    assert machine.state is State.CLOSED
    assert machine.next_event() is None


def test_starttls_injection_while_we_think() -> None:
    machine = tls_server()
    machine.receive_data(b"STARTTLS\r\n")
    assert machine.next_event() == Plain(Verb.STARTTLS)
    machine.receive_data(b"EHLO injected\r\n")
    with pytest.raises(RemoteProtocolError):
        machine.send_reply(Reply(220, "Go ahead"))
    assert machine.state is State.CLOSED
    assert machine.data_to_send() == b""


def test_starttls_injection_after_220() -> None:
    machine = tls_server()
    machine.receive_data(b"STARTTLS\r\n")
    assert machine.next_event() == Plain(Verb.STARTTLS)
    machine.send_reply(Reply(220, "Go ahead"))
    with pytest.raises(RemoteProtocolError):
        machine.receive_data(b"EHLO injected\r\n")
    with pytest.raises(LocalProtocolError):
        machine.tls_started()
    assert machine.next_event() is None


def test_commands_that_were_not_offered() -> None:
    events = play(GREETED + b"STARTTLS\r\nAUTH PLAIN AGE=\r\nXCLIENT ADDR=192.0.2.1\r\n")
    assert codes(events) == [502, 502]
    assert events[2] == Auth("PLAIN", "AGE=")  # the driver has to warn of a password that was sent too early


def test_the_lines_of_an_exchange_may_be_long() -> None:
    """RFC 4954 §4: 12,288 octets, where a command has 2048."""
    for length, fatal in ((12_288, False), (12_292, True)):
        machine = started()
        machine.receive_data(GREETED + b"AUTH PLAIN\r\n")
        answer(machine, machine.next_event() or Closed(clean=True))
        machine.next_event()
        machine.send_reply(Reply(334, ""))
        machine.receive_data(b"A" * length + b"\r\n")
        event = machine.next_event()
        assert isinstance(event, Bad) and event.fatal if fatal else event == AuthLine("A" * length)


def test_the_auth_parameter_is_taken_where_auth_was_announced() -> None:
    """RFC 4954 §5; what it says changes nothing."""
    for parameter in (b" AUTH=<>", b" AUTH=e+3Dmc2@example.com"):
        assert read_parameters(parameter, MAIL_PARAMETERS, {"AUTH"}) == {}
    for parameter in (b" AUTH", b" AUTH=a+"):
        with pytest.raises(RemoteProtocolError):
            read_parameters(parameter, MAIL_PARAMETERS, {"AUTH"})


def test_parameters_that_were_not_offered() -> None:
    assert codes(play(b"HELO x\r\nMAIL FROM:<a@b> SIZE=1\r\n")) == [555]
    assert codes(play(GREETED + b"MAIL FROM:<a@b> REQUIRETLS\r\nMAIL FROM:<a@b> AUTH=<>\r\n")) == [555, 555]


def test_utf8_only_when_asked_for() -> None:
    line = "MAIL FROM:<jürgen@bücher.example>".encode()
    assert codes(play(GREETED + line + b"\r\n")) == [553]
    mail = play(GREETED + line + b" SMTPUTF8\r\nRCPT TO:<" + "ü@x.example".encode() + b">\r\n")
    assert codes(mail) == []
    assert isinstance(mail[2], Rcpt)
    second = b"MAIL FROM:<a@b> SMTPUTF8\r\nRSET\r\nMAIL FROM:<a@b>\r\nRCPT TO:<" + "ü@x.example".encode() + b">\r\n"
    assert codes(play(GREETED + second)) == [553]


@pytest.mark.parametrize("step", [0, 1, 7])
def test_too_big_is_read_to_its_end_but_not_kept(step: int) -> None:
    limits = Limits(message=100, discard=10_000)
    events = play(ENVELOPE + b"DATA\r\n" + b"x" * 99 + b"\r\n.\r\nNOOP\r\n", step, limits)
    assert codes(events) == [552]
    assert events[-1] == Plain(Verb.NOOP)
    exact = play(ENVELOPE + b"DATA\r\n" + b"." * 50 + b"\r\n" + b"..\r\n" * 15 + b"x\r\n.\r\n", step, limits)
    assert [len(raw) for raw in messages(exact)] == [49 + 2 + 45 + 3]


@pytest.mark.parametrize("step", [0, 1, 7])
def test_far_too_big_closes(step: int) -> None:
    events = play(ENVELOPE + b"DATA\r\n" + b"x" * 2000 + b"\r\n.\r\nNOOP\r\n", step, Limits(message=100, discard=100))
    assert codes(events) == [552]
    last = events[-1]
    assert isinstance(last, Bad)
    assert last.fatal


def test_small_pieces_cost_no_more_memory_than_they_hold() -> None:
    machine = started()
    machine.receive_data(ENVELOPE + b"DATA\r\n")
    while (event := machine.next_event()) is not None:
        answer(machine, event)
    for _ in range(1000):
        machine.receive_data(b"ab")
        assert machine.next_event() is None
    assert machine.held == 2000


def test_dropped_content_is_answered_with_the_given_error() -> None:
    machine = started()
    machine.receive_data(ENVELOPE + b"DATA\r\nhello")
    while (event := machine.next_event()) is not None:
        answer(machine, event)
    machine.drop_content(RemoteProtocolError(452, "4.3.1", "Too busy"))
    assert machine.held == 0
    machine.receive_data(b"\r\n.\r\n")
    last = machine.next_event()
    assert isinstance(last, Bad)
    assert last.reply.code == 452
    machine.send_reply(last.reply)
    assert machine.state is State.READY


def test_chunks_out_of_order_are_swallowed() -> None:
    events = play(GREETED + b"BDAT 14 LAST\r\nMAIL FROM:<a>\nRSET\r\n")
    assert codes(events) == [503]
    assert events[-1] == Plain(Verb.RSET)


def test_a_refused_chunk_ends_the_transaction() -> None:
    events = play(ENVELOPE + b"BDAT 200\r\n" + b"x" * 200 + b"BDAT 3 LAST\r\nabcNOOP\r\n", limits=Limits(message=100))
    assert codes(events) == [552, 503]
    assert events[-1] == Plain(Verb.NOOP)


def test_chunks_make_one_message() -> None:
    events = play(ENVELOPE + b"BDAT 5\r\na\r\n.\rBDAT 2\r\n\nbBDAT 0 LAST\r\nDATA\r\n")
    assert events[3:6] == [Chunk(5), Chunk(2), Message(b"a\r\n.\r\nb\r\n", Verb.BDAT_LAST)]
    assert codes(events) == [503]


@pytest.mark.parametrize(
    "line", [b"BDAT", b"BDAT x", b"BDAT -1", b"BDAT 1 FIRST", b"BDAT 1 LAST X", b"BDAT " + b"9" * 30]
)
def test_a_chunk_of_unknown_length_closes(line: bytes) -> None:
    last = play(ENVELOPE + line + b"\r\n")[-1]
    assert isinstance(last, Bad)
    assert last.fatal


def test_talking_before_the_greeting_shows() -> None:
    machine = ServerConnection()
    machine.receive_data(b"EHLO x\r\n")
    assert machine.next_event() is None
    machine.send_reply(Reply(220, "hi"))
    assert machine.early_talker
    assert isinstance(machine.next_event(), Hello)


@pytest.mark.parametrize(
    ("octets", "improper"),
    [
        (GREETED + b"MAIL FROM:<a@b>\r\n", True),  # EHLO ends a group (RFC 2920 §3.1)
        (GREETED, False),
        (b"HELO x\r\n", False),
    ],
)
def test_improper_pipelining_shows(octets: bytes, improper: bool) -> None:
    machine = started()
    machine.receive_data(octets)
    while (event := machine.next_event()) is not None:
        answer(machine, event)
    assert machine.improper_pipelining is improper


def test_data_sent_with_its_content_shows() -> None:
    machine = started()
    for octets in (GREETED, b"MAIL FROM:<a@b>\r\nRCPT TO:<a@b>\r\nDATA\r\n"):
        machine.receive_data(octets)
        while (event := machine.next_event()) is not None:
            answer(machine, event)
    assert not machine.improper_pipelining


def test_end_of_input() -> None:
    machine = started()
    machine.receive_data(GREETED + b"MAI")
    while (event := machine.next_event()) is not None:
        answer(machine, event)
    machine.receive_data(b"")
    assert machine.next_event() == Closed(clean=False)
    assert machine.next_event() is None


def test_refused_connection_only_quits() -> None:
    machine = ServerConnection()
    machine.send_reply(Reply(554, "no", enhanced="5.7.1"))
    machine.receive_data(b"EHLO x\r\nQUIT\r\n")
    first = machine.next_event()
    assert isinstance(first, Bad)
    machine.send_reply(first.reply)
    assert machine.next_event() == Plain(Verb.QUIT)


def test_xclient_starts_over() -> None:
    machine = started()
    machine.receive_data(GREETED)
    machine.next_event()
    machine.send_hello("mx", ("XCLIENT NAME ADDR",))
    machine.receive_data(b"XCLIENT NAME=a+2Bb.example ADDR=IPV6:2001:db8::1 HELO=[UNAVAILABLE]\r\n")
    event = machine.next_event()
    assert event == Xclient({"NAME": "a+b.example", "ADDR": "IPV6:2001:db8::1", "HELO": None})
    machine.send_reply(Reply(220, "mx"))
    assert machine.state is State.GREETED


def test_421_closes_from_anywhere() -> None:
    machine = started()
    machine.receive_data(ENVELOPE)
    machine.next_event()
    machine.send_reply(Reply(421, "Later", enhanced="4.3.2"))
    assert machine.state is State.CLOSED
    assert machine.buffered == 0
