"""server.callforward: asked once, believed for a while, unsure never kept."""

from __future__ import annotations

import asyncio

from gatepost.server.callforward import CallForward, Known, Verdict


class NextHop:
    """A next hop that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.down = False

    async def ask(self, route: str, address: str) -> Verdict:
        self.asked.append(address)
        await asyncio.sleep(0)
        if self.down:
            raise ConnectionRefusedError("nobody there")
        return Verdict(Known.YES if address.startswith("ann") else Known.NO, "250 or 550")


def test_answers_are_kept_for_their_time() -> None:
    async def story() -> None:
        now = [0.0]
        hop = NextHop()
        book = CallForward(hop.ask, positive=100, negative=10, clock=lambda: now[0])
        assert (await book.check("r", "ann@x.example")).known is Known.YES
        assert (await book.check("r", "bob@x.example")).known is Known.NO
        now[0] = 50
        await book.check("r", "ann@x.example")
        await book.check("r", "bob@x.example")
        assert hop.asked == ["ann@x.example", "bob@x.example", "bob@x.example"]

    asyncio.run(story())


def test_many_who_wait_ask_once_and_a_dead_hop_is_unsure_but_not_remembered() -> None:
    async def story() -> None:
        hop = NextHop()
        hop.down = True
        book = CallForward(hop.ask, positive=100, negative=10, clock=lambda: 0.0)
        answers = await asyncio.gather(*(book.check("r", "ann@x.example") for _ in range(20)))
        assert {answer.known for answer in answers} == {Known.UNSURE}
        assert len(hop.asked) == 1
        hop.down = False
        assert (await book.check("r", "ann@x.example")).known is Known.YES

    asyncio.run(story())
