"""SRS: whatever is written comes back, and any text is an address of ours or one of our errors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import InputError
from gatepost.msgauth.srs import SLOTS, Srs, is_rewritten
from gatepost.wire.smtp.grammar import is_mailbox

NOW = 1_800_000_000.0
OURS = Srs((b"a secret of ours", b"an older one"))
LOCALS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), max_codepoint=0x2FFF), min_size=1, max_size=30
)
ADDRESSES = st.builds(lambda local, domain: f"{local}@{domain}", LOCALS, st.sampled_from(["x.example", "Y.Example"]))


@given(ADDRESSES.filter(is_mailbox), st.integers(0, 3 * SLOTS))
def test_what_is_rewritten_comes_back(sender: str, days: int) -> None:
    now = NOW + days * 86_400.0
    written = OURS.rewrite(sender, "ours.example", now)
    assert is_mailbox(written)
    assert is_rewritten(written)
    twice = OURS.rewrite(written, "ours.example", now)
    assert OURS.restore(twice, now) == written
    if not is_rewritten(sender):
        assert OURS.restore(written, now).removeprefix('"') in {sender.removeprefix('"'), sender}


@given(st.one_of(st.text(max_size=60), st.text(max_size=40).map(lambda text: f"SRS0={text}@ours.example"),
                 st.text(max_size=40).map(lambda text: f"srs1+{text}@ours.example")))  # fmt: skip
def test_any_text_is_an_address_of_ours_or_an_error(text: str) -> None:
    try:
        assert is_mailbox(OURS.restore(text, NOW))
    except InputError:
        pass
    try:
        assert is_mailbox(OURS.rewrite(text, "ours.example", NOW))
    except InputError:
        pass
