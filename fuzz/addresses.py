"""Fuzzes address lists and single addresses."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.message.addr_spec import Strictness, parse_addr_spec
from gatepost.message.addresses import parse_addresses

CORPUS = [
    b'Jo "Q." Doe <jo@b.example>, Team: a@b, <@r,@s:c@d>;, e@f (Name), "x y"@[IPv6:2001:db8::1]',
    b"=?utf-8?q?J=C3=B6?= <j@x> (a (b) c), a . b @ c . d; <p@q",
    b'(c)"a\\"b"@(d)e.f(g)',
    b"test@[192.0.2.1]",
    "jörg@büro.example".encode(),
]


def target(data: bytes) -> None:
    found = parse_addresses(data)
    assert len(found.addresses) <= len(found.mailboxes)
    for box in found.mailboxes:
        assert box.address or "no-address" in box.defects
    text = data.decode("utf-8", "replace")
    for smtputf8 in (False, True):
        checked = parse_addr_spec(text, smtputf8=smtputf8)
        assert (checked.addr_spec is None) == (checked.strictness is Strictness.INVALID)
        if checked.addr_spec is not None and checked.strictness <= Strictness.SMTP:
            again = parse_addr_spec(str(checked.addr_spec), smtputf8=smtputf8)
            assert again.addr_spec == checked.addr_spec, (text, again)
            assert [box.addr_spec for box in parse_addresses(text).mailboxes] == [checked.addr_spec]


if __name__ == "__main__":
    main(target, CORPUS)
