"""SASL: the vectors of the RFCs, what each mechanism asks its house, and what clients may not do."""

from __future__ import annotations

import base64

import pytest

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.ports import Identity, ScramVerifier
from gatepost.wire.sasl import (
    MECHANISMS,
    Challenge,
    Channel,
    CheckCertificate,
    CheckPassword,
    Failed,
    NeedVerifier,
    Proven,
    Reason,
    ServerEvent,
    ServerExchange,
    decode_line,
    server_exchange,
)
from gatepost.wire.sasl.scram_client import ScramClient
from gatepost.wire.sasl.scram_keys import decoy, make_verifier
from gatepost.wire.sasl.scram_server import ScramPlusServer, ScramServer

TIM = Identity(account="tim@example.org")
NONCE = "3rfcNHYJY1ZVvWVs7j0000"
CHANNEL = Channel(nonce=NONCE, end_point=b"\x01" * 32)


def exchange(mechanism: str) -> ServerExchange:
    made = server_exchange(mechanism, CHANNEL, MECHANISMS)
    assert made is not None
    return made


def reason(event: ServerEvent) -> Reason:
    assert isinstance(event, Failed)
    return event.reason


class TestPlain:
    def test_the_examples_of_rfc_4616(self) -> None:
        first = exchange("PLAIN").start(b"\0tim\0tanstaaftanstaaf")
        assert first == CheckPassword(authcid="tim", authzid="", password="tanstaaftanstaaf")
        second = exchange("PLAIN").start(b"Ursel\0Kurt\0xipj3plmq")
        assert second == CheckPassword(authcid="kurt", authzid="ursel", password="xipj3plmq")

    def test_without_an_initial_response_it_is_asked_for(self) -> None:
        plain = exchange("PLAIN")
        assert plain.start_line(None) == Challenge(b"")
        question = plain.receive_line(base64.b64encode(b"\0tim\0secret").decode())
        assert question == CheckPassword(authcid="tim", authzid="", password="secret")
        assert plain.decide(TIM) == Proven(identity=TIM)
        assert plain.over

    def test_nobody_acts_as_another(self) -> None:
        for authzid, fine in ((b"", True), (b"tim", True), (b"TIM@example.org", True), (b"eve", False)):
            plain = exchange("PLAIN")
            plain.start(authzid + b"\0tim\0secret")
            event = plain.decide(TIM)
            assert event == Proven(identity=TIM) if fine else reason(event) is Reason.NOT_HIMSELF

    @pytest.mark.parametrize(
        ("message", "expected"),
        [
            (b"tim\0secret", Reason.MALFORMED),
            (b"\0tim\0secret\0", Reason.MALFORMED),
            (b"\0t\0im\0secret", Reason.MALFORMED),
            (b"\0tim\0\xff", Reason.MALFORMED),
            (b"", Reason.MALFORMED),
            (b"\0\0secret", Reason.UNFIT),
            (b"\0tim\0", Reason.UNFIT),
            (b"\0" + b"t" * 256 + b"\0secret", Reason.UNFIT),
            (b"\0tim\0" + b"x" * 5000, Reason.TOO_LONG),
            (b"\0tim smith\0secret", Reason.UNFIT),
            (b"\0tim\r\nX: y\0secret", Reason.UNFIT),
        ],
    )
    def test_what_it_refuses(self, message: bytes, expected: Reason) -> None:
        assert reason(exchange("PLAIN").start(message)) is expected

    def test_a_secret_is_not_in_the_words(self) -> None:
        event = exchange("PLAIN").start(b"\0tim\0hunter2-hunter2")
        assert "hunter2" not in repr(event)
        failed = exchange("PLAIN").start(b"\0tim\0hunter2\x01")
        assert "hunter2" not in repr(failed)
        assert isinstance(failed, Failed)
        assert failed.authcid == "tim"


