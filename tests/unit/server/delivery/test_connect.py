"""Opening next hops over real sockets: names, refusals at the door, TLS that fails, connections that end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import ClassVar

import pytest

from gatepost.names import Envelope, Recipient
from gatepost.net.zone import ZoneResolver
from gatepost.server.delivery.connect import Connector
from gatepost.server.delivery.hop import Hop, HopFailed, HopRefused, Undeliverable
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.protection import Demand, Level, MxHost
from gatepost.server.delivery.routes import Route, Routes, parse_route
from gatepost.server.delivery.settings import DeliverySettings

ENVELOPE = Envelope(mail_from="a@example.org", recipients=(Recipient(address="b@example.net"),))
RAW = b"Subject: x\r\n\r\nhello\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def server_that_says(script: list[str]) -> Talk:
    """A server that answers each line (and the content as one) with the next reply of `script`; "-" hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in script:
            if reply == "-":
                break
            writer.write(reply.encode() + b"\r\n")
            if reply.startswith("354"):
                await reader.readuntil(b"\r\n.\r\n")
            elif script[-1] != "-" or reply != script[-2]:
                await reader.readline()

    return talk


@contextlib.asynccontextmanager
async def serving(*talks: Talk) -> AsyncIterator[int]:
    """Serves each connection with the next of `talks`, the last for ever; gives the port."""
    waiting = list(talks)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def run(
    talks: list[Talk], use: Callable[[Hop], Awaitable[object]], zone: str = "", host: str = "127.0.0.1", **more: object
) -> object:
    """What `use` makes of a hop opened to a server that talks so."""

    async def main() -> object:
        async with serving(*talks) as port:
            settings = DeliverySettings(**more)  # type: ignore[arg-type]
            connector = Connector("gate.example", settings, ZoneResolver(zone, timeouts=("slow.example",)))
            hop = await connector(parse_route(f"smtp:{host}:{port}"))
            try:
                return await use(hop)
            finally:
                await hop.close()

    return asyncio.run(main())


async def nothing(hop: Hop) -> object:
    return dict(hop.keywords)


GOOD = ["220 hop ESMTP", "250-hop\r\n250 8BITMIME", "250 ok", "250 ok", "354 go", "250 2.0.0 taken"]


def test_a_message_goes_over_and_the_reply_comes_back() -> None:
    async def use(hop: Hop) -> object:
        return await hop.send(ENVELOPE, RAW)

    (reply,) = run([server_that_says(GOOD)], use)  # type: ignore[misc]
    assert (reply.reply_code, reply.code) == (250, "2.0.0")


MX = """
two.example. MX 5 first.example.
two.example. MX 10 second.example.
first.example. A 127.0.0.2
first.example. A 127.0.0.3
second.example. A 127.0.0.1
"""


def by_mx(talks: list[Talk], use: Callable[[Connector, Route], Awaitable[object]], **more: object) -> object:
    """What `use` makes of a connector for two.example, of whose hosts only the second has a server, that talks so."""

    async def main() -> object:
        async with serving(*talks) as port:
            settings = DeliverySettings(mx_port=port, forbidden_networks=(), **more)  # type: ignore[arg-type]
            own = Own("gate.example", settings, listening={1})
            connector = Connector("gate.example", settings, ZoneResolver(MX), own=own, clock=lambda: 0.0)
            return await use(connector, parse_route("mx:two.example"))

    return asyncio.run(main())


def test_the_next_host_takes_what_the_first_does_not() -> None:
    async def use(connector: Connector, route: Route) -> object:
        hop = await connector(route)
        await hop.close()
        return hop.label

    assert str(by_mx([server_that_says(GOOD)], use)).startswith("second.example[127.0.0.1]:")


def test_of_all_that_was_tried_the_host_that_spoke_is_told_and_the_others_too() -> None:
    async def use(connector: Connector, route: Route) -> object:
        with pytest.raises(HopRefused) as caught:
            await connector(route)
        return caught.value

    error = by_mx([server_that_says(["554 go away"])], use)
    assert isinstance(error, HopRefused)
    assert error.reply_code == 554
    assert error.label.startswith("second.example[127.0.0.1]")
    assert "first.example[127.0.0.2]" in error.text
    assert "first.example[127.0.0.3]" in error.text


def test_dead_addresses_are_not_called_again_but_when_an_administrator_wants_it() -> None:
    async def use(connector: Connector, route: Route) -> object:
        texts = []
        for demanded in (False, False, True):
            with pytest.raises(HopFailed) as caught:
                await connector(route, demanded=demanded)
            texts.append(caught.value.text)
        return texts

    first, second, third = by_mx([server_that_says(["-"])], use)  # type: ignore[misc]
    assert "not tried again" not in first
    assert second.count("not tried again yet") == 3
    assert "not tried again" not in third


