"""Names that are made to be taken for others, and those that merely are near."""

from __future__ import annotations

import pytest

from gatepost.inspector.links.host import parse_host
from gatepost.inspector.links.lookalike import (
    How,
    Protected,
    loose_skeleton,
    skeleton,
)
from gatepost.inspector.links.scripts import mixes_scripts, passes_for_latin, scripts_of

NAMES = Protected(["example-bank.org", "müller-söhne.de"])


@pytest.mark.parametrize(
    ("host", "imitated", "how"),
    [
        ("paypa1.com", "paypal.com", How.CHARACTERS),
        ("www.paypaI.com", "paypal.com", How.CHARACTERS),
        ("rnicrosoft.com", "microsoft.com", How.CHARACTERS),
        ("faceb00k.com", "facebook.com", How.CHARACTERS),
        ("xn--80ak6aa92e.com", "apple.com", How.LETTERS),
        ("pаypal.com", "paypal.com", How.LETTERS),
        ("paypal.com.evil.example", "paypal.com", How.EMBEDDED),
        ("login.example-bank.org.evil.example", "login.example-bank.org", How.EMBEDDED),
        ("paypal-com-verify.evil.example", "paypal.com", How.EMBEDDED),
        ("example-banc.org", "example-bank.org", How.TYPO),
        ("examplebank.org", "example-bank.org", How.TYPO),
        ("micorsoft.com", "microsoft.com", How.TYPO),
        ("paypal.top", "paypal.com", How.SUFFIX),
        ("paypal-secure.example", "paypal.com", How.PART),
        ("microsoft.evil.example", "microsoft.com", How.PART),
    ],
)
def test_a_likeness_is_seen(host: str, imitated: str, how: How) -> None:
    likeness = NAMES.likeness(parse_host(host).ascii)
    assert likeness is not None
    assert (likeness.imitated, likeness.how) == (imitated, how)


@pytest.mark.parametrize(
    "host",
    [
        *("www.paypal.com", "amazon.de", "google.co.uk", "login.microsoftonline.com", "ebay.hu", "example-bank.org"),
        *("mail.example-bank.org", "purchase.com", "applebees.com", "maple.com", "twitter.com", "amazone.com"),
        *("chase.org", "localhost", "192.0.2.1", "müller-söhne.de", "orangé.example", "pineapple.example"),
    ],
)
def test_the_true_names_and_chance_neighbours_are_not(host: str) -> None:
    assert NAMES.likeness(parse_host(host).ascii) is None


def test_skeletons_and_scripts() -> None:
    assert skeleton("раураl") == "paypal"
    assert skeleton("café") == "cafe"
    assert loose_skeleton("rnicr0s0ft") == loose_skeleton("microsoft")
    assert scripts_of("東京abc") == {"CJK", "LATIN"}
    assert mixes_scripts("pаypal")
    assert not mixes_scripts("東京abc")
    assert not mixes_scripts("café")
    assert passes_for_latin("аррӏе")
    assert not passes_for_latin("москва")
    assert not passes_for_latin("apple")


def test_without_the_shipped_names_only_ones_own_are_looked_at() -> None:
    assert Protected(["example-bank.org"], shipped=False).likeness("paypa1.com") is None
