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


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ('"two words"', '"two words"'),
        ('"a> SIZE=1"', '"a> SIZE=1"'),
        ("Joe.Doe", "Joe.Doe"),
        ('"a\\"b"', '"a\\"b"'),
        ('"a\\\\b"', '"a\\\\b"'),
        ('"plain"', "plain"),
        ('"dot..dot"', '"dot..dot"'),
        ("o'neill.x", "o'neill.x"),
        ("ünï", "ünï"),
    ],
)
@pytest.mark.parametrize("how", ["any", "call-forward"])
def test_an_address_for_the_next_hop_keeps_the_quotes_that_it_needs(written: str, kept: str, how: str) -> None:
    book = Recipients({"example.org": DomainSettings(recipients=how, route="smtp:127.0.0.1")}, "")  # type: ignore[arg-type]
    assert book.resolve(f"{written}@example.org").addresses == (f"{kept}@example.org",)


def test_catch_all_and_postmaster_may_be_aliases() -> None:
    settings = DomainSettings(accounts=("ann", "bob"), aliases={"desk": ("ann", "bob")}, catch_all="desk")
    book = Recipients({"example.org": settings}, "desk@example.org")
    assert book.resolve("ghost@example.org").addresses == ("ann@example.org", "bob@example.org")
    assert book.resolve("postmaster@example.org").addresses == ("ann@example.org", "bob@example.org")


def test_aliases_may_lead_elsewhere_and_a_copy_may_stay() -> None:
    aliases = {"ann": ("ann", "helper@Elsewhere.Example"), "team": ("ann", "bob"), "out": ("x@elsewhere.example",)}
    book = Recipients({"example.org": DomainSettings(accounts=("ann", "bob"), aliases=aliases)}, "")
    found = book.resolve("Ann+x@example.org")
    assert (found.addresses, found.alias) == (("ann@example.org", "helper@elsewhere.example"), "ann@example.org")
    team = book.resolve("team@example.org")
    assert team.addresses == ("ann@example.org", "helper@elsewhere.example", "bob@example.org")
    assert list(book.aliases.outside) == ["helper@elsewhere.example", "x@elsewhere.example"]
    assert book.owners("ann@example.org", aliases=False) == ("ann@example.org",)
    assert book.owners("out@example.org", aliases=False) == ()


def test_a_domain_may_be_another_one() -> None:
    domains = {
        "old.example": DomainSettings(catch_all="@new.example", accounts=("jo",)),
        "new.example": DomainSettings(accounts=("ann",), aliases={"all": ("ann", "x@elsewhere.example")}),
        "sold.example": DomainSettings(catch_all="@elsewhere.example"),
    }
    book = Recipients(domains, "")
    assert book.resolve("Ann@old.example").addresses == ("ann@new.example",)
    assert book.resolve("jo@old.example").addresses == ("jo@old.example",)
    assert book.resolve("all@old.example").addresses == ("ann@new.example", "x@elsewhere.example")
    assert book.resolve("nobody@old.example").found is Found.UNKNOWN
    assert book.resolve("a%b@sold.example").found is Found.ROUTED
    sold = book.resolve("zoe@sold.example")
    assert (sold.addresses, sold.alias) == (("zoe@elsewhere.example",), "zoe@sold.example")
    with pytest.raises(ConfigError, match="circle"):
        Recipients({**domains, "new.example": DomainSettings(catch_all="@old.example")}, "")


def test_a_catch_all_may_lead_elsewhere() -> None:
    book = Recipients({"example.org": DomainSettings(catch_all="x@elsewhere.example")}, "")
    found = book.resolve("whoever@example.org")
    assert (found.addresses, found.alias) == (("x@elsewhere.example",), "whoever@example.org")


def test_an_alias_has_its_limit() -> None:
    many = tuple(f"u{n}@elsewhere.example" for n in range(1000))
    book = Recipients({"example.org": DomainSettings(aliases={"all": many})}, "")
    assert len(book.resolve("all@example.org").addresses) == 1000
    for aliases in ({"all": (*many, "x@elsewhere.example")}, {"all": ("some", "some"), "some": many}):
        with pytest.raises(ConfigError, match="1000"):
            Recipients({"example.org": DomainSettings(aliases=aliases)}, "")


