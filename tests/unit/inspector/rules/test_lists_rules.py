"""Lists weigh but never decide; watched ones weigh nothing; the house's own blocks decide, its allows want proof."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from fakes import DictResolver
from gatepost.inspector.content import Content
from gatepost.inspector.decision import Action
from gatepost.inspector.facts import Facts
from gatepost.inspector.grounds import read_grounds
from gatepost.inspector.judge import Judgement, judge
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.standing import lookup_standing
from gatepost.ports import Item, Link, Opened, Text
from gatepost.reputation import Lists, ListsSettings, LocalEntry, LocalLists, Verdict
from gatepost.reputation.local import parse_value
from gatepost.reputation.settings import DnsListSettings
from judging import CLEAN_HEADER, IP, NOW, codes, dkim, dmarc, make_facts, signature

SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
BASE32 = "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq"
ZONE: dict[str, Any] = {
    "2.0.0.127.zen.spamhaus.org": {"A": "127.0.0.2"},
    "2.0.0.127.list.dnswl.org": {"A": "127.0.10.0"},
    "dbltest.com.dbl.spamhaus.org": {"A": "127.0.1.2"},
    "surbl-org-permanent-test-point.com.multi.surbl.org": {"A": "127.0.0.8"},
    "10.2.0.192.zen.spamhaus.org": {"A": ["127.0.0.2", "127.0.0.4"]},
    "10.2.0.192.list.dnswl.org": {"A": "127.0.10.3"},
    "9.100.51.198.zen.spamhaus.org": {"A": "127.0.0.11"},
    "example.org.dbl.spamhaus.org": {"A": "127.0.1.4"},
    "bad.example.multi.surbl.org": {"A": "127.0.0.72"},
    f"{BASE32}.files.example": {"A": "127.0.0.2"},
    f"{hashlib.sha1(b'victor@frauds.example', usedforsecurity=False).hexdigest()}.mails.example": {"A": "127.0.0.2"},
}
OWN = {
    "files": DnsListSettings(kind="hash", zone="files.example", weight=4.0),
    "mails": DnsListSettings(kind="email", zone="mails.example", hashing="sha1", weight=3.0),
}
ALL = ("zen", "dbl", "surbl", "dnswl", "files", "mails")
OPENED = Opened(
    items=(Item(path="2", name="a.pdf", kind="pdf", size=0, sha256=SHA, disposition="attachment"),),
    links=(
        Link(target="https://www.bad.example/x", source="html-a", item="1"),
        Link(target="x:", source="text", item="1"),
    ),
    texts=(Text(item="1", kind="plain", visible="write to victor@frauds.example please"),),
)


def examined(
    use: tuple[str, ...] = ALL,
    *entries: tuple[str, str, dict[str, Any]],
    mode: str = "on",
    zone: dict[str, Any] | None = None,
    opened: Opened = OPENED,
    facts: Facts | None = None,
    **lists: Any,
) -> Judgement:
    """The judgement of a message whose sender, link, attachment and text are on lists."""
    resolver = DictResolver(ZONE | (zone or {}))
    local = LocalLists(_entry(*one) for one in entries)
    made = Lists(ListsSettings(use=use, mode=mode, dns=OWN, **lists), resolver, local)  # type: ignore[arg-type]
    facts = facts or make_facts()
    asyncio.run(made.probe(NOW))
    standing = asyncio.run(
        lookup_standing(
            facts.message,
            session=facts.session,
            path=facts.path,
            mail_from=facts.mail_from,
            auth=facts.auth,
            content=Content(opened),
            own_domains=facts.own_domains,
            lists=made,
            now=NOW,
        )
    )
    return judge(replace(facts, standing=standing))


def _entry(verdict: str, text: str, more: dict[str, Any]) -> LocalEntry:
    kind, value = parse_value(text)
    return LocalEntry(verdict=Verdict(verdict), kind=kind, value=value, **more)


def lists_of(judgement: Judgement) -> set[str]:
    return {code for code in codes(judgement) if code.startswith("list.")}


def weights(judgement: Judgement) -> dict[str, float]:
    return {f.code: f.weight for f in judgement.findings if f.group == "lists"}


UNPROVEN = {"dmarc": dmarc("none"), "dkim": dkim(), "spf_mail_from": None}


def test_everything_that_a_list_may_know_is_asked() -> None:
    judgement = examined(facts=make_facts(**UNPROVEN))
    assert weights(judgement) == {
        "list.ip": 3.5,
        "list.domain": 4.0,
        "list.uri": 4.0,  # 4 and 3 of one list: its gravest word
        "list.email": 3.0,
        "list.hash": 4.0,
    }
    (finding,) = [f for f in judgement.findings if f.code == "list.uri"]
    assert "www.bad.example" in finding.summary and "phishing" in finding.summary  # noqa: PT018
    assert finding.evidence["listings"][0]["codes"] == ["127.0.0.72"]


def test_all_lists_together_never_stop_a_message() -> None:
    """Nothing else against it: whatever all lists say, however heavy, it is taken."""
    heavy = dict.fromkeys(("list.ip", "list.domain", "list.uri", "list.email", "list.hash"), 100.0)
    for settings in (
        InspectorSettings(weights=heavy, group_caps={"lists": 1000.0}),
        InspectorSettings(reject_codes=tuple(heavy), quarantine_codes=tuple(heavy)),
        InspectorSettings(tag_at=1.0, quarantine_at=1.0, reject_at=1.0),
    ):
        judgement = examined(facts=make_facts(settings=settings))
        assert lists_of(judgement) >= set(heavy)
        assert judgement.decide().action is Action.ACCEPT


def test_with_other_findings_they_count() -> None:
    facts = make_facts(CLEAN_HEADER.replace("Message-ID", "X-No-Id"), ehlo_domain="friend", **UNPROVEN)
    assert judge(facts).decide().action is Action.ACCEPT
    assert examined(facts=facts).decide().action is Action.TAG


def test_nothing_listed_nothing_found() -> None:
    assert lists_of(examined(zone={}, facts=make_facts(ip="203.0.113.5"), use=("zen",))) == set()
    assert lists_of(examined(use=())) == set()
    assert lists_of(judge(make_facts())) == set()


def test_watched_lists_weigh_nothing_whatever_the_settings_say() -> None:
    settings = InspectorSettings(weights={"list.ip": 50.0, "list.uri": 50.0})
    judgement = examined(mode="watch", facts=make_facts(settings=settings))
    assert weights(judgement) == {"list.watched": 0.0}
    assert "not counted" in next(f.summary for f in judgement.findings if f.code == "list.watched")


def test_good_senders_count_only_when_proven() -> None:
    assert weights(examined(("dnswl",)))["list.allow"] == -2.5
    assert lists_of(examined(("dnswl",), facts=make_facts(**UNPROVEN))) == set()


def test_a_sick_list_says_nothing_but_that_it_is_sick() -> None:
    judgement = examined(("zen",), zone={"1.0.0.127.zen.spamhaus.org": {"A": "127.0.0.2"}})
    assert weights(judgement) == {"list.sick": 0.0}


def test_a_block_list_through_a_public_resolver_stops_no_mail() -> None:
    """TRAPS: every question is answered 127.255.255.254, the test entries too."""
    refused = {name: {"A": "127.255.255.254"} for name in ZONE}
    for name in ("1.0.0.127.zen.spamhaus.org", "invalid.dbl.spamhaus.org", "invalid.multi.surbl.org"):
        refused[name] = {"A": "127.255.255.254"}
    judgement = examined(("zen", "dbl", "surbl", "dnswl"), zone=refused)
    assert lists_of(judgement) == {"list.sick"}
    assert judgement.decide().action is Action.ACCEPT


def test_own_names_are_not_asked_about() -> None:
    facts = make_facts(own_domains=("example.org",))
    assert "list.domain" not in lists_of(examined(("dbl",), facts=facts))


def test_the_first_hop_is_asked_only_where_that_is_wanted_and_not_as_a_home_connection() -> None:
    received = "Received: from pc ([198.51.100.9]) by mx.example.org; Mon, 24 Nov 2025 15:59:00 +0000\n"
    header = received + CLEAN_HEADER
    facts = make_facts(header, ip="203.0.113.5")
    listed = {"9.100.51.198.zen.spamhaus.org": {"A": ["127.0.0.11", "127.0.0.4"]}}
    assert lists_of(examined(("zen",), facts=facts, zone=listed)) == set()
    assert lists_of(examined(("zen",), facts=facts, zone=listed, ask_path=True)) == {"list.ip"}
    home = {"9.100.51.198.zen.spamhaus.org": {"A": "127.0.0.11"}}
    assert lists_of(examined(("zen",), facts=facts, zone=home, ask_path=True)) == set()


@pytest.mark.parametrize("text", [IP, "192.0.2.0/24", "example.org", "ann@example.org", "https://bad.example/"])
@pytest.mark.parametrize("decided", [Action.REJECT, Action.QUARANTINE, Action.TAG])
def test_an_own_block_decides(text: str, decided: Action) -> None:
    judgement = examined((), ("block", text, {"action": decided.value, "comment": "a nuisance"}))
    assert "a nuisance" in next(f.summary for f in judgement.findings if f.code == "list.local-block")
    decision = judgement.decide()
    assert decision.action is decided
    assert decision.decided_by == ("list.local-block",)


def test_the_gravest_of_several_blocks_and_a_disabled_rule() -> None:
    entries = (("block", "example.org", {"action": "tag"}), ("block", IP, {"action": "quarantine"}))
    assert examined((), *entries).decide().action is Action.QUARANTINE
    off = make_facts(settings=InspectorSettings(disabled_rules=("list.local-block",)))
    assert examined((), *entries, facts=off).decide().action is Action.ACCEPT


def test_a_block_whose_time_is_over_blocks_nothing() -> None:
    assert lists_of(examined((), ("block", "example.org", {"expires": NOW}))) == set()
    assert lists_of(examined((), ("block", "other.example", {}))) == set()


def test_an_own_allow_counts_only_with_proof() -> None:
    entry = ("allow", "ann@example.org", {})
    assert weights(examined((), entry)) == {"list.local-allow": -4.0}
    spoofed = make_facts(dmarc=dmarc("fail", policy="none"), dkim=dkim(signature(domain="evil.example")))
    judgement = examined((), entry, facts=spoofed)
    assert weights(judgement) == {"list.local-allow-unproven": 0.0}
    assert weights(examined((), ("allow", IP, {}), facts=spoofed)) == {"list.local-allow-unproven": 0.0}


def test_a_proven_person_stands_over_a_block_of_the_domain_but_not_of_the_address() -> None:
    allow = ("allow", "ann@example.org", {})
    assert examined((), allow, ("block", "example.org", {})).decide().action is Action.ACCEPT
    assert examined((), allow, ("block", IP, {})).decide().action is Action.REJECT
    unproven = make_facts(**UNPROVEN)
    assert examined((), allow, ("block", "example.org", {}), facts=unproven).decide().action is Action.REJECT


def test_a_link_that_is_allowed_is_not_asked_about() -> None:
    assert "list.uri" not in lists_of(examined(("surbl",), ("allow", "https://bad.example/", {})))


def test_a_link_is_followed_to_its_end() -> None:
    """Who redirects is honest; where it leads to is listed, and blocked here."""
    wrapped = "https://www.good.example/click?url=https%3A%2F%2Fwww.bad.example%2Fx"
    opened = Opened(links=(Link(target=wrapped, source="html-a", item="1"),))
    assert lists_of(examined(("surbl",), opened=opened)) == {"list.uri"}
    assert lists_of(examined((), ("block", "https://bad.example/x", {}), opened=opened)) == {"list.local-block"}


@pytest.mark.parametrize("action", ["reject", "quarantine", "tag"])
def test_a_block_is_kept_for_another_policy_to_be_tried(action: str) -> None:
    grounds = examined((), ("block", IP, {"action": action})).grounds
    assert grounds.block == action
    assert read_grounds(grounds.as_json()) == grounds