def test_hosts_that_demands_forbid_are_passed_over_and_told_where_none_is_left() -> None:
    class Strict:
        told: ClassVar[list[str]] = []

        async def demands(self, domain: str, hosts: Sequence[MxHost]) -> Sequence[Demand]:
            return [
                Demand(level=Level.OPPORTUNISTIC, unusable="" if host.name in self.told else "not in the policy")
                for host in hosts
            ]

        def took(self, domain: str, host: MxHost, address: str, demand: Demand, tls: object, failure: str) -> None:
            self.took_host = host.name

    async def main() -> None:
        async with serving(server_that_says(GOOD)) as port:
            settings = DeliverySettings(mx_port=port, forbidden_networks=())
            own, strict = Own("gate.example", settings, listening={1}), Strict()
            connector = Connector("gate.example", settings, ZoneResolver(MX), own=own, protection=strict)
            with pytest.raises(HopFailed) as caught:
                await connector(parse_route("mx:two.example"))
            assert caught.value.text == "first.example: not in the policy; second.example: not in the policy"
            strict.told.append("second.example")
            hop = await connector(parse_route("mx:two.example"))
            await hop.close()
            assert strict.took_host == "second.example"

    asyncio.run(main())


def test_address_literals_go_there_but_never_to_ourselves() -> None:
    async def main() -> None:
        async with serving(server_that_says(GOOD)) as port:
            settings = DeliverySettings(mx_port=port, forbidden_networks=())
            route = Routes({}, "mx").find("user@[127.0.0.1]")
            assert route is not None
            for listening, code in (({1}, ""), ({port}, "5.4.6")):
                own = Own("gate.example", settings, listening=listening)
                connector = Connector("gate.example", settings, ZoneResolver(""), own=own)
                if code:
                    with pytest.raises(Undeliverable) as caught:
                        await connector(route)
                    assert caught.value.code == code
                else:
                    hop = await connector(route)
                    assert hop.label == f"[127.0.0.1]:{port}"
                    await hop.close()
            with pytest.raises(Undeliverable):
                await Connector("gate.example", DeliverySettings(), ZoneResolver(""))(route)

    asyncio.run(main())


def test_a_name_is_looked_up_and_named_in_the_label() -> None:
    async def label(hop: Hop) -> object:
        return hop.label

    zone = "hop.example. A 127.0.0.1\n"
    assert str(run([server_that_says(GOOD)], label, zone, "hop.example")).startswith("hop.example[127.0.0.1]:")


@pytest.mark.parametrize(("host", "code"), [("slow.example", "4.4.3"), ("none.example", "4.4.4")])
def test_a_name_without_an_answer_is_a_temporary_failure(host: str, code: str) -> None:
    with pytest.raises(HopFailed) as caught:
        run([server_that_says(GOOD)], nothing, "", host)
    assert caught.value.code == code


@pytest.mark.parametrize("script", [["554 go away"], ["220 hop", "550 not you"], ["421 busy"]])
def test_a_refusal_at_the_door_is_told_as_such(script: list[str]) -> None:
    if script[-1].startswith("550"):
        script = [*script, "550 not you either"]  # HELO is tried after EHLO
    with pytest.raises(HopRefused):
        run([server_that_says(script)], nothing)


def test_tls_that_fails_falls_back_to_plaintext_only_if_opportunistic() -> None:
    liar = server_that_says(["220 hop", "250-hop\r\n250 STARTTLS", "220 go", "this is no handshake"])
    assert run([liar, server_that_says(GOOD)], nothing) == {"8BITMIME": ""}
    with pytest.raises(HopFailed) as caught:
        run([liar, server_that_says(GOOD)], nothing, tls="enforced")
    assert caught.value.code == "4.7.5"


def test_a_refused_starttls_goes_on_in_plaintext_if_opportunistic() -> None:
    refuser = server_that_says(["220 hop", "250-hop\r\n250 STARTTLS", "454 not now"])
    assert run([refuser, server_that_says(GOOD)], nothing) == {"8BITMIME": ""}


def test_a_connection_that_ended_while_idle_says_that_the_message_may_be_tried_anew() -> None:
    async def twice(hop: Hop) -> object:
        await hop.send(ENVELOPE, RAW)
        await asyncio.sleep(0.1)
        with pytest.raises(HopFailed) as caught:
            await hop.send(ENVELOPE, RAW)
        return caught.value.fresh

    assert run([server_that_says([*GOOD[:-1], "250 taken\r\n421 idle too long", "-"])], twice) is False


def test_a_connection_that_ends_after_the_content_says_that_nobody_knows() -> None:
    second = ["250 ok", "250 ok", "354 go"]

    async def twice(hop: Hop) -> object:
        await hop.send(ENVELOPE, RAW)
        with pytest.raises(HopFailed) as caught:
            await hop.send(ENVELOPE, RAW)
        return caught.value.fresh

    assert run([server_that_says([*GOOD, *second, "-"])], twice) is True


def test_bare_line_ends_are_refused_for_good_and_nothing_is_sent() -> None:
    async def use(hop: Hop) -> object:
        return await hop.send(ENVELOPE, b"Subject: x\r\n\r\nbare\nline\r\n")

    (reply,) = run([server_that_says(GOOD)], use)  # type: ignore[misc]
    assert (reply.reply_code, reply.code) == (554, "5.6.0")
