"""The make-up of bulk mail, and honest mail that comes near it."""

from __future__ import annotations

import pytest

from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import shape_body as body
from gatepost.inspector.rules import shape_header as head
from gatepost.inspector.rules import shape_parts as parts
from gatepost.inspector.rules import shape_programs as programs
from gatepost.ports import Link, Opened, Text
from judging import CLEAN_HEADER, DATE, dmarc, plain_content, see
from pages import page

FROM = "From: Ann <ann@example.org>\n"
HEAD = FROM + f"Date: {DATE}\n"
TO = CLEAN_HEADER
HTML = "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n"
TEN = ", ".join(f"ab{letter}@example.net" for letter in "abcdefghij")
EXPRESS = "X-Mailer: Microsoft Outlook Express 6.00.2600.0000\n"


def subject(text: str) -> str:
    return f"{TO}Subject: {text}\n"


HEADERS: list[tuple[Rule, str, str]] = [  # a rule, what it sees, what it does not
    (head.subject, subject("EARN BIG MONEY TODAY"), subject("Minutes of the NATO meeting")),
    (head.subject, subject("Buy now!!"), subject("It works!")),
    (head.subject, subject("Save $500 today"), subject("The budget of 2026")),
    (head.subject, subject("V i a g r a for you"), subject("Plan A or B")),
    (head.subject, subject("Your m0ney is here"), subject("The i18n patch for Python3")),
    (head.subject, subject("Your new house      xkqv72"), subject("Your booking reference KX4T9Q")),
    (head.sender_invented, TO.replace("ann@", "xk7q29fz@"), TO),
    (head.sender_invented, TO.replace("ann@", "jh83920@"), TO.replace("ann@", "ann.miller2@")),
    (head.no_recipient, HEAD, TO),
    (head.no_recipient, HEAD + "To: undisclosed-recipients:;\n", HEAD + "List-Id: <a.example>\n"),
    (head.alike_recipients, HEAD + f"To: {TEN}\n", HEAD + "To: zoe@a.example, bob@b.example, ann@c.example\n"),
    (head.false_answer, subject("Re: your question"), subject("Re: your question") + "In-Reply-To: <1@a.example>\n"),
    (head.urgent, TO + "X-Priority: 1\n", TO + "X-Priority: 3 (Normal)\n"),
    (programs.message_id, HEAD + "Message-ID: <12345>\n", TO),
    (programs.program_forged, TO + EXPRESS, TO + "X-Mailer: Evolution\n"),
    (programs.bulk_program, TO + "X-Mailer: GroupMail 3.4\n", TO + "X-Mailer: Evolution\n"),
    (parts.no_mime_version, TO + "Content-Type: text/html\n", TO + HTML),
]  # fmt: skip
# shape.subject shape.sender-invented shape.no-recipient shape.alike-recipients shape.false-answer shape.urgent
# shape.message-id shape.program-forged shape.bulk-program shape.no-mime-version shape.sender-is-recipient
ALTERNATIVE = TO + "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n"
ONE = "--b\nContent-Type: text/html\n\n<p>hello\n"
TWO = "--b\nContent-Type: text/plain\n\nhello\n" + ONE
CODED = "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nSGVsbG8gdGhlcmUu\n"
PLAIN = TO + "MIME-Version: 1.0\nContent-Type: text/plain\n"
BODIES: list[tuple[Rule, str, str]] = [
    (parts.page_only, TO + HTML, TO),
    (parts.one_alternative, ALTERNATIVE + ONE + "--b--\n", ALTERNATIVE + TWO + "--b--\n"),
    (parts.page_as_text, PLAIN + "\n<html><body>x", PLAIN + "\nsee the <html> element\n"),
    (parts.no_charset, PLAIN + "\nçeviri yazılımı\n", PLAIN.replace("plain", "plain; charset=utf-8") + "\nçeviri\n"),
    (parts.needless_base64, ALTERNATIVE + CODED + "--b--\n", ALTERNATIVE + TWO + "--b--\n"),
    (body.loud_page, TO + HTML + "\n<font size=7>BUY</font>", TO + HTML + "\n<font size=2 color=red>note</font>"),
    (body.words_split, TO + HTML + "\n" + "v<!--x-->a" * 9, TO + HTML + "\n<!-- head --><p>text</p>" * 9),
]
# shape.page-only shape.one-alternative shape.page-as-text shape.no-charset shape.needless-base64 shape.loud-page
# shape.words-split
TEXTS: list[tuple[Rule, str, str]] = [
    (body.odd_letters, "cheap v1agra", "see RFC5322 and i18n"),
    (body.shouting, "BUY THIS NOW AND BE RICH " * 9 + "!!!", "Thank you! See you on Monday."),
    (body.toll_free, "Call 1-800-555-0199 now", "My number is 040 800 1234"),
    (body.noise, "Buy it.\n\nxkqvzt81bd\n", "Best regards\nAnn\n"),
]
# shape.odd-letters shape.shouting shape.toll-free shape.noise shape.pictures-only shape.remove-by-mail