class Returns:
    """One address of ours that was rewritten."""

    domain = "srs.example"

    def restore(self, address: str, *, stale: bool = False) -> str | None:
        return {"SRS0=good": "joe@sender.example", "SRS0=home": "ann@example.org"}.get(address.partition("@")[0])


def test_bounces_of_forwarded_mail_find_their_way() -> None:
    book = Recipients({"example.org": DomainSettings(accounts=("ann",), catch_all="ann")}, "")
    assert book.resolve("SRS0=good@example.org").addresses == ("ann@example.org",)  # nothing is forwarded here
    book.returns = Returns()
    for domain in ("example.org", "srs.example"):
        found = book.resolve(f"SRS0=good@{domain}")
        assert (found.found, found.addresses) == (Found.RETURNED, ("joe@sender.example",))
        assert book.resolve(f"SRS0=forged@{domain}").found is Found.UNKNOWN
        assert book.resolve(f"SRS0=home@{domain}").addresses == ("ann@example.org",)
    assert book.resolve("ann@srs.example").found is Found.UNKNOWN
    assert book.resolve("SRS0=good@elsewhere.example").found is Found.NOT_OURS


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
        ({"a": ("a",)}, "no account"),
    ],
)
def test_an_alias_that_leads_nowhere_is_refused_at_start(aliases: dict[str, tuple[str, ...]], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Recipients({"example.org": DomainSettings(aliases=aliases)}, "")


# --- another directory


class Directory:
    """Knows what it is told; `old` only when asked for stale answers."""

    def __init__(self, known: dict[str, bool], old: dict[str, bool] | None = None) -> None:
        self._known, self._old = known, old or {}

    def known(self, address: str, *, stale: bool = False) -> bool | None:
        found = self._known.get(address)
        return self._old.get(address, found) if stale else found


def elsewhere(directory: Directory | None, **options: object) -> Recipients:
    domain = DomainSettings(aliases={"sales": ("ann",)}, **options)  # type: ignore[arg-type]
    book = Recipients({"example.org": domain}, "", elsewhere=True)
    book.directory = directory
    return book


def test_another_directory_is_asked_for_what_is_not_known() -> None:
    book = elsewhere(Directory({"ann@example.org": True, "no@example.org": False, "no+x@example.org": False}))
    assert book.resolve("Ann@Example.org").addresses == ("ann@example.org",)
    assert book.resolve("sales@example.org").addresses == ("ann@example.org",)
    assert book.resolve("no@example.org").found is Found.UNKNOWN
    assert book.resolve("no+x@example.org").found is Found.UNKNOWN
    assert book.resolve("a%b@example.org").found is Found.ROUTED
    asked = book.resolve("bob+lists@example.org")
    assert (asked.found, asked.candidates) == (Found.LOOK_UP, ("bob+lists@example.org", "bob@example.org"))
    assert asked.addresses == ("bob@example.org",)
    assert elsewhere(None).resolve("bob@example.org").found is Found.LOOK_UP


def test_who_was_accepted_stays_so_until_his_mail_is_kept() -> None:
    old = {"bob+x@example.org": False, "bob@example.org": True}
    book = elsewhere(Directory({}, old))
    assert book.resolve("bob+x@example.org").found is Found.LOOK_UP
    assert book.resolve("bob+x@example.org", stale=True).addresses == ("bob@example.org",)


def test_a_catch_all_gets_what_the_directory_does_not_know() -> None:
    book = elsewhere(Directory({"no@example.org": False}), catch_all="ann")
    assert book.resolve("no@example.org").addresses == ("ann@example.org",)
    assert book.resolve("who@example.org").found is Found.LOOK_UP


def test_accounts_come_and_go() -> None:
    book = Recipients({"example.org": LISTED, "other.example": DomainSettings(accounts=("ann",))}, "")
    assert book.resolve("zoe@example.org").found is Found.UNKNOWN
    book.learn_accounts(["zoe@example.org"])
    assert book.resolve("zoe@example.org").found is Found.HERE
    book.learn_accounts([])
    assert book.resolve("zoe@example.org").found is Found.UNKNOWN
    assert book.resolve("ann@example.org").found is Found.HERE
