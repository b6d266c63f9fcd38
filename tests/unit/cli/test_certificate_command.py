"""`gatepost certificate`: how certificates stand; clear lines for what cannot be done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost.cli.main import main
from gatepost.config import load_settings, parse_settings
from gatepost.errors import ConfigError
from gatepost.server.certificates.folder import CertificateFolder
from gatepost.server.certificates.state import CertificateState, write_state
from gatepost.server.plan import check_settings
from schemas import validator

ACME = """
[acme]
names = ["mail.example.org"]
agree_to_terms = true
[https]
listen = ["127.0.0.1:443"]
http_listen = ["127.0.0.1:80"]
"""


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A gate that `gatepost init` made."""
    assert main(["init", "example.org", "--folder", str(tmp_path)]) == 0
    capsys.readouterr()
    return tmp_path / "gatepost.toml"


def with_acme(config: Path) -> None:
    lines = config.read_text().splitlines()
    kept = [line for line in lines if not line.startswith(("certificate =", "key ="))]
    config.write_text("\n".join(kept) + ACME)


def show(capsys: pytest.CaptureFixture[str], config: Path, code: int = 0) -> dict[str, Any]:
    assert main(["certificate", "show", "--json", "-c", str(config)]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    validator("certificate-show").validate(found)
    return found


def test_one_that_somebody_else_keeps(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = show(capsys, config)
    assert (found["managed"], found["names"]) == (False, ["mail.example.org"])
    assert main(["certificate", "show", "-c", str(config)]) == 0
    assert f"TLSA     3 1 1 {found['key']}" in capsys.readouterr().out
    assert main(["certificate", "renew", "-c", str(config)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_one_of_our_own_before_the_first_and_in_trouble(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_acme(config)
    assert main(["certificate", "show", "-c", str(config)]) == 2
    assert "there is no certificate yet" in capsys.readouterr().err
    main(["serve", "--check", "-c", str(config)])
    assert "certificate: none yet; a self-signed one is made" in capsys.readouterr().out
    settings = load_settings(config)
    assert main(["certificate", "prepare", "-c", str(config)]) == 0
    printed = capsys.readouterr().out.splitlines()
    found = show(capsys, config)
    assert printed == [f"_25._tcp.mail.example.org. IN TLSA 3 1 1 {found[key]}" for key in ("key", "next_key")]
    assert main(["certificate", "prepare", "-c", str(config)]) == 0
    assert capsys.readouterr().out.splitlines() == printed
    assert (found["managed"], found["self_signed"]) == (True, True)
    folder = CertificateFolder(settings.store.folder)
    write_state(folder.path, CertificateState().failed("the authority says no", 1_795_526_000.0, 900.0))
    assert show(capsys, config, code=1)["error"] == "the authority says no"
    assert main(["certificate", "show", "-c", str(config)]) == 1
    assert "TROUBLE  the authority says no" in capsys.readouterr().out
    assert main(["certificate", "renew", "-c", str(config)]) == 2
    assert "no gate runs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("[acme]\nnames = ['mail.example.org']", "acme.agree_to_terms"),
        ("[acme]\nnames = ['mail.example.org']\nagree_to_terms = true", "https.http_listen"),
        ("[acme]\nnames = ['*.example.org']\nagree_to_terms = true", "dns-01"),
        ("[acme]\nnames = ['mail']\nagree_to_terms = true", "is no host's name"),
        ("[acme]\nnames = ['mail.example.org']\nagree_to_terms = true\nchallenge = 'dns-01'", "publish.server"),
        (ACME.replace("[acme]", "[acme]\ntlsa = 'publish'"), "publish.server"),
        (ACME.replace("[acme]", "[acme]\ndirectory = 'http://a.example/'"), "https://"),
        (ACME.replace("[acme]", "[acme]\nca_file = 'none.pem'"), "there is no such file"),
        (ACME.replace("[acme]", "[acme]\neab_kid = 'me'"), "eab_key_file"),
        ("[publish]\nserver = '127.0.0.1'", "publish.key_name"),
        ("[https]\nlisten = ['127.0.0.1:443']", "tls.certificate"),
    ],
)
def test_what_cannot_work_is_one_clear_line(tmp_path: Path, more: str, says: str) -> None:
    text = f'hostname = "mail.example.org"\n[domains."example.org"]\n{more}\n'
    with pytest.raises(ConfigError) as caught:
        check_settings(parse_settings(text, tmp_path))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_of_tls_beside_acme_are_refused(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text() + ACME)
    assert main(["serve", "--check", "-c", str(config)]) == 2
    assert "leave tls.certificate and tls.key out" in capsys.readouterr().out
