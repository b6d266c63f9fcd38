"""The client against scripted servers (old ones, slow ones, broken ones), and what it fits an envelope to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.names import Body, Envelope, Recipient
from gatepost.server.smtp.client import SmtpClient, TransportError
from gatepost.server.smtp.fit import NEEDS_8BIT, NEEDS_TLS, NEEDS_UTF8, TOO_BIG, fit_envelope
from gatepost.server.smtp.settings import ClientSettings
from gatepost.wire.smtp.replies import Reply

ENVELOPE = Envelope(
    mail_from="ann@example.com",
    recipients=(
        Recipient(address="bob@example.net", notify=("NEVER",), orcpt="rfc822;b@x"),
        Recipient(address="cy@example.net"),
    ),
    ret="HDRS",
    envid="QQ",
)
RAW = b"Subject: x\r\n\r\nhello\r\n"

Script = list[tuple[bytes, bytes]]  # what the client must send next, and what it is answered
HELLO: Script = [(b"", b"220 mx\r\n"), (b"EHLO me\r\n", b"250 mx\r\n")]


def play(script: Script, body: Callable[[SmtpClient], Awaitable[None]], settings: ClientSettings | None = None) -> None:
    """Runs `body` with a client of a server that plays `script` and then waits for the client to close."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for wanted, answer in script:
            got = await reader.readexactly(len(wanted))
            assert got == wanted
            writer.write(answer)
            if not answer:
                break
        else:
            await reader.read()
        writer.close()

    async def main() -> None:
        failed: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = await SmtpClient.connect(*server.sockets[0].getsockname()[:2], settings=settings)
        try:
            await asyncio.wait_for(body(client), 10)
        finally:
            client.abort()
            server.close()
            await asyncio.sleep(0.01)
        assert not failed

    asyncio.run(main())


def test_a_server_without_extensions() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        outcome = await client.send(ENVELOPE, RAW)
        assert [reply.code for reply in outcome.replies] == [250, 551]
        assert client.usable
        await client.quit()

    play(
        [
            *HELLO,
            (b"MAIL FROM:<ann@example.com>\r\n", b"250 ok\r\n"),
            (b"RCPT TO:<bob@example.net>\r\n", b"250 ok\r\n"),
            (b"RCPT TO:<cy@example.net>\r\n", b"551 no\r\n"),
            (b"DATA\r\n", b"354 go\r\n"),
            (RAW + b".\r\n", b"250 kept\r\n"),
            (b"QUIT\r\n", b"221 bye\r\n"),
        ],
        body,
    )


def test_a_server_that_only_knows_helo() -> None:
    async def body(client: SmtpClient) -> None:
        assert (await client.hello("me")).code == 250
        assert client.extensions == {}
        outcome = await client.send(ENVELOPE, RAW)
        assert [reply.code for reply in outcome.replies] == [450, 450]
        assert client.usable

    play(
        [
            (b"", b"220 mx\r\n"),
            (b"EHLO me\r\n", b"502 what\r\n"),
            (b"HELO me\r\n", b"250 mx\r\n"),
            (b"MAIL FROM:<ann@example.com>\r\n", b"450 later\r\n"),
        ],
        body,
    )


def test_all_refused_takes_the_transaction_back() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        assert [reply.code for reply in (await client.send(ENVELOPE, RAW)).replies] == [550, 450]
        assert client.usable

    play(
        [
            *HELLO,
            (b"MAIL FROM:<ann@example.com>\r\n", b"250 ok\r\n"),
            (b"RCPT TO:<bob@example.net>\r\n", b"550 no\r\n"),
            (b"RCPT TO:<cy@example.net>\r\n", b"450 later\r\n"),
            (b"RSET\r\n", b"250 ok\r\n"),
        ],
        body,
    )


PIPELINED = [(b"", b"220 mx\r\n"), (b"EHLO me\r\n", b"250-mx\r\n250-PIPELINING\r\n250-DSN\r\n250 SIZE 1000\r\n")]
GROUP = (
    b"MAIL FROM:<ann@example.com> SIZE=21 RET=HDRS ENVID=QQ\r\n"
    b"RCPT TO:<bob@example.net> NOTIFY=NEVER ORCPT=rfc822;b@x\r\nRCPT TO:<cy@example.net>\r\nDATA\r\n"
)


