"""Fuzzes ARC: mutated chains, never an exception; and whatever is there can be sealed.

python fuzz/arc.py --seconds 60
"""

from __future__ import annotations

from dkim import KEY, NOW, RAW, RECORD, Dns
from harness import main

from gatepost.message.header import parse_header
from gatepost.msgauth.arc import ArcResult, seal_message, verify


def validated(raw: bytes) -> ArcResult:
    coroutine = verify(raw, resolver=Dns(RECORD), now=NOW)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: ArcResult = stop.value
        return result
    raise AssertionError("validation waits for something that is no look-up")


def sealed(raw: bytes) -> bytes:
    return seal_message(
        raw,
        chain=validated(raw),
        results=b"mx.example; spf=pass (ok) smtp.mailfrom=a@b.example",
        domain="mx.example",
        selector="s",
        key=KEY,
        now=NOW,
    )


def target(data: bytes) -> None:
    before = validated(data)
    after = validated(sealed(data))
    if parse_header(data).defects or b"\r\n" not in data:
        return  # what is no proper message may be read otherwise with fields above it
    if before.result in {"none", "pass"} and before.instance < 50:
        assert after.result == "pass", (before, after)
    else:
        assert after.result != "pass", (before, after)


CORPUS = [RAW, sealed(RAW), sealed(sealed(RAW)), sealed(sealed(sealed(RAW)))]

if __name__ == "__main__":
    main(target, CORPUS)
