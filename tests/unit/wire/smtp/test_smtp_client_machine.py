"""The client's half of the machine, and replies: what it may send when, and what it takes from a server."""

from __future__ import annotations

import pytest

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.names import Envelope, Recipient
from gatepost.wire.smtp import ClientConnection, Limits, Reply, State, Verb
from gatepost.wire.smtp.events import Answered, Closed, Hello, Mail, Plain, Rcpt

EHLO = Hello(Verb.EHLO, "client.example")
MAIL = Mail(Envelope(mail_from="a@example.com", recipients=()))
RCPT = Rcpt(Recipient(address="b@example.net"))
DATA = Plain(Verb.DATA)


def drain(machine: ClientConnection) -> list[int]:
    """The codes of all answers that are there."""
    codes = []
    while (event := machine.next_event()) is not None:
        assert isinstance(event, Answered)
        codes.append(event.reply.code)
    return codes


def ready(extensions: bytes = b"PIPELINING", *, lmtp: bool = False) -> ClientConnection:
    machine = ClientConnection(lmtp=lmtp)
    machine.receive_data(b"220 mx ready\r\n")
    drain(machine)
    machine.send_command(Hello(Verb.LHLO, "x") if lmtp else EHLO)
    machine.receive_data(b"250-mx\r\n250 " + extensions + b"\r\n")
    drain(machine)
    machine.data_to_send()
    return machine


@pytest.mark.parametrize("step", [1, 2, 5, 1000])
def test_a_session_however_it_is_cut(step: int) -> None:
    machine = ClientConnection()
    said = b"220 mx ready\r\n"
    seen: list[int] = []

    def hear(octets: bytes) -> None:
        for start in range(0, len(octets), step):
            machine.receive_data(octets[start : start + step])
            seen.extend(drain(machine))

    hear(said)
    machine.send_command(EHLO)
    hear(b"250-mx\r\n250-PIPELINING\r\n250-size 100 \r\n250 LIMITS RCPTMAX=5\r\n")
    assert machine.extensions == {"PIPELINING": "", "SIZE": "100", "LIMITS": "RCPTMAX=5"}
    for command in (MAIL, RCPT, RCPT, DATA):
        machine.send_command(command)
    hear(b"250 2.1.0 ok\r\n550-5.1.1 no\r\n550 5.1.1 such user\r\n250 ok\r\n354 go\r\n")
    machine.send_message(b".x\r\n")
    assert machine.data_to_send().endswith(b"DATA\r\n..x\r\n.\r\n")
    hear(b"250 2.0.0 queued\r\n")
    machine.send_command(Plain(Verb.QUIT))
    hear(b"221 bye\r\n")
    assert seen == [220, 250, 250, 550, 250, 354, 250, 221]
    assert machine.state is State.CLOSED


def test_nothing_is_sent_ahead_without_pipelining() -> None:
    machine = ready(b"SIZE")
    machine.send_command(MAIL)
    with pytest.raises(LocalProtocolError):
        machine.send_command(RCPT)


@pytest.mark.parametrize("verb", [Verb.NOOP, Verb.QUIT, Verb.STARTTLS, Verb.VRFY])
def test_nothing_is_sent_behind_what_ends_a_group(verb: Verb) -> None:
    machine = ready()
    machine.send_command(Plain(verb, "x" if verb is Verb.VRFY else ""))
    with pytest.raises(LocalProtocolError):
        machine.send_command(MAIL)


@pytest.mark.parametrize("command", [RCPT, DATA, Hello(Verb.LHLO, "x")])
def test_out_of_order(command: Rcpt | Plain | Hello) -> None:
    with pytest.raises(LocalProtocolError):
        ready().send_command(command)


def test_content_only_after_354() -> None:
    machine = ready()
    with pytest.raises(LocalProtocolError):
        machine.send_message(b"x\r\n")
    for command in (MAIL, RCPT, DATA):
        machine.send_command(command)
    machine.receive_data(b"250 ok\r\n250 ok\r\n")
    drain(machine)
    with pytest.raises(LocalProtocolError):
        machine.send_message(b"x\r\n")


