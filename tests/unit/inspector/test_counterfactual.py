"""What one list changes: told only where the decision with it differs from the decision without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.inspector.counterfactual import effect_of
from gatepost.inspector.decision import Action
from gatepost.inspector.judge import judge
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.standing import Standing
from gatepost.reputation import Listing, Listings, Subject, SubjectKind
from gatepost.reputation.dnslist import DnsList, ListKind, Meaning
from judging import CLEAN_HEADER, dkim, dmarc, make_facts

UNPROVEN = {"dmarc": dmarc("none"), "dkim": dkim(), "spf_mail_from": None}


def listing(name: str = "zen", weight: float = 4.0, mode: str = "watch", kind: ListKind = ListKind.IP) -> Listing:
    one = DnsList(name=name, kind=kind, zone=f"{name}.example", shown_zone="", mode=mode)  # type: ignore[arg-type]
    subject = Subject(kind=SubjectKind.IP, value="192.0.2.10", where="client")
    return Listing(one=one, subject=subject, codes=("127.0.0.2",), meanings=(Meaning(text="spam", weight=weight),))


def effect(*listings: Listing, suspect: bool = True, proven: bool = False, **settings: float) -> list[Action | None]:
    """What each listing changes, for a message that something else speaks against."""
    header = CLEAN_HEADER.replace("Message-ID", "X-No-Id") if suspect else CLEAN_HEADER
    facts = make_facts(
        header,
        ehlo_domain="friend" if suspect else "mail.example.org",
        settings=InspectorSettings(**settings),  # type: ignore[arg-type]
        **({} if proven else UNPROVEN),
    )
    judgement = judge(replace(facts, standing=Standing(listings=Listings(listed=listings))))
    return [effect_of(judgement, one) for one in listings]


def test_a_watched_list_would_have_tagged() -> None:
    assert effect(listing()) == [Action.TAG]
    assert effect(listing(weight=0.1)) == [None]


def test_a_list_alone_changes_nothing() -> None:
    assert effect(listing(), suspect=False, proven=True) == [None]


@pytest.mark.parametrize("modes", [("on", "on"), ("watch", "watch"), ("on", "watch")])
def test_each_of_two_lists_is_told_for_itself(modes: tuple[str, str]) -> None:
    """Where both count, neither alone changed anything; a watched one is compared with what counted."""
    one, two = listing("zen", mode=modes[0]), listing("psbl", mode=modes[1])
    expected = {
        ("on", "on"): [None, None],
        ("watch", "watch"): [Action.TAG, Action.TAG],
        ("on", "watch"): [Action.TAG, None],
    }
    assert effect(one, two) == expected[modes]


def test_a_good_word_helps_only_the_proven() -> None:
    good = listing("dnswl", -4.0, "on", ListKind.ALLOW)
    assert effect(good, proven=True, tag_at=1.5) == [Action.ACCEPT]
    assert effect(good, tag_at=1.5) == [None]
