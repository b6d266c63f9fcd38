"""config.load: a good file gives settings; a bad one gives one line that names option, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.config import load_settings, parse_settings
from gatepost.errors import ConfigError

HERE = Path("/etc/gatepost")


def test_defaults_and_tables() -> None:
    settings = parse_settings('[store]\nfolder = "data"\n[domains."example.org"]\naccounts = ["ann"]\n', HERE)
    assert settings.store.folder == "/etc/gatepost/data"
    assert settings.domains["example.org"].accounts == ("ann",)
    assert settings.domains["example.org"].route == "maildir"


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("hostnam = 'a'", "hostnam", "did you mean 'hostname'"),
        ("[domains.'x.org']\nacounts=['a']", "domains.x.org.acounts", "did you mean 'accounts'"),
        ("[domains.'x.org']\nrecipients='maybe'", "domains.x.org.recipients", "'list'"),
        ("[server]\nworkers='many'", "server.workers", "integer"),
        ("hostname = 'a'\nfolder == 1", "gatepost.toml", "line 2"),
    ],
)
def test_a_bad_file_names_option_and_remedy(text: str, field: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, HERE)
    assert caught.value.field == field
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_binary_files_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gatepost init"):
        load_settings(tmp_path / "none.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_settings(tmp_path / "b.toml")
