"""Which messages a message claims to answer, and what an answer's subject looks like."""

from __future__ import annotations

import pytest

from gatepost.inspector.threads import MAX_IDS, looks_like_reply, references_of
from gatepost.message.message import parse_message


def ids(text: str) -> tuple[str, ...]:
    return references_of(parse_message(text.replace("\n", "\r\n").encode()).header)


def test_references_and_in_reply_to_are_read_once_each() -> None:
    header = "References: <a@x> <b@x>\n <c@x>\nIn-Reply-To: Your mail of today <c@x> <d@x>\n\n"
    assert ids(header) == ("<a@x>", "<b@x>", "<c@x>", "<d@x>")
    assert ids("Subject: hello\n\n") == ()
    assert ids("References: no ids here\nIn-Reply-To: <>\n\n") == ()


def test_long_threads_keep_the_nearest() -> None:
    found = ids("References: " + " ".join(f"<{n}@x>" for n in range(5000)) + "\nIn-Reply-To: <last@x>\n\n")
    assert len(found) <= MAX_IDS
    assert found[-1] == "<last@x>"


@pytest.mark.parametrize(
    "subject", ["Re: x", "RE : x", "re:x", "AW: x", "Antw: x", "SV: x", "Re[2]: x", " Ré : x", "RIF: x"]
)
def test_answers(subject: str) -> None:
    assert looks_like_reply(subject)


@pytest.mark.parametrize("subject", ["Fwd: x", "Report: x", "regarding", "", "WG: x", "Res publica", "re" * 9999])
def test_others(subject: str) -> None:
    assert not looks_like_reply(subject)
