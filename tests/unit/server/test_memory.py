"""The gate's memory follows aliases and sub-addresses, and remembers only proven mail that reached an inbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatepost.inspector.judge import judge
from gatepost.names import Envelope, Recipient
from gatepost.ports import History
from gatepost.server.pipeline.examine import Examined
from gatepost.server.pipeline.memory import Memory
from gatepost.server.recipients import Recipients
from gatepost.server.settings import DomainSettings
from gatepost.store.history import HistoryWriter, SenderHistory
from judging import CLEAN_HEADER, NOW, dmarc, make_facts

DOMAIN = DomainSettings(accounts=("ann", "bob"), aliases={"sales": ("ann", "bob")})
BOOK = Recipients({"gate.example": DOMAIN}, "ann@gate.example")
ANN, BOB, SALES, SHOP = (f"{local}@gate.example" for local in ("ann", "bob", "sales", "ann+shop"))
AUTHOR = "ann@example.org"  # of the clean message


@pytest.fixture
def known(tmp_path: Path) -> Iterator[SenderHistory]:
    history = SenderHistory(tmp_path)
    yield history
    history.close()


def remember(known: SenderHistory, *recipients: str, **options: Any) -> None:
    facts = make_facts(**options)
    judgement = judge(facts)
    examined = Examined(
        mail_from=AUTHOR,
        judged=facts.session,
        auth=facts.auth,
        judgement=judgement,
        decision=judgement.decide(),
        by_recipient={},
    )
    memory = Memory(known, HistoryWriter(known), BOOK)
    envelope = Envelope(mail_from=AUTHOR, recipients=tuple(Recipient(address=one) for one in recipients))
    memory.remember(envelope, facts.message, examined, NOW)
    memory.close()


def ask(known: SenderHistory, *recipients: str) -> tuple[dict[str, int], set[str]]:
    history: History = Memory(known, HistoryWriter(known), BOOK)
    found = asyncio.run(history.lookup(AUTHOR, recipients, ()))
    return dict(found.by_recipient), set(found.replied)


def test_mail_to_an_alias_is_mail_to_its_people(known: SenderHistory) -> None:
    remember(known, SALES)
    assert ask(known, ANN, SHOP, SALES) == ({ANN: 1, SHOP: 1, SALES: 1}, set())
    remember(known, SHOP)
    assert ask(known, SALES, BOB, "x@next.example") == ({SALES: 2, BOB: 1, "x@next.example": 0}, set())


def test_an_answer_of_one_counts_for_every_address_of_hers(known: SenderHistory) -> None:
    writer = HistoryWriter(known)
    writer.note_sent(ANN, [AUTHOR], "<1@gate.example>", NOW)
    writer.close()
    assert ask(known, ANN, SHOP, SALES, BOB)[1] == {ANN, SHOP, SALES}


@pytest.mark.parametrize(
    "options",
    [
        {"dmarc": dmarc("none")},
        {"dmarc": dmarc("fail", "none")},
        {"dmarc": dmarc("temperror")},
        {"header": "From: nobody\n"},
        {"header": CLEAN_HEADER + "From: Eve <eve@example.org>\n"},  # refused
    ],
)
def test_what_is_not_proven_or_not_accepted_is_not_remembered(known: SenderHistory, options: dict[str, Any]) -> None:
    remember(known, ANN, **options)
    assert ask(known, ANN) == ({ANN: 0}, set())
