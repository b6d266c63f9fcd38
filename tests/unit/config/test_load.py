"""config.load: a good file gives settings; a bad one gives one line that names option, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.config import load_settings, parse_settings
from gatepost.config.bounds import BOUNDS, numbers
from gatepost.errors import ConfigError
from gatepost.inspector.settings import InspectorSettings
from gatepost.reputation.settings import CodeSettings, DnsListSettings

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


@pytest.mark.parametrize(
    "line",
    [
        "[server]\nworkers = -1",
        "[server]\nworkers = 65",
        "[server]\nstop_timeout = nan",
        "[smtp]\ntls_timeout = 0",
        "[smtp]\ncommand_timeout = -5.0",
        "[smtp]\nmax_recipients = 0",
        "[smtp.limits]\nmessage = -1",
        "[smtp.limits]\nmessage = 99999999999999999999999",
        "[dns]\nin_flight = -1",
        "[dns]\ntimeout = inf",
        "[relay]\ndeadline = nan",
        "[store.spool]\nbusy_seconds = 1e400",
        "[delivery]\nmaildir_batch = 0",
        "[delivery.client.limits]\nreply_line = 1",
        "[inspector]\ngroup_caps = { path = nan }",
    ],
)
def test_a_number_that_would_break_the_gate_is_refused_with_its_range(line: str) -> None:
    with pytest.raises(ConfigError, match="give a number from") as caught:
        parse_settings(line, HERE)
    assert caught.value.field.rpartition(".")[2].strip('"') in line


def test_every_option_that_is_a_number_has_bounds_and_a_default_within_them() -> None:
    settings = parse_settings('[domains."example.org"]', HERE)
    found = {(kind, name) for _, kind, name, _ in numbers(settings)}
    assert {(kind, name) for kind, names in BOUNDS.items() for name in names} ^ found == {
        (InspectorSettings, "weights"),  # empty by default
        (DnsListSettings, "weight"),
        (CodeSettings, "weight"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 100_000,
        "x = " + "{a=" * 5000 + "1" + "}" * 5000,
        "x = " + "9" * 5000,
        "\0",
        "a." * 3000 + "b = 1",
    ],
)
def test_hostile_toml_is_one_clear_line(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, HERE)
    assert len(str(caught.value)) < 1000