class TestLogin:
    def test_name_and_password_are_asked_for(self) -> None:
        login = exchange("LOGIN")
        assert login.start_line(None) == Challenge(b"Username:")
        assert login.receive_line("dGlt") == Challenge(b"Password:")
        assert login.receive_line("c2VjcmV0") == CheckPassword(authcid="tim", authzid="", password="secret")

    def test_the_name_may_come_with_the_command(self) -> None:
        login = exchange("LOGIN")
        assert login.start_line("dGlt") == Challenge(b"Password:")
        assert login.receive_line("c2VjcmV0") == CheckPassword(authcid="tim", authzid="", password="secret")

    def test_empty_and_endless_answers(self) -> None:
        login = exchange("LOGIN")
        login.start_line(None)
        login.receive_line("")
        assert reason(login.receive_line("c2VjcmV0")) is Reason.UNFIT
        assert reason(exchange("LOGIN").start(b"x" * 2000)) is Reason.TOO_LONG


class TestExternal:
    def test_the_certificate_is_asked_about(self) -> None:
        external = exchange("EXTERNAL")
        assert external.start_line("=") == CheckCertificate(authzid="")
        assert external.decide(TIM) == Proven(identity=TIM)

    def test_he_may_name_himself_only(self) -> None:
        for name, fine in ((b"tim@example.org", True), (b"eve@example.org", False)):
            external = exchange("EXTERNAL")
            external.start(name)
            event = external.decide(TIM)
            assert event == Proven(identity=TIM) if fine else reason(event) is Reason.NOT_HIMSELF

    def test_no_certificate(self) -> None:
        external = exchange("EXTERNAL")
        assert external.start_line(None) == Challenge(b"")
        external.receive(b"")
        assert reason(external.decide(None)) is Reason.WRONG


# RFC 7677 §3
USER_NONCE, OUR_NONCE = "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
USER = Identity(account="user")


def pencil() -> ScramVerifier:
    return make_verifier(USER, "pencil", SALT, 4096)


