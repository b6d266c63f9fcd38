"""The `[lists]` table as an administrator writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.config import parse_settings
from gatepost.errors import ConfigError
from gatepost.reputation.known import resolve_lists

HERE = Path("/etc/gatepost")


def test_known_lists_need_their_names_only() -> None:
    settings = parse_settings('[lists]\nuse = ["zen", "dbl"]\nspamhaus_key = "abc"', HERE)
    assert [one.zone for one in resolve_lists(settings.lists)] == ["abc.zen.dq.spamhaus.net", "abc.dbl.dq.spamhaus.net"]


def test_a_list_of_ones_own() -> None:
    text = """
    [lists]
    use = ["our"]
    [lists.dns.our]
    kind = "ip"
    zone = "bl.example.org"
    mode = "watch"
    codes."127.0.0.2" = { meaning = "a botnet", weight = 3.0 }
    """
    (one,) = resolve_lists(parse_settings(text, HERE).lists)
    assert one.mode == "watch"
    assert one.codes[0][1].text == "a botnet"


@pytest.mark.parametrize(
    "text",
    [
        '[lists]\nuse = ["zne"]',
        '[lists.dns.our]\nkind = "ip"',
        '[lists.dns.our]\nkind = "ipp"\nzone = "bl.example"',
        '[lists.dns.our]\nkind = "ip"\nzone = "bl.example"\ncodes."127.0.0.2" = { wieght = 3.0 }',
        '[lists.dns.our]\nkind = "ip"\nzone = "bl.example"\ncodes."127.0.0.2" = { weight = inf }',
        "[lists]\nprobe_every = 0",
    ],
)
def test_mistakes_are_one_clear_line(text: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse_settings(text, HERE)
    assert told.value.field.startswith("lists")
