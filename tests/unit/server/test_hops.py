"""server.pipeline.hops: a next hop that is not there is "unsure", and does not end the watch over the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gatepost.net.tls import client_context
from gatepost.server.callforward import Known
from gatepost.server.delivery.routes import Route
from gatepost.server.pipeline.hops import NextHops

NOWHERE, DEAD = "smtp:nowhere.example:25", "smtp:127.0.0.1:1"


async def addresses(route: Route) -> Sequence[str]:
    return [route.host] if route.host == "127.0.0.1" else []


def test_a_hop_without_an_address_and_one_that_is_down() -> None:
    async def look() -> None:
        hops = NextHops("mx.example.org", [NOWHERE, DEAD], addresses, client_context(verified=False))
        watching = asyncio.create_task(hops.watch())
        for route, says in ((NOWHERE, "nowhere.example has no address"), (DEAD, "cannot be asked")):
            verdict = await hops.ask(route, "ann@example.org")
            assert verdict.known is Known.UNSURE
            assert says in verdict.reason
        await asyncio.sleep(0.1)
        assert not watching.done()
        assert not hops.any_can("SMTPUTF8")
        watching.cancel()

    asyncio.run(look())
