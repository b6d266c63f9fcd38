"""Fuzzes SASL: every mechanism's server and the clients, line by line; names and passwords.

What must hold: any octets give an event or our error; nothing is proven by guessing; a prepared text stays as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.errors import RemoteProtocolError
from gatepost.wire.sasl import (
    MECHANISMS,
    Challenge,
    Channel,
    CheckCertificate,
    CheckPassword,
    NeedVerifier,
    Proven,
    encode_line,
    server_exchange,
)
from gatepost.wire.sasl.prepare import Unfit, prepare_name, prepare_password
from gatepost.wire.sasl.scram_client import ScramClient
from gatepost.wire.sasl.scram_keys import decoy

CHANNEL = Channel(nonce="0123456789abcdefghij", end_point=b"\x01" * 32)
DECOY = decoy(b"secret", "x", 4096)
CORPUS = [
    b"\0tim\0tanstaaftanstaaf",
    b"Ursel\0Kurt\0xipj3plmq",
    b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO\nc=biws,r=rOprNGfwEbeRWgbNEkqO0123456789abcdefghij,p=dHzbZapWIk4jUhN+Ute9ytag\n",
    b"p=tls-server-end-point,a=x=2Cy,n=us=3Der,r=abc,x=y\nc=cD10bHMt,r=abc0123456789abcdefghij,x=y,p=AAAA\n\n",
    b"r=client%hvY,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096\nv=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=\n",
    b"e=invalid-proof",
    "JÜRGEN\uff21\u0308\u212a\u05d0\u0627\u0661\n\u200d\u2666\u00a0".encode(),
    b"tim\nsecret",
]


def target(data: bytes) -> None:
    lines = data.split(b"\n")
    for name in MECHANISMS:
        for raw in (False, True):
            exchange = server_exchange(name, CHANNEL, MECHANISMS)
            assert exchange is not None
            event = exchange.start_line(line(lines[0], raw))
            for response in lines[1:10]:
                match event:
                    case CheckPassword() | CheckCertificate():
                        event = exchange.decide(None)
                    case NeedVerifier():
                        event = exchange.give_verifier(DECOY)
                if not isinstance(event, Challenge):
                    break
                event = exchange.receive_line(line(response, raw))
            assert not isinstance(event, Proven)
    client = ScramClient("user", "pencil", "client")
    try:
        for challenge in lines[:4]:
            if b"i=" not in challenge or b"i=4096" in challenge:  # a server may ask for rounds that take their time
                client.respond(challenge)
        client.finish()
    except RemoteProtocolError:
        pass
    text = data.decode("utf-8", "surrogatepass" if len(data) % 2 else "replace") if is_text(data) else ""
    for prepare in (prepare_name, prepare_password):
        try:
            assert prepare(once := prepare(text[:300])) == once
        except Unfit:
            pass


def line(data: bytes, raw: bool) -> str:
    return data.decode("latin-1") if raw else encode_line(data)


def is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


if __name__ == "__main__":
    main(target, CORPUS)
