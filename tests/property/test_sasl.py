"""SASL: client and server machine, joined, agree; whatever comes in is an event; preparing twice changes nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.ports import Identity
from gatepost.wire.sasl import (
    MECHANISMS,
    Challenge,
    Channel,
    CheckCertificate,
    CheckPassword,
    Failed,
    NeedVerifier,
    Proven,
    ServerEvent,
    ServerExchange,
    client_exchange,
    encode_line,
    server_exchange,
)
from gatepost.wire.sasl.client import ClientExchange
from gatepost.wire.sasl.prepare import Unfit, prepare_name, prepare_password
from gatepost.wire.sasl.scram_keys import decoy, make_verifier

CHANNEL = Channel(nonce="0123456789abcdefghij", end_point=b"\x01" * 32)
ANN = Identity(account="ann@example.org")
names = st.text("abcXYZ09@.,=+äÄßσ用", min_size=1, max_size=30)
passwords = st.text("abcXYZ09,= \u00a0äÄß\u0308♦", min_size=1, max_size=30)


def answer(exchange: ServerExchange, event: ServerEvent, password: str) -> ServerEvent:
    """The house: one account, one password."""
    match event:
        case CheckPassword(password=tried):
            return exchange.decide(ANN if tried == prepare_password(password) else None)
        case NeedVerifier():
            return exchange.give_verifier(make_verifier(ANN, prepare_password(password), b"salt" * 4, 4096))
        case CheckCertificate():
            return exchange.decide(ANN)
    return event


def joined(exchange: ServerExchange, client: ClientExchange, password: str) -> ServerEvent:
    event = answer(exchange, exchange.start(client.start()), password)
    rounds = 0
    while isinstance(event, Challenge):
        rounds += 1
        assert rounds < 5
        event = answer(exchange, exchange.receive(client.respond(event.data)), password)
    return event


@settings(deadline=None, max_examples=60)
@given(
    mechanism=st.sampled_from([name for name in MECHANISMS if name != "EXTERNAL"]),
    name=names,
    password=passwords,
    other=passwords,
)
def test_client_and_server_agree(mechanism: str, name: str, password: str, other: str) -> None:
    for tried in (password, other):
        exchange = server_exchange(mechanism, CHANNEL, (mechanism,))
        client = client_exchange((mechanism,), name, tried, Channel(nonce="client-nonce", end_point=CHANNEL.end_point))
        assert exchange is not None
        assert client is not None
        event = joined(exchange, client, password)
        if prepare_password(tried) == prepare_password(password):
            assert event == Proven(identity=ANN)
            client.finish()
        else:
            assert isinstance(event, Failed)
            assert event.guessed


@given(
    mechanism=st.sampled_from(MECHANISMS),
    first=st.none() | st.text(max_size=60),
    lines=st.lists(st.text(max_size=60) | st.binary(max_size=60).map(encode_line), max_size=6),
)
def test_any_lines_give_events_and_an_end(mechanism: str, first: str | None, lines: list[str]) -> None:
    exchange = server_exchange(mechanism, CHANNEL, MECHANISMS)
    assert exchange is not None
    event = exchange.start_line(first)
    for line in lines:
        match event:
            case CheckPassword() | CheckCertificate():
                event = exchange.decide(None)
            case NeedVerifier():
                event = exchange.give_verifier(decoy(b"secret", "x"), decoy=True)
        if not isinstance(event, Challenge):
            break
        event = exchange.receive_line(line)
    assert not isinstance(event, Proven)


@given(st.text(max_size=40))
def test_preparing_twice_changes_nothing(text: str) -> None:
    for prepare in (prepare_name, prepare_password):
        try:
            once = prepare(text)
        except Unfit:
            continue
        assert prepare(once) == once


@given(st.text("aAäÄ\u0308\uff21ßſK\u212aσΣς@.İıI\u0307", max_size=12))
def test_case_and_width_do_not_tell_names_apart(name: str) -> None:
    try:
        assert prepare_name(name.upper().lower()) == prepare_name(name.upper())
    except Unfit:
        pass
