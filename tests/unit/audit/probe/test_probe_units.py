"""The probe's parts without sockets: scenarios are complete, own ones are read, marks, replies, hellos, bad input."""

from __future__ import annotations

from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from gatepost.api_probe import Probed
from gatepost.audit.probe.aim import Aim, unknown_words
from gatepost.audit.probe.judging import Result, by_outcome, failed, transcript
from gatepost.audit.probe.junit import write_junit
from gatepost.audit.probe.letters import TEST_SPAM, TEST_VIRUS
from gatepost.audit.probe.marks import sign_of
from gatepost.audit.probe.own import read_scenarios
from gatepost.audit.probe.report import write_report
from gatepost.audit.probe.scenario import Group, Status
from gatepost.audit.probe.scenarios import BY_NAME, SCENARIOS
from gatepost.cli.main import main
from gatepost.cli.probe import command
from gatepost.errors import InputError
from gatepost.net.visits.replies import NoReply, Replies, keywords
from gatepost.ports.mailbox import Found
from gatepost.ports.prober import Spoken, Target
from gatepost.ports.visitor import Kind, Outcome, Reply, Said, Visit
from gatepost.wire.tls import COMMON, TLS_1_0, read_hello_answer, write_client_hello

AIM = Aim(
    target=Target(host="mx.example", address="192.0.2.1", port=25, spoken=Spoken.SMTP),
    now=1_790_000_000.0,
    mark="m.1",
    recipient="ann@home.example",
    domain="home.example",
)


def test_scenarios_are_complete() -> None:
    assert len(BY_NAME) == len(SCENARIOS) > 110
    assert {scenario.group for scenario in SCENARIOS} == set(Group) - {Group.OWN}
    for scenario in SCENARIOS:
        assert scenario.title
        for sentence in (scenario.why, scenario.remedy, scenario.bad):
            assert sentence.endswith((".", ".)", ").")), (scenario.name, sentence)
        assert scenario.steps or scenario.play is not None
        for step in AIM.fill(scenario.steps):
            assert not unknown_words(step.send.replace(b"{", b"{x")) or b"{" not in step.send


def test_words_are_put_in() -> None:
    (mail, rcpt) = AIM.fill(BY_NAME["relay-percent"].steps)
    assert mail.send == b"MAIL FROM:<>\r\n"
    assert rcpt.send == b"RCPT TO:<victim%elsewhere.example@home.example>\r\n"
    assert AIM.fill(BY_NAME["relay-two-at-literal"].steps)[1].send.endswith(b"@[192.0.2.1]>\r\n")


def test_test_strings_are_whole() -> None:
    assert len(TEST_VIRUS) == 68
    assert len(TEST_SPAM) == 68


def visit(outcome: Outcome, code: str = "550", *, asked: bool = True) -> Visit:
    reply = Reply(code, ("no",))
    return Visit(outcome=outcome, said=(Said(sent=b"X\r\n", replies=(reply,)),), decisive=reply, asked=asked)


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (visit(Outcome.REFUSED), Status.PASSED),
        (visit(Outcome.CLOSED, "221"), Status.PASSED),
        (visit(Outcome.ACCEPTED, "250"), Status.FAILED),
        (visit(Outcome.DEFERRED, "451"), Status.UNTESTED),
        (visit(Outcome.REFUSED, asked=False), Status.UNTESTED),
        (visit(Outcome.REFUSED, "530", asked=False), Status.PASSED),
        (replace(visit(Outcome.CLOSED), reached=False), Status.UNTESTED),
    ],
)
def test_outcomes_are_judged(seen: Visit, status: Status) -> None:
    assert by_outcome(seen, BY_NAME["relay-plain"]).status is status


def test_secrets_and_controls_are_not_in_transcripts() -> None:
    said = (Said(sent=b"AUTH PLAIN c2VjcmV0\r\n", secret=True), Said(sent=b"MAIL FROM:<a\x1b[2J>\r\n"))
    lines = transcript((Visit(said=said),))
    assert lines == ["C: AUTH PLAIN (not shown)", "C: MAIL FROM:<a\\x1b[2J>"]


