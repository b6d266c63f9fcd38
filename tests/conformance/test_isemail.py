"""isemail's 164 addresses: each reads as valid, unusual, obsolete or invalid just as that suite says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from gatepost.message.addr_spec import Strictness, parse_addr_spec

CATEGORIES = {
    "ISEMAIL_VALID_CATEGORY": Strictness.VALID,
    "ISEMAIL_DNSWARN": Strictness.VALID,  # what DNS says is none of a parser's business
    "ISEMAIL_RFC5321": Strictness.SMTP,
    "ISEMAIL_CFWS": Strictness.MESSAGE,
    "ISEMAIL_DEPREC": Strictness.OBSOLETE,
    "ISEMAIL_RFC5322": Strictness.BROAD,
    "ISEMAIL_ERR": Strictness.INVALID,
}
DISPUTED = {
    # isemail tells test@io (valid) from test@org (unusual) by asking DNS for an MX record; we never do.
    "5": Strictness.SMTP,
}


def as_written(text: str) -> str:
    """The suite writes control characters as their pictures (U+2400 to U+2420)."""
    return "".join(chr(ord(c) - 0x2400) if 0x2400 <= ord(c) <= 0x2420 else c for c in text)


@pytest.mark.suite("isemail")
def test_every_address_has_the_suites_category(suites: Path) -> None:
    tree = ElementTree.parse(suites / "email-address" / "isemail" / "tests.xml")
    cases = list(tree.getroot().iter("test"))
    assert len(cases) == 164
    wrong = []
    for case in cases:
        address = as_written(case.findtext("address") or "")
        expected = DISPUTED.get(case.get("id", ""), CATEGORIES[case.findtext("category", "")])
        checked = parse_addr_spec(address)
        if checked.strictness is not expected or (checked.addr_spec is None) != (expected is Strictness.INVALID):
            wrong.append((case.get("id"), address, expected, checked))
    assert not wrong
