"""Following shortened links, from the message to the finding: only where the setting says so, and only shorteners."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import gatepost
from fakes import DictResolver
from gatepost.api import InspectionSettings
from gatepost.inspector.links.settings import LinkSettings
from gatepost.inspector.settings import InspectorSettings
from gatepost.ports import Followed
from judging import CLEAN_HEADER, NOW

RAW = (CLEAN_HEADER + "\nhttps://bit.ly/a http://www.example.com/b and https://tinyurl.com/c\n").encode()


class Ways:
    """A fetcher that knows where one address leads."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def follow_all(self, urls: Sequence[str], deadline: float) -> tuple[Followed, ...]:
        self.asked += urls
        assert 0 < deadline < 10
        ends = {"https://bit.ly/a": ("https://bit.ly/a", "https://paypa1.com/login")}
        return tuple(Followed(hops=ends.get(url, (url,)), reason="" if url in ends else "no answer") for url in urls)


def inspect(ways: Ways, links: LinkSettings) -> gatepost.Inspection:
    settings = InspectionSettings(inspector=InspectorSettings(links=links))
    return asyncio.run(gatepost.inspect_message(RAW, resolver=DictResolver(), now=NOW, settings=settings, fetcher=ways))


def test_where_a_short_link_leads_is_judged() -> None:
    ways = Ways()
    findings = {found.code: found for found in inspect(ways, LinkSettings(follow_redirects="shorteners")).findings}
    assert ways.asked == ["https://bit.ly/a", "https://tinyurl.com/c"]
    assert findings["link.lookalike"].evidence["host"] == "paypa1.com"
    assert findings["link.shortener"].evidence["leads_to"] == "https://paypa1.com/login"


def test_nothing_is_followed_unless_asked_for() -> None:
    ways = Ways()
    codes = {found.code for found in inspect(ways, LinkSettings()).findings}
    assert ways.asked == []
    assert "link.shortener" in codes
    assert "link.lookalike" not in codes