@pytest.mark.parametrize(
    ("answers", "rest", "codes"),
    [
        (b"250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n", [(RAW + b".\r\n", b"452 full\r\n")], [452, 550]),
        (b"250 ok\r\n250 ok\r\n250 ok\r\n451 no\r\n", [(b"RSET\r\n", b"250 ok\r\n")], [451, 451]),
        (b"550 no\r\n503 x\r\n503 x\r\n503 x\r\n", [], [550, 550]),
        (b"250 ok\r\n550 a\r\n551 b\r\n354 go\r\n", [(b".\r\n", b"554 nobody\r\n")], [550, 551]),
        (b"250 ok\r\n550 a\r\n551 b\r\n554 no\r\n", [(b"RSET\r\n", b"250 ok\r\n")], [550, 551]),
    ],
)
def test_pipelined(answers: bytes, rest: Script, codes: list[int]) -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        assert [reply.code for reply in (await client.send(ENVELOPE, RAW)).replies] == codes
        assert client.usable

    play([*PIPELINED, (GROUP, answers), *rest], body)


CHUNKED = [(b"", b"220 mx\r\n"), (b"EHLO me\r\n", b"250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n")]
UP_TO_RCPT = b"MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.net>\r\nRCPT TO:<cy@example.net>\r\n"
DOTTED = b"Subject: x\r\n\r\n.\r\n..\r\nend"
LAST = b"BDAT 26 LAST\r\n" + DOTTED + b"\r\n"


@pytest.mark.parametrize(
    ("answers", "rest", "codes"),
    [
        (b"250 ok\r\n250 ok\r\n550 no\r\n", [(LAST, b"250 taken\r\n")], [250, 550]),
        (b"250 ok\r\n250 ok\r\n250 ok\r\n", [(LAST, b"452 full\r\n"), (b"RSET\r\n", b"250 ok\r\n")], [452, 452]),
        (b"250 ok\r\n550 a\r\n551 b\r\n", [(b"RSET\r\n", b"250 ok\r\n")], [550, 551]),
        (b"550 no\r\n503 x\r\n503 x\r\n", [], [550, 550]),
    ],
)
def test_in_a_chunk_where_that_is_offered(answers: bytes, rest: Script, codes: list[int]) -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        assert [reply.code for reply in (await client.send(ENVELOPE, DOTTED)).replies] == codes
        assert client.usable

    play([*CHUNKED, (UP_TO_RCPT, answers), *rest], body)


def test_in_a_chunk_nothing_is_smuggled_either_and_a_lost_answer_is_told() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        with pytest.raises(LocalProtocolError):
            await client.send(ENVELOPE, b"x\r\n.\nMAIL FROM:<>\r\n")
        with pytest.raises(TransportError) as caught:
            await client.send(ENVELOPE, DOTTED)
        assert caught.value.after_data

    play([*CHUNKED, (UP_TO_RCPT, b"250 ok\r\n250 ok\r\n250 ok\r\n"), (LAST, b"")], body)


def test_a_server_that_ends_after_its_refusals_has_still_refused() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        assert [reply.code for reply in (await client.send(ENVELOPE, DOTTED)).replies] == [550, 551]
        assert not client.usable

    play([*CHUNKED, (UP_TO_RCPT, b"250 ok\r\n550 a\r\n551 b\r\n"), (b"RSET\r\n", b"")], body)


