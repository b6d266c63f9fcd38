"""server.recipients: which RCPT addresses are taken, and where their mail ends."""

from __future__ import annotations

import pytest

from gatepost.errors import ConfigError
from gatepost.server.recipients import Found, Recipients
from gatepost.server.settings import DomainSettings

LISTED = DomainSettings(
    accounts=("ann", "Bob", "c+d"), aliases={"sales": ("ann", "bob"), "all": ("sales", "ann@other.example")}
)
BOOK = Recipients(
    {
        "example.org": LISTED,
        "other.example": DomainSettings(accounts=("ann",)),
        "bücher.example": DomainSettings(accounts=("x",)),
    },
    "ann@example.org",
    accounts=["zoe@example.org"],
)


@pytest.mark.parametrize(
    ("address", "found", "addresses"),
    [
        ("ann@example.org", Found.HERE, ("ann@example.org",)),
        ("ANN@Example.ORG.", Found.HERE, ("ann@example.org",)),
        ("bob@example.org", Found.HERE, ("bob@example.org",)),
        ('"ann"@example.org', Found.HERE, ("ann@example.org",)),
        ("zoe@example.org", Found.HERE, ("zoe@example.org",)),
        ("ann+lists@example.org", Found.HERE, ("ann@example.org",)),
        ("c+d@example.org", Found.HERE, ("c+d@example.org",)),
        ("sales+x@example.org", Found.HERE, ("ann@example.org", "bob@example.org")),
        ("all@example.org", Found.HERE, ("ann@example.org", "bob@example.org", "ann@other.example")),
        ("x@xn--bcher-kva.example", Found.HERE, ("x@xn--bcher-kva.example",)),
        ("x@bücher.example", Found.HERE, ("x@xn--bcher-kva.example",)),
        ("nobody@example.org", Found.UNKNOWN, ()),
        ("+ann@example.org", Found.UNKNOWN, ()),
        ("ann@elsewhere.example", Found.NOT_OURS, ()),
        ("ann@[127.0.0.1]", Found.NOT_OURS, ()),
        ("ann%elsewhere.example@example.org", Found.ROUTED, ()),
        ("elsewhere.example!ann@example.org", Found.ROUTED, ()),
        ('"ann@elsewhere.example"@example.org', Found.ROUTED, ()),
        ("postmaster", Found.HERE, ("ann@example.org",)),
        ("POSTMASTER@other.example", Found.HERE, ("ann@example.org",)),
        ("postmaster@elsewhere.example", Found.NOT_OURS, ()),
    ],
)
def test_resolve(address: str, found: Found, addresses: tuple[str, ...]) -> None:
    resolution = BOOK.resolve(address)
    assert (resolution.found, resolution.addresses) == (found, addresses)


def test_postmaster_without_a_person_is_kept_all_the_same() -> None:
    book = Recipients({"example.org": DomainSettings()}, "")
    assert book.resolve("postmaster@example.org").addresses == ("postmaster@example.org",)


def test_modes() -> None:
    book = Recipients(
        {
            "ask.example": DomainSettings(recipients="call-forward"),
            "any.example": DomainSettings(recipients="any"),
            "all.example": DomainSettings(catch_all="box", accounts=("box",)),
        },
        "",
    )
    assert book.resolve("x@ask.example").found is Found.ASK
    assert book.resolve("X@any.example").addresses == ("x@any.example",)
    assert book.resolve("whoever@all.example").addresses == ("box@all.example",)
    assert book.resolve("a%b@any.example").found is Found.ROUTED


@pytest.mark.parametrize(
    ("aliases", "says"),
    [
        ({"a": ("b",), "b": ("a",)}, "circle"),
        ({"a": ("nobody",)}, "no account"),
        ({"a": ("x@elsewhere.example",)}, "not served"),
    ],
)
def test_an_alias_that_leads_nowhere_is_refused_at_start(aliases: dict[str, tuple[str, ...]], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Recipients({"example.org": DomainSettings(aliases=aliases)}, "")