def in_the_middle(server: ScramServer, first: bytes = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO") -> ScramServer:
    assert server.start(first) == NeedVerifier(authcid="user", authzid="")
    server.give_verifier(pencil())
    return server


class TestScram:
    def test_the_example_of_rfc_7677_as_server(self) -> None:
        server = ScramServer(OUR_NONCE)
        assert server.start(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO") == NeedVerifier(authcid="user", authzid="")
        assert server.give_verifier(pencil()) == Challenge(SERVER_FIRST)
        assert server.receive(CLIENT_FINAL) == Challenge(SERVER_FINAL)
        assert server.receive(b"") == Proven(identity=USER)

    def test_the_example_of_rfc_7677_as_client(self) -> None:
        client = ScramClient("user", "pencil", USER_NONCE)
        assert client.start() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
        assert client.respond(SERVER_FIRST) == CLIENT_FINAL
        assert client.respond(SERVER_FINAL) == b""
        client.finish()

    def test_a_wrong_proof_and_a_decoy_end_alike(self) -> None:
        wrong = in_the_middle(ScramServer(OUR_NONCE)).receive(CLIENT_FINAL.replace(b"p=dH", b"p=dX"))
        unknown = ScramServer(OUR_NONCE)
        unknown.start(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
        unknown.give_verifier(pencil(), decoy=True)  # even with the right keys
        assert unknown.receive(CLIENT_FINAL) == wrong
        assert reason(wrong) is Reason.WRONG

    def test_a_decoy_is_the_same_each_time_and_depends_on_the_secret(self) -> None:
        one = decoy(b"s" * 32, "eve@example.org")
        assert one == decoy(b"s" * 32, "eve@example.org")
        assert one.salt != decoy(b"s" * 32, "eva@example.org").salt
        assert one.salt != decoy(b"t" * 32, "eve@example.org").salt
        assert (len(one.salt), one.iterations) == (16, make_verifier(TIM, "x", b"s" * 16).iterations)

    def test_names_with_comma_and_equals(self) -> None:
        client = ScramClient("a,b=c", "pencil", USER_NONCE)
        assert client.start() == b"n,,n=a=2Cb=3Dc,r=rOprNGfwEbeRWgbNEkqO"
        server = ScramServer(OUR_NONCE)
        assert server.start(client.start() or b"") == NeedVerifier(authcid="a,b=c", authzid="")

    @pytest.mark.parametrize(
        "first",
        [
            b"", b"n,,", b"n,n=user,r=abc", b"n,,n=,r=abc", b"n,,n=us=er,r=abc", b"n,,n=us=2cer,r=abc",
            b"n,,n=user,r=", b"n,,n=user,r=a b", b"n,,m=x,n=user,r=abc", b"x,,n=user,r=abc", b"p=,,n=user,r=abc",
            b"n,,n=us\0er,r=abc", b"n,,n=\xff,r=abc", b"n,,n=user,r=" + b"a" * 513, b"n,,n=user,r=abc," + b"x" * 5000,
            b"n,,n=user,r=abc,x", b"n,a,n=user,r=abc",
        ],
    )  # fmt: skip
    def test_first_messages_that_are_none(self, first: bytes) -> None:
        assert reason(ScramServer(OUR_NONCE).start(first)) is Reason.MALFORMED

    @pytest.mark.parametrize("first", [b"n,,n=user,r=abc,x=future,y=1", b"n,a=,n=user,r=abc"])
    def test_extensions_are_let_pass(self, first: bytes) -> None:
        assert ScramServer(OUR_NONCE).start(first) == NeedVerifier(authcid="user", authzid="")

    @pytest.mark.parametrize(
        ("final", "expected"),
        [
            (b"", Reason.MALFORMED),
            (CLIENT_FINAL.partition(b",p=")[0], Reason.MALFORMED),
            (CLIENT_FINAL.replace(b"k0,", b"k1,"), Reason.MALFORMED),
            (CLIENT_FINAL.replace(b"biws", b"biw"), Reason.MALFORMED),
            (CLIENT_FINAL.replace(b"biws", b"eSws"), Reason.CHANNEL),  # "y,,": not what it said first
            (CLIENT_FINAL.replace(b"p=dHzb", b"p="), Reason.WRONG),
        ],
    )
    def test_last_messages_that_do_not_fit(self, final: bytes, expected: Reason) -> None:
        assert reason(in_the_middle(ScramServer(OUR_NONCE)).receive(final)) is expected

    def test_a_fourth_message_is_not_taken(self) -> None:
        server = in_the_middle(ScramServer(OUR_NONCE))
        server.receive(CLIENT_FINAL)
        assert reason(server.receive(b"more")) is Reason.MALFORMED
        with pytest.raises(LocalProtocolError):
            server.receive(b"")


class TestChannelBinding:
    def test_both_ends_of_one_channel(self) -> None:
        client = ScramClient("user", "pencil", USER_NONCE, end_point=b"\x01" * 32, plus=True)
        server = ScramPlusServer(OUR_NONCE, b"\x01" * 32)
        server.start(client.start())
        first = server.give_verifier(pencil())
        assert isinstance(first, Challenge)
        last = server.receive(client.respond(first.data))
        assert isinstance(last, Challenge)
        assert server.receive(client.respond(last.data)) == Proven(identity=USER)
        client.finish()

    def test_somebody_between_has_another_certificate(self) -> None:
        client = ScramClient("user", "pencil", USER_NONCE, end_point=b"\x02" * 32, plus=True)
        server = ScramPlusServer(OUR_NONCE, b"\x01" * 32)
        server.start(client.start())
        first = server.give_verifier(pencil())
        assert isinstance(first, Challenge)
        assert reason(server.receive(client.respond(first.data))) is Reason.CHANNEL

    def test_the_offer_was_taken_away(self) -> None:
        """RFC 5802 §6: the client says "y", and the server that did offer -PLUS knows of the downgrade."""
        client = ScramClient("user", "pencil", USER_NONCE, end_point=b"\x01" * 32)
        assert (client.start() or b"").startswith(b"y,,")
        offered = server_exchange("SCRAM-SHA-256", CHANNEL, ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"))
        assert offered is not None
        assert reason(offered.start(client.start())) is Reason.CHANNEL
        honest = server_exchange("SCRAM-SHA-256", CHANNEL, ("SCRAM-SHA-256",))
        assert honest is not None
        assert isinstance(honest.start(client.start()), NeedVerifier)

    @pytest.mark.parametrize("header", [b"n,,", b"y,,", b"p=tls-unique,,", b"p=TLS-SERVER-END-POINT,,"])
    def test_plus_wants_the_binding_it_knows(self, header: bytes) -> None:
        server = ScramPlusServer(OUR_NONCE, b"\x01" * 32)
        assert reason(server.start(header + b"n=user,r=abc")) is Reason.CHANNEL

    def test_no_binding_without_plus(self) -> None:
        server = ScramServer(OUR_NONCE)
        assert reason(server.start(b"p=tls-server-end-point,,n=user,r=abc")) is Reason.CHANNEL


class TestScramClient:
    @pytest.mark.parametrize(
        "first",
        [
            b"r=other%hvY,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",  # not our nonce
            b"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",  # nothing of the server's
            SERVER_FIRST.replace(b"4096", b"4095"),
            SERVER_FIRST.replace(b"4096", b"9999999999"),
            b"nonsense",
        ],
    )
    def test_servers_it_does_not_answer(self, first: bytes) -> None:
        client = ScramClient("user", "pencil", USER_NONCE)
        client.start()
        with pytest.raises(RemoteProtocolError):
            client.respond(first)

    def test_a_server_without_the_verifier(self) -> None:
        client = ScramClient("user", "pencil", USER_NONCE)
        client.respond(SERVER_FIRST)
        with pytest.raises(RemoteProtocolError):
            client.respond(SERVER_FINAL.replace(b"v=6", b"v=7"))
        with pytest.raises(RemoteProtocolError):  # accepted without a proof at all
            client.finish()


class TestLines:
    @pytest.mark.parametrize("text", ["=", "A", "AA", "AA=", "AA==A", "AA ==", "A\0A=", "AB==", "ü", "====", "-_=="])
    def test_no_base64(self, text: str) -> None:
        assert reason(decode_line(text)) is Reason.MALFORMED  # type: ignore[arg-type]

    def test_limits_and_the_empty_one(self) -> None:
        assert decode_line("") == b""
        assert decode_line("A" * 12288) == b"\0" * 9216
        assert reason(decode_line("A" * 12292)) is Reason.TOO_LONG  # type: ignore[arg-type]

    @pytest.mark.parametrize("mechanism", MECHANISMS)
    def test_a_star_ends_it(self, mechanism: str) -> None:
        exchange_ = exchange(mechanism)
        exchange_.start_line(None)
        assert reason(exchange_.receive_line("*")) is Reason.CANCELLED
        assert exchange_.over

    def test_out_of_turn(self) -> None:
        plain = exchange("PLAIN")
        with pytest.raises(LocalProtocolError):
            plain.receive(b"")
        plain.start(None)
        with pytest.raises(LocalProtocolError):
            plain.decide(TIM)
        with pytest.raises(LocalProtocolError):
            plain.give_verifier(pencil())
        with pytest.raises(LocalProtocolError):
            plain.start(None)

    def test_what_is_not_offered_is_not_there(self) -> None:
        assert server_exchange("CRAM-MD5", CHANNEL, ("CRAM-MD5",)) is None
        assert server_exchange("LOGIN", CHANNEL, ("PLAIN",)) is None