def test_lmtp_who_was_answered_for_is_not_sent_to_again() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 lmtp\r\n")
        await reader.readline()
        writer.write(b"250-lmtp\r\n250 PIPELINING\r\n")
        await reader.readuntil(b"DATA\r\n")
        writer.write(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")
        await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 in his mailbox\r\n")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        client = await SmtpClient.connect(*server.sockets[0].getsockname()[:2], lmtp=True)
        await client.hello("me")
        outcome = await client.send(ENVELOPE, RAW)
        assert [reply.code for reply in outcome.replies] == [250, 451]
        client.abort()
        server.close()

    asyncio.run(asyncio.wait_for(main(), 10))


def test_nobody_knows_after_the_end_was_sent() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        with pytest.raises(TransportError) as caught:
            await client.send(ENVELOPE, RAW)
        assert caught.value.after_data
        assert not client.usable

    go = (GROUP, b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    play([*PIPELINED, go, (RAW + b".\r\n", b"")], body)
    play([*PIPELINED, go], body, ClientSettings(end_timeout=0.05))


def test_lost_before_the_end_is_certain() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        with pytest.raises(TransportError) as caught:
            await client.send(ENVELOPE, RAW)
        assert not caught.value.after_data
        assert caught.value.reason in ("lost", "time-out")

    play([*PIPELINED, (GROUP, b"")], body)
    play([*PIPELINED], body, ClientSettings(command_timeout=0.05))


def test_421_in_the_middle() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        with pytest.raises(TransportError):
            await client.send(ENVELOPE, RAW)
        assert not client.usable

    play([*PIPELINED, (GROUP, b"250 ok\r\n421 going down\r\n")], body)
    steps = [(b"MAIL FROM:<ann@example.com>\r\n", b"250 ok\r\n"), (b"RCPT TO:<bob@example.net>\r\n", b"421 bye\r\n")]
    play([*HELLO, *steps], body)


def test_a_server_that_loses_count() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        with pytest.raises(RemoteProtocolError):
            await client.send(ENVELOPE, RAW)

    play([*PIPELINED, (GROUP, b"550 no\r\n250 ok\r\n")], body)


def test_a_message_that_would_smuggle() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        with pytest.raises(LocalProtocolError):
            await client.send(ENVELOPE, b"x\r\n.\nMAIL FROM:<>\r\n")
        assert client.usable

    play(PIPELINED, body)


def test_a_large_message_to_a_slow_reader() -> None:
    raw = b"x" * 70 + b"\r\n"
    raw *= 100_000

    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        assert (await client.send(replace(ENVELOPE, recipients=ENVELOPE.recipients[1:]), raw)).accepted

    play(
        [
            *HELLO,
            (b"MAIL FROM:<ann@example.com>\r\n", b"250 ok\r\n"),
            (b"RCPT TO:<cy@example.net>\r\n", b"250 ok\r\n"),
            (b"DATA\r\n", b"354 go\r\n"),
            (raw + b".\r\n", b"250 kept\r\n"),
        ],
        body,
    )


def test_a_server_that_takes_nothing() -> None:
    async def body(client: SmtpClient) -> None:
        await client.hello("me")
        with pytest.raises(TransportError) as caught:
            await client.send(replace(ENVELOPE, recipients=ENVELOPE.recipients[1:]), b"x\r\n" * 10_000_000)
        assert caught.value.reason == "time-out"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n"):
            writer.write(reply)
            await reader.readline()
        await asyncio.sleep(1)
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        settings = ClientSettings(block_timeout=0.1)
        client = await SmtpClient.connect(*server.sockets[0].getsockname()[:2], settings=settings)
        await body(client)
        server.close()

    asyncio.run(main())


# -- what an envelope is fitted to -------------------------------------------------------------------------------------

ALL = {"SIZE": "1000", "8BITMIME": "", "SMTPUTF8": "", "DSN": "", "REQUIRETLS": ""}
UTF8 = replace(ENVELOPE, mail_from="jürgen@example.com", smtputf8=True)


@pytest.mark.parametrize(
    ("envelope", "raw", "missing", "reply"),
    [
        (ENVELOPE, b"x" * 1001, "", TOO_BIG),
        (ENVELOPE, b"\xff", "8BITMIME", NEEDS_8BIT),
        (UTF8, RAW, "SMTPUTF8", NEEDS_UTF8),
        (replace(ENVELOPE, smtputf8=True), "Subject: ü\r\n\r\n".encode(), "SMTPUTF8", NEEDS_UTF8),
        (replace(ENVELOPE, requiretls=True), RAW, "REQUIRETLS", NEEDS_TLS),
    ],
)
def test_what_a_server_cannot_take(envelope: Envelope, raw: bytes, missing: str, reply: Reply) -> None:
    extensions = {keyword: value for keyword, value in ALL.items() if keyword != missing}
    assert fit_envelope(envelope, raw, extensions, over_tls=True) == reply


def test_requiretls_needs_tls() -> None:
    assert fit_envelope(replace(ENVELOPE, requiretls=True), RAW, ALL, over_tls=False) == NEEDS_TLS


def test_what_is_asked_for() -> None:
    fitted = fit_envelope(replace(ENVELOPE, smtputf8=True, body=Body.EIGHT_BIT), RAW, ALL, over_tls=True)
    assert fitted == replace(ENVELOPE, size=len(RAW))
    bare = fit_envelope(ENVELOPE, RAW, {}, over_tls=False)
    assert isinstance(bare, Envelope)
    assert (bare.size, bare.ret, bare.envid) == (None, None, None)
    assert [(one.notify, one.orcpt) for one in bare.recipients] == [((), None), ((), None)]
    eight = fit_envelope(UTF8, b"\xc3\xbc", ALL, over_tls=False)
    assert isinstance(eight, Envelope)
    assert (eight.body, eight.smtputf8) == (Body.EIGHT_BIT, True)
    assert isinstance(fit_envelope(ENVELOPE, b"x" * 5000, {"SIZE": "0"}, over_tls=False), Envelope)
