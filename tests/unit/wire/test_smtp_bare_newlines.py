"""CR or LF that stands alone is seen wherever it stands: on this hangs that no two servers read two messages in one."""

from __future__ import annotations

from itertools import product

import pytest

from gatepost.errors import RemoteProtocolError
from gatepost.wire.smtp.data import check_content, has_bare_newline
from gatepost.wire.smtp.settings import Limits


def stands_alone(octets: bytes) -> bool:
    """The rule, octet by octet."""
    for at, octet in enumerate(octets):
        if octet == 13 and octets[at + 1 : at + 2] != b"\n":
            return True
        if octet == 10 and (at == 0 or octets[at - 1] != 13):
            return True
    return False


def test_every_short_text_of_cr_lf_and_letters() -> None:
    for length in range(9):
        for text in product(b"\r\na", repeat=length):
            octets = bytes(text)
            assert has_bare_newline(octets) is stands_alone(octets), octets


@pytest.mark.parametrize("hidden", [b"\rx\n", b"a\rb\r\nc\n", b"\n\r", b"\r\r\n", b"\r\n\n", b"\r\n.\n", b"\n.\r\n"])
def test_alone_in_the_midst_of_a_long_message(hidden: bytes) -> None:
    line = b"a line of a message\r\n"
    with pytest.raises(RemoteProtocolError):
        check_content(line * 200 + hidden + line * 200, Limits())
