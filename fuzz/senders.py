"""Fuzzes what is made of a stranger's names and texts: phrases, wallets, people, threads, look-alike senders."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.inspector.people import People
from gatepost.inspector.threads import MAX_IDS, looks_like_reply, references_of
from gatepost.inspector.wording import Topic, find_topic, fold
from gatepost.inspector.wording.topics import MAX_TEXT, MAX_TOLD
from gatepost.inspector.wording.wallets import MAX_FOUND, find_wallets
from gatepost.message.message import parse_message
from gatepost.store.history.notes import canonical, id_key

PEOPLE = People({"Ann Miller": ["ann@example.org"]}, ["john.smith@example.org"])
CORPUS = [
    b"Your password will expire: verify your account within 24 hours 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "Ännâ Мiller \u200bIhr Konto wurde gesperrt, bestätigen Sie Ihre Daten umgehend".encode(),
    b"References: <a@x> <b@y>\r\nIn-Reply-To: <c@z>\r\nSubject: RE : AW: x\r\n\r\n",
]


def target(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    folded = fold(text)
    assert len(folded.text) <= 18 * MAX_TEXT + 2  # one character may become eighteen (U+FDFA), and each gets a space
    for topic in Topic:
        assert len(find_topic(topic, [folded])) <= MAX_TOLD
    assert len(find_wallets(text)) <= MAX_FOUND
    PEOPLE.whose(text)
    looks_like_reply(text)
    assert len(references_of(parse_message(data).header)) <= MAX_IDS
    canonical(text).encode()
    assert len(id_key(text)) in (0, 12)


if __name__ == "__main__":
    main(target, CORPUS)
