"""Replies judged: the first digit decides, the enhanced code is kept where it agrees, strangers' text is made safe."""

from __future__ import annotations

import pytest

from gatepost.server.delivery.result import MAX_TEXT, Status, deferred, from_reply


@pytest.mark.parametrize(
    ("reply_code", "text", "status", "code"),
    [
        (250, "2.1.5 Ok", Status.SENT, "2.1.5"),
        (250, "Ok", Status.SENT, "2.0.0"),
        (450, "4.2.0 later", Status.DEFERRED, "4.2.0"),
        (550, "5.1.1 no such user", Status.BOUNCED, "5.1.1"),
        (550, "no such user", Status.BOUNCED, "5.0.0"),
        (550, "4.7.1 two minds", Status.BOUNCED, "5.0.0"),
        (550, "5.1.1234 no", Status.BOUNCED, "5.0.0"),
        (354, "go ahead", Status.DEFERRED, "4.0.0"),
        (0, "", Status.DEFERRED, "4.0.0"),
    ],
)
def test_the_first_digit_decides(reply_code: int, text: str, status: Status, code: str) -> None:
    result = from_reply("a@example.net", reply_code, text, "hop")
    assert (result.status, result.code) == (status, code)


def test_a_strangers_text_is_one_printable_line_of_bounded_length() -> None:
    result = from_reply("a@example.net", 550, "5.1.1 no\r\nX-Forged: yes\x1b[31m\0" + "x" * 9999, "hop")
    assert "\n" not in result.text
    assert "\r" not in result.text
    assert result.text.isprintable()
    assert len(result.text) <= MAX_TEXT + 5


def test_our_own_reasons_are_made_safe_too() -> None:
    assert deferred("a@example.net", "4.4.1", "connect:\r\nrefused").text == "connect: refused"
