"""Which lists are asked: only those that `use` names, described by name or by hand; mistakes are told."""

from __future__ import annotations

import pytest

from gatepost.errors import ConfigError
from gatepost.reputation.dnslist import ListKind
from gatepost.reputation.known import KNOWN, resolve_lists
from gatepost.reputation.settings import CodeSettings, DnsListSettings, ListsSettings


def test_nothing_is_asked_that_was_not_asked_for() -> None:
    assert resolve_lists(ListsSettings()) == ()
    assert resolve_lists(ListsSettings(dns={"own": DnsListSettings(kind="ip", zone="bl.example")})) == ()


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_known_list_is_whole(name: str) -> None:
    (one,) = resolve_lists(ListsSettings(use=(name,), spamhaus_key="k"))
    assert one.mode == "on"
    assert one.zone
    assert one.codes or one.bits
    meanings = [*one.bits.values(), *(meaning for _, meaning in one.codes)]
    for meaning in meanings:
        assert meaning.text != "listed"
        assert (-4 <= meaning.weight < 0) if one.kind is ListKind.ALLOW else (0 < meaning.weight <= 4)
    assert one.test_listed or one.kind in (ListKind.HASH, ListKind.EMAIL)


def test_a_known_list_is_changed_where_that_is_said() -> None:
    changed = DnsListSettings(mode="watch", codes={"127.0.0.10-11": CodeSettings(meaning="dialup", weight=0.5)})
    (one,) = resolve_lists(ListsSettings(use=("zen",), dns={"zen": changed}))
    texts = [meaning.text for _, meaning in one.codes]
    assert one.mode == "watch"
    assert one.zone == "zen.spamhaus.org"
    assert "dialup" in texts
    assert len(texts) == 5


def test_modes() -> None:
    own = DnsListSettings(kind="ip", zone="bl.example", mode="off")
    assert resolve_lists(ListsSettings(use=("own",), dns={"own": own})) == ()
    (one,) = resolve_lists(ListsSettings(use=("psbl",), mode="watch"))
    assert one.mode == "watch"
    assert not one.counts


@pytest.mark.parametrize(
    ("use", "field"), [("zenn", "lists.use"), ("hbl-email", "lists.spamhaus_key"), ("hbl-file", "lists.spamhaus_key")]
)
def test_a_list_that_cannot_be_asked_is_told(use: str, field: str) -> None:
    with pytest.raises(ConfigError) as told:
        ListsSettings(use=(use,))
    assert told.value.field == field


def own_list(**more: object) -> DnsListSettings:
    return DnsListSettings(**{"kind": "ip", "zone": "bl.example", **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("own", "field"),
    [
        (own_list(kind=""), "kind"),
        (own_list(zone=""), "zone"),
        (own_list(zone="{key}.bl.example"), "key"),
        (own_list(zone="bl..example"), "zone"),
        (own_list(codes={"10.0.0.1": CodeSettings()}), "codes"),
        (own_list(codes={"127.0.0.9-3": CodeSettings()}), "codes"),
        (own_list(codes={"127.0.0.256": CodeSettings()}), "codes"),
        (own_list(codes={"3": CodeSettings()}, bitmask=True), "codes"),
        (own_list(refused=("x",)), "refused"),
    ],
)
def test_mistakes_are_told(own: DnsListSettings, field: str) -> None:
    with pytest.raises(ConfigError) as told:
        ListsSettings(dns={"own": own})
    assert told.value.field == f'lists.dns."own".{field}'


def test_the_nearest_name_is_told() -> None:
    with pytest.raises(ConfigError, match="did you mean 'zen'"):
        ListsSettings(use=("zem",))
    with pytest.raises(ConfigError, match="no address"):
        ListsSettings(own_addresses=("mail.example.org",))
