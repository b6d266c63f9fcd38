"""Any octets, whoever hands them in, give a verdict that the schema knows; the same octets the same verdict."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

import gatepost
from schemas import validator

ZONE = gatepost.ZoneResolver('example.org. TXT "v=spf1 -all"\n_dmarc.example.org. TXT "v=DMARC1; p=reject"\n')
FIELDS = st.sampled_from(
    ["From", "Date", "Received", "Reply-To", "To", "DKIM-Signature", "ARC-Seal", "Return-Path", "Content-Type", "X"]
)
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "a@example.org",
            '"b@x.example" <a@example.org>',
            "from a.example ([192.0.2.1]) by b.example with ESMTPS; Mon, 24 Nov 2025 16:00:00 +0000",
            "from ([IPv6:2001:db8::1]) by b; Mon, 24 Nov 9999 16:00:00 +0000",
            "v=1; a=rsa-sha256; d=example.org; s=s; h=from:to; bh=YQ==; b=YQ==; l=1; x=1",
            "i=1; cv=none; a=rsa-sha256; d=example.org; s=s; b=YQ==",
            "=?utf-8?b?AA==?= <>",
        ]
    ),
)
MESSAGES = st.one_of(
    st.binary(max_size=400),
    st.lists(st.tuples(FIELDS, VALUES), max_size=8).map(
        lambda pairs: "".join(f"{name}: {value}\n" for name, value in pairs).encode("utf-8", "surrogatepass") + b"\nx\n"
    ),
)
SESSIONS = st.builds(
    gatepost.Session,
    client_ip=st.sampled_from(["", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "127.0.0.1"]),
    ehlo_domain=st.text(max_size=30),
)


@settings(max_examples=150, deadline=None)
@given(MESSAGES, SESSIONS, st.one_of(st.none(), st.text(max_size=30)))
def test_any_octets_give_a_verdict(raw: bytes, session: gatepost.Session, mail_from: str | None) -> None:
    def inspect() -> str:
        found = gatepost.inspect_message_sync(raw, session=session, mail_from=mail_from, resolver=ZONE, now=1.8e9)
        return json.dumps(found.as_json())

    answer = inspect()
    validator("inspect").validate(json.loads(answer))
    assert inspect() == answer
