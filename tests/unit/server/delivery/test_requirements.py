"""What a message needs, and the code each hop that cannot give it earns."""

from __future__ import annotations

import pytest

from gatepost.names import Body, Envelope, Recipient
from gatepost.server.delivery.requirements import find_needs, refuse_message, refuse_recipient

PLAIN = b"Subject: x\r\n\r\nhello\r\n"
EIGHT = b"Subject: x\r\n\r\nh\xc3\xa9llo\r\n"
UTF8_HEADER = b"Subject: h\xc3\xa9\r\n\r\nhello\r\n"
ALL = {"SMTPUTF8": "", "8BITMIME": "", "REQUIRETLS": "", "SIZE": "1000"}


def refusal(raw: bytes, keywords: dict[str, str], *, tls: bool = False, **facts: object) -> str | None:
    envelope = Envelope(mail_from="a@example.org", recipients=(Recipient(address="b@example.net"),))
    for name, value in facts.items():
        import dataclasses

        envelope = dataclasses.replace(envelope, **{name: value})  # type: ignore[arg-type]
    needs = find_needs(envelope, raw, raw.index(b"\r\n\r\n") + 4)
    found = refuse_message(needs, keywords, utf8=envelope.smtputf8, tls_proven=tls)
    return found.code if found else None


def test_a_plain_message_goes_anywhere_whatever_its_client_declared() -> None:
    assert refusal(PLAIN, {}, body=Body.EIGHT_BIT, smtputf8=True) is None


@pytest.mark.parametrize(
    ("raw", "lacking", "facts", "code"),
    [
        (EIGHT, "8BITMIME", {}, "5.6.3"),
        (UTF8_HEADER, "SMTPUTF8", {"smtputf8": True}, "5.6.9"),
        (PLAIN, "SMTPUTF8", {"mail_from": "é@example.org", "smtputf8": True}, "5.6.7"),
        (PLAIN, "REQUIRETLS", {"requiretls": True}, "5.7.30"),
    ],
)
def test_a_hop_that_lacks_what_is_needed_is_refused_with_its_code(
    raw: bytes, lacking: str, facts: dict[str, object], code: str
) -> None:
    without = {key: value for key, value in ALL.items() if key != lacking}
    assert refusal(raw, without, tls=True, **facts) == code
    assert refusal(raw, ALL, tls=True, **facts) is None


def test_requiretls_wants_tls_that_was_verified() -> None:
    assert refusal(PLAIN, ALL, tls=False, requiretls=True) == "5.7.30"


def test_an_announced_size_is_believed_and_nonsense_is_not() -> None:
    assert refusal(PLAIN, {"SIZE": "10"}) == "5.3.4"
    assert refusal(PLAIN, {"SIZE": "0"}) is None
    assert refusal(PLAIN, {"SIZE": "-1"}) is None
    assert refusal(PLAIN, {"SIZE": "9" * 10000}) is None


def test_only_the_recipient_that_is_not_ascii_is_refused() -> None:
    assert refuse_recipient("é@example.net", {}) is not None
    assert refuse_recipient("é@example.net", {"SMTPUTF8": ""}) is None
    assert refuse_recipient("e@example.net", {}) is None