@pytest.mark.parametrize("raw", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\n", b"a\r", b"\n.\r\n", b"a\r\r\n"])
def test_a_message_with_stray_newlines_is_never_sent(raw: bytes) -> None:
    machine = ready()
    for command in (MAIL, RCPT, DATA):
        machine.send_command(command)
    machine.receive_data(b"250 ok\r\n250 ok\r\n354 go\r\n")
    drain(machine)
    machine.data_to_send()
    with pytest.raises(LocalProtocolError):
        machine.send_message(raw)
    assert machine.data_to_send() == b""


def test_all_refused_and_354_all_the_same() -> None:
    machine = ready()
    for command in (MAIL, RCPT, DATA):
        machine.send_command(command)
    machine.receive_data(b"250 ok\r\n550 no\r\n354 go\r\n")
    assert drain(machine) == [250, 550, 354]
    machine.send_message(b"")
    assert machine.data_to_send().endswith(b"DATA\r\n.\r\n")


@pytest.mark.parametrize(
    "octets",
    [
        b"250 ok\n", b"250\n ok\r\n", b"25 ok\r\n", b"abc\r\n", b"\r\n", b"199 x\r\n", b"600 x\r\n",
        b"250-a\r\n251 b\r\n",
        b"250_x\r\n", b"250-" + b"x" * 3000, b"250-x\r\n" * 200, b"354 go\r\n", b"\0\r\n", b"\xff\xff\xff\r\n",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_reply_to_mail_ends_it(octets: bytes) -> None:
    machine = ready()
    machine.send_command(MAIL)
    machine.receive_data(octets)
    with pytest.raises(RemoteProtocolError):
        machine.next_event()
    assert machine.state is State.CLOSED
    assert machine.next_event() is None


def test_success_where_there_can_be_none() -> None:
    machine = ready()
    for command in (MAIL, RCPT, DATA):
        machine.send_command(command)
    machine.receive_data(b"550 no\r\n250 but this one\r\n")
    assert machine.next_event() is not None
    with pytest.raises(RemoteProtocolError):
        machine.next_event()


def test_a_250_to_data_is_no_354() -> None:
    machine = ready()
    for command in (MAIL, RCPT, DATA):
        machine.send_command(command)
    machine.receive_data(b"250 ok\r\n250 ok\r\n250 sure\r\n")
    machine.next_event()
    machine.next_event()
    with pytest.raises(RemoteProtocolError):
        machine.next_event()


def test_a_reply_nobody_asked_for() -> None:
    machine = ready()
    machine.receive_data(b"250 I am told you like mail\r\n")
    with pytest.raises(RemoteProtocolError):
        machine.next_event()
    other = ready()
    other.receive_data(b"250 ok")
    with pytest.raises(RemoteProtocolError):
        other.send_command(MAIL)


def test_421_to_nothing_in_particular() -> None:
    machine = ready()
    machine.receive_data(b"421 4.3.2 going down\r\n")
    event = machine.next_event()
    assert isinstance(event, Answered)
    assert event.reply.code == 421
    assert machine.state is State.CLOSED


def test_starttls() -> None:
    machine = ready(b"STARTTLS")
    machine.send_command(Plain(Verb.STARTTLS))
    machine.receive_data(b"220 go\r\n")
    assert drain(machine) == [220]
    machine.tls_started()
    assert machine.extensions == {}
    with pytest.raises(LocalProtocolError):
        machine.send_command(MAIL)


@pytest.mark.parametrize("behind", [b"2", b"250-mx\r\n250 AUTH PLAIN\r\n", b"\x16\x03\x01"])
def test_starttls_response_injection(behind: bytes) -> None:
    machine = ready(b"STARTTLS")
    machine.send_command(Plain(Verb.STARTTLS))
    machine.receive_data(b"220 go\r\n" + behind)
    with pytest.raises(RemoteProtocolError):
        machine.next_event()
    with pytest.raises(LocalProtocolError):
        machine.tls_started()


def test_starttls_response_injection_later() -> None:
    machine = ready(b"STARTTLS")
    machine.send_command(Plain(Verb.STARTTLS))
    machine.receive_data(b"220 go\r\n")
    drain(machine)
    with pytest.raises(RemoteProtocolError):
        machine.receive_data(b"250 fake\r\n")


def test_starttls_refused() -> None:
    machine = ready(b"STARTTLS")
    machine.send_command(Plain(Verb.STARTTLS))
    machine.receive_data(b"454 4.7.0 not now\r\n")
    assert drain(machine) == [454]
    machine.send_command(MAIL)


def test_lmtp_answers_once_a_recipient() -> None:
    machine = ready(lmtp=True)
    for command in (MAIL, RCPT, RCPT, RCPT, DATA):
        machine.send_command(command)
    machine.receive_data(b"250 ok\r\n250 ok\r\n550 no\r\n250 ok\r\n354 go\r\n")
    drain(machine)
    machine.send_message(b"x\r\n")
    assert machine.pending == 2
    machine.receive_data(b"250 kept\r\n452 full\r\n")
    assert drain(machine) == [250, 452]
    assert machine.state is State.READY
    with pytest.raises(LocalProtocolError):
        machine.send_command(EHLO)


def test_end_of_input() -> None:
    machine = ready()
    machine.send_command(MAIL)
    machine.receive_data(b"")
    assert machine.next_event() == Closed(clean=False)
    assert machine.next_event() is None


def test_replies_on_the_wire() -> None:
    assert Reply(250, "OK", enhanced="2.0.0").octets == b"250 2.0.0 OK\r\n"
    assert Reply(250, "mx", "SIZE 1", "DSN").octets == b"250-mx\r\n250-SIZE 1\r\n250 DSN\r\n"
    assert Reply(550, "no", "way", enhanced="5.7.1").octets == b"550-5.7.1 no\r\n550 5.7.1 way\r\n"
    assert Reply(250).octets == b"250 \r\n"
    assert Reply(550, "jürgen").octets == b"550 j?rgen\r\n"
    assert Reply(550, "a\x1b[31mb\x85").octets == b"550 a?[31mb?\r\n"
    long = Reply(550, "x" * 1500, enhanced="5.7.1").octets
    assert all(len(line) <= 510 for line in long.split(b"\r\n"))
    assert long.count(b"x") == 1500


@pytest.mark.parametrize(
    ("code", "text", "enhanced"),
    [(250, "a\r\n250 b", None), (250, "a\nb", None), (250, "\0", None), (100, "x", None), (600, "x", None),
     (250, "x", "5.0.0"), (250, "x", "2.0"), (250, "x", "2.0.0\r\n")],
)  # fmt: skip
def test_replies_that_cannot_be(code: int, text: str, enhanced: str | None) -> None:
    with pytest.raises(LocalProtocolError):
        Reply(code, text, enhanced=enhanced)


def test_a_reply_is_a_value() -> None:
    reply = Reply(250, "OK", enhanced="2.0.0")
    assert reply == Reply(250, "OK", enhanced="2.0.0")
    assert hash(reply) == hash(Reply(250, "OK", enhanced="2.0.0"))
    assert reply != Reply(250, "OK")
    assert str(reply) == "250 2.0.0 OK"
    with pytest.raises(AttributeError):
        reply.code = 550
    assert (reply.positive, reply.transient, reply.permanent) == (True, False, False)


def test_what_a_server_says_is_made_harmless() -> None:
    machine = ClientConnection(Limits())
    machine.receive_data(b"220 5.1.1 \x1b[31mred\x1b[0m \xff \xc3\xa9\r\n")
    event = machine.next_event()
    assert isinstance(event, Answered)
    assert event.reply.text == "5.1.1 \ufffd[31mred\ufffd[0m \ufffd é"
    assert event.reply.enhanced is None  # its class is not the code's
