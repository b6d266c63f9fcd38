"""What the configuration says of senders, people and places: read, anchored, and refused with the option's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.config import parse_settings
from gatepost.errors import ConfigError
from gatepost.server.plan import check_settings
from mmdb import write_mmdb

TEXT = """
[domains."example.org"]
accounts = ["ann"]
[inspector]
partner_domains = ["partner.example"]
memory_days = 3.5
unexpected_countries = ["KP"]
[inspector.people]
"Ann Miller" = ["ann@example.org", "ann@home.example"]
[store]
folder = "store"
[store.history]
enabled = true
days = 100
reference_days = 5
max_rows = 1000
[geo]
file = "country.mmdb"
"""


def test_the_tables_are_read_and_paths_anchored(tmp_path: Path) -> None:
    settings = parse_settings(TEXT, tmp_path)
    assert settings.inspector.people == {"Ann Miller": ("ann@example.org", "ann@home.example")}
    assert settings.inspector.memory_days == 3.5
    assert (settings.store.history.days, settings.store.history.max_rows) == (100, 1000)
    assert settings.geo.file == str(tmp_path / "country.mmdb")
    assert settings.geo.network_file == ""


def test_a_file_of_places_must_be_one_before_the_gate_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"geo\.file: .*country\.mmdb: cannot be read"):
        check_settings(parse_settings(TEXT, tmp_path))
    (tmp_path / "country.mmdb").write_bytes(write_mmdb({"192.0.2.0/24": {"country": "DE"}}))
    assert check_settings(parse_settings(TEXT, tmp_path)).accounts == ("ann@example.org",)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"ann@home.example"', '"ann"', r'inspector\.people\."Ann Miller".*ann: is no address'),
        ('["KP"]', '["Korea"]', r"inspector\.unexpected_countries.*Korea"),
        ("memory_days = 3.5", "memory_days = -1", r"inspector\.memory_days.*-1.*0 to"),
        ("days = 100", "days = -1", r"store\.history\.days.*-1.*0 to"),
        ("max_rows = 1000", "max_rows = -1", r"store\.history\.max_rows.*-1.*0 to"),
        ("[geo]\nfile", "[geo]\nfil", r"geo\.fil.*did you mean 'file'"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_settings(TEXT.replace(old, new), tmp_path)