@pytest.mark.parametrize(("rule", "seen", "unseen"), HEADERS)
def test_header(rule: Rule, seen: str, unseen: str) -> None:
    assert see(rule, header=seen) is not None
    assert see(rule, header=unseen) is None


@pytest.mark.parametrize(("rule", "seen", "unseen"), BODIES)
def test_parts(rule: Rule, seen: str, unseen: str) -> None:
    assert see(rule, header=seen, body="Hello.") is not None
    assert see(rule, header=unseen, body="Hello.") is None


@pytest.mark.parametrize(("rule", "seen", "unseen"), TEXTS)
def test_text(rule: Rule, seen: str, unseen: str) -> None:
    assert see(rule, body=seen) is not None
    assert see(rule, body=unseen) is None


def test_sender_is_recipient() -> None:
    header = HEAD + "To: Ann <ANN@example.org>\n"
    unproven = {"dmarc": dmarc("none")}
    assert see(head.sender_is_recipient, header=header, **unproven) is not None
    assert see(head.sender_is_recipient, header=header) is None  # a proven note to oneself
    assert see(head.sender_is_recipient, header=TO, **unproven) is None
    assert see(head.sender_is_recipient, header=header + "List-Id: <a.example>\n", **unproven) is None


def test_a_program_that_writes_its_own_marks_is_believed() -> None:
    ident = "Message-ID: <000a01c1d2e3$4f5a6b70$0100a8c0@example>\n"
    assert see(programs.program_forged, header=HEAD + ident + EXPRESS + "X-MimeOLE: Produced\n") is None


def test_pictures_only() -> None:
    picture = "<a href='https://shop.example/'><img src='https://img.example/a.png'></a>"
    assert see(body.pictures_only, content=page(picture + "Buy")) is not None
    assert see(body.pictures_only, content=page(picture + "many words " * 40)) is None
    assert see(body.pictures_only, content=page("Buy")) is None


def test_remove_by_mail() -> None:
    def content(address: str) -> object:
        link = Link(target=f"mailto:{address}", source="html-a", shown="", item="1")
        return plain_content("x", links=(link,))

    assert see(body.remove_by_mail, content=content("gone@mail.example?subject=remove")) is not None
    assert see(body.remove_by_mail, content=content("ann@example.org?subject=hello")) is None
    header = TO.replace("bob@example.net", "club@lists.example")
    assert see(body.remove_by_mail, header=header, content=content("club-unsubscribe@lists.example")) is None


def test_without_opened_texts_the_body_is_not_judged() -> None:
    for rule, _, _ in TEXTS:
        assert see(rule) is None


@pytest.mark.parametrize("unit", [" ", "a 1", "(a1", "!", "<font ", "<!--", "1-800 ", "b", "a1"])
def test_hostile_fields_and_texts_cost_little(unit: str) -> None:
    """Quadratic matching of these would run into the tests' time limit."""
    many = unit * 40_000
    header = (
        f"From: {unit * 500}@example.org\nTo: {many}\nSubject: {many}x\nMessage-ID: {many}\nX-Mailer: {many}\n{HTML}\n"
    )
    every = [rule for rule, _, _ in (*HEADERS, *BODIES, *TEXTS)]
    for rule in every:
        see(rule, header=header + many, content=plain_content(many, links=()))
    assert Opened(texts=(Text(item="1", kind="plain", visible=many),))