OWN = """
[[scenario]]
name = "printer"
title = "a mail from the printer"
good = ["accepted"]
severity = "notice"
[[scenario.step]]
send = "MAIL FROM:<printer@{domain}>\\r\\n"
question = true
"""


def test_own_scenarios_are_read() -> None:
    (own,) = read_scenarios(OWN, "own.toml")
    assert own.name == "own-printer"
    assert own.good == (Outcome.ACCEPTED,)
    assert AIM.fill(own.steps)[0].send == b"MAIL FROM:<printer@home.example>\r\n"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("[[scenario]]", "[[scenari]]"), "must hold"),
        (("printer", "Printer!"), "lower-case"),
        (("good =", "god ="), "is not known"),
        (('["accepted"]', '["liked"]'), "must be a list"),
        (('"notice"', '"grave"'), "must be one of"),
        (("{domain}", "{domian}"), "stands for nothing"),
        (("question = true", "question = 1"), "must be a bool"),
        (("question = true", "qestion = true"), "is not known"),
        (("[[scenario.step]]", "[[scenario.stp]]"), "is not known"),
        (("title", "ti tle"), "is no TOML"),
        (("question = true", "replies = " + "9" * 5000), "is no TOML"),
        (("question = true", "replies = " + "[" * 5000), "is no TOML"),
    ],
)
def test_bad_own_scenarios_are_told(change: tuple[str, str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        read_scenarios(OWN.replace(*change), "own.toml")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("found", "marked"),
    [
        (Found(folder="INBOX", raw=b"Subject: hello\r\n\r\nX-Spam-Flag: YES"), False),
        (Found(folder="INBOX", raw=b"X-Spam-Flag: YES\r\n\r\n"), True),
        (Found(folder="INBOX", raw=b"X-Spam-Flag: NO\r\n\r\n"), False),
        (Found(folder="INBOX", raw=b"Gatepost-Verdict: tag; score=6.5\r\n\r\n"), True),
        (Found(folder="INBOX", raw=b"Gatepost-Verdict: accept; score=0\r\n\r\n"), False),
        (Found(folder="INBOX", raw=b"Subject: [SPAM] pills\r\n\r\n"), True),
        (Found(folder=".Junk", raw=b"Subject: pills\r\n\r\n"), True),
    ],
)
def test_marks_are_seen(found: Found, marked: bool) -> None:
    assert bool(sign_of(found)) is marked


def replies(spoken: Spoken, octets: bytes, *, several: bool = False) -> list[Reply]:
    reader, read = Replies(spoken), []
    for octet in octets:
        reader.feed(bytes([octet]))
        while reply := reader.next(several=several):
            read.append(reply)
    return read


def test_replies_of_three_protocols() -> None:
    (greeting, ehlo) = replies(Spoken.SMTP, b"220 hi\r\n250-mx\r\n250-SIZE 100\r\n250 STARTTLS\r\n")
    assert (greeting.code, keywords(ehlo, Spoken.SMTP)) == ("220", ("SIZE 100", "STARTTLS"))
    greeting, listed, bye = replies(Spoken.IMAP, b"* OK hi\r\n* CAPABILITY IMAP4rev1 ID\r\nc OK x\r\n* BYE out\r\n")
    assert keywords(listed, Spoken.IMAP) == ("IMAP4REV1", "ID")
    assert (greeting.kind, bye.kind) == (Kind.GOOD, Kind.FAREWELL)
    (capa,) = replies(Spoken.POP3, b"+OK list\r\nUSER\r\nSTLS\r\n.\r\n", several=True)
    assert keywords(capa, Spoken.POP3) == ("USER", "STLS")
    assert replies(Spoken.POP3, b"-ERR no\r\n")[0].kind is Kind.NO


@pytest.mark.parametrize(
    ("spoken", "octets"),
    [(Spoken.SMTP, b"hello\r\n"), (Spoken.IMAP, b"a b\r\n"), (Spoken.POP3, b"250 x\r\n"), (Spoken.SMTP, b"2" * 20_000)],
)
def test_what_is_no_reply_is_told(spoken: Spoken, octets: bytes) -> None:
    with pytest.raises(NoReply):
        replies(spoken, octets)


@given(st.sampled_from(list(Spoken)), st.lists(st.binary(max_size=40), max_size=8), st.booleans())
def test_any_octets_are_a_reply_or_none(spoken: Spoken, pieces: list[bytes], several: bool) -> None:
    reader = Replies(spoken)
    try:
        for piece in pieces:
            reader.feed(piece + b"\r\n")
            while reply := reader.next(several=several):
                assert reply.text
                keywords(reply, spoken)
    except NoReply:
        pass


@given(st.binary(max_size=300))
def test_any_octets_answer_a_hello(octets: bytes) -> None:
    for beginning in (b"", b"\x16\x03\x03\x00\x80\x02", b"\x15\x03"):
        read_hello_answer(beginning + octets)


@given(st.text(max_size=400))
def test_any_text_is_scenarios_or_an_error(text: str) -> None:
    for document in (text, f"[[scenario]]\n{text}", f'[[scenario]]\nname = "x"\n[[scenario.step]]\n{text}'):
        try:
            read_scenarios(document, "f")
        except InputError:
            pass


def test_answers_to_hellos() -> None:
    hello = write_client_hello(TLS_1_0, COMMON, bytes(32), name="mx.example")
    assert hello[:3] == b"\x16\x03\x01"
    assert len(hello) == 5 + int.from_bytes(hello[3:5], "big")
    assert read_hello_answer(b"\x15\x03\x01\x00\x02\x02\x46").alert == 70
    body = b"\x03\x01" + bytes(32) + b"\x00" + b"\xc0\x13" + b"\x00"
    record = b"\x02" + len(body).to_bytes(3, "big") + body
    found = read_hello_answer(b"\x16\x03\x01" + len(record).to_bytes(2, "big") + record)
    assert (found.version, found.suite) == (TLS_1_0, 0xC013)
    for cut in range(len(record) + 5):
        read_hello_answer((b"\x16\x03\x01\x00\x00" + record)[:cut])  # any octets give an answer
    assert not read_hello_answer(b"220 hello\r\n").is_tls


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name a server"),
        (["192.0.2.1:25", "--only", "nonsense"], "no scenario and no group"),
        (["8.8.8.8:25"], "--i-may-test-this-host"),
        (["224.0.0.1:25", "--i-may-test-this-host"], "no address of a host"),
        (["gopher://127.0.0.1"], "scheme must be"),
        (["127.0.0.1:99999"], "give a name"),
        (["127.0.0.1:25", "--to", "ann"], "is no address"),
        (["127.0.0.1:25", "--rate", "0"], "between 0.1"),
        (["127.0.0.1:25", "--send-outside"], "--outside"),
        (["127.0.0.1:25", "--imap", "h"], "--password-file"),
        (["mx.example:25", "--resolve", "mx.example=nowhere"], "give NAME=ADDRESS"),
        (["127.0.0.1:25", "--source", "here"], "is no IP address"),
        (["127.0.0.1:25", "--ca-file", "/nonexistent.pem"], "no PEM file"),
        (["127.0.0.1:25", "--scenario", "/nonexistent.toml"], "cannot be read"),
        (["127.0.0.1:25", "--to", "a@b\r\nRCPT TO:<x@y>"], "is no address"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_name_that_does_not_exist_is_told(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    from pathlib import Path

    zone = Path(str(tmp_path)) / "zone"
    zone.write_text(". 300 IN SOA ns.test. root.test. 1 300 300 300 300\n")
    assert main(["probe", "mx.nowhere.example:25", "--zone", str(zone)]) == 2
    assert "has no address in DNS" in capsys.readouterr().err


def test_the_page_is_harmless() -> None:
    result = Result(
        scenario=BY_NAME["banner"], target=AIM.target, judged=failed("it says <script>alert(1)</script>\x1b[2J")
    )
    probed = Probed(aim=replace(AIM, greeting="220 <b>&\x00"), results=(result,))
    page = write_report([probed.as_json()], AIM.now)
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "\x1b" not in page + write_junit([probed])
    assert "\x00" not in page


def test_the_list_is_as_data_too() -> None:
    done = CliRunner().invoke(command, ["--list", "--json"], standalone_mode=False)
    assert done.output.count("\n") == len(SCENARIOS)
