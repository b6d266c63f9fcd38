"""Whatever a scanner answers: a value, and clean only for the one answer that says so."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from gatepost.net.clamd import read_reply
from gatepost.ports import ScanStatus

CLEAN = b"stream: OK\0"
PIECES = st.sampled_from([b"stream: ", b"OK", b"FOUND", b"ERROR", b"\0", b"\n", b" ", b"Eicar", b"size limit exceeded"])


@given(st.binary(max_size=200) | st.lists(PIECES, max_size=8).map(b"".join))
@example(CLEAN)
@example(CLEAN + CLEAN)
def test_any_reply(reply: bytes) -> None:
    scanned = read_reply(reply)
    assert (scanned.status is ScanStatus.CLEAN) is (reply == CLEAN)
    assert (scanned.status is ScanStatus.FOUND) is bool(scanned.names)
    assert (scanned.status is ScanStatus.ERROR) is bool(scanned.reason)
    assert all(name.isprintable() and " " not in name for name in scanned.names)
    assert scanned.reason.isprintable()
