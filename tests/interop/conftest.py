"""Fixtures that bring the neighbours: each starts on loopback with private folders and is stopped by process id.

A neighbour that is not there skips by name (`make test` brings it where it may), or fails with CI=true.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from dovecot import Dovecot
from neighbour import can_lay_over, tool
from postfix import Postfix

Missing = Callable[[str], None]


def _program(name: str, missing: Missing) -> str:
    path = tool.found(name)
    if path is None:
        missing(f"the program {name}")
        raise AssertionError("missing() does not return")
    return str(path)


def _unpacked(name: str, missing: Missing) -> Path:
    folder = tool.unpacked(name)
    if folder is None or tool.accounts_missing(name):
        missing(f"the unpacked neighbour {name} (tools/neighbours.py)")
    elif not can_lay_over(folder):
        missing(f"the right to mount an overlay, for the neighbour {name}")
    return Path(folder)


@pytest.fixture(scope="session")
def unpack(report_missing: Missing) -> Callable[[str], Path]:
    """`unpack("exim")`: the folder of an unpacked neighbour, for tests that start several kinds of them."""
    return lambda name: _unpacked(name, report_missing)


@pytest.fixture(scope="session")
def swaks(report_missing: Missing) -> str:
    """The path of swaks, a talkative SMTP client."""
    return _program("swaks", report_missing)


@pytest.fixture(scope="session")
def curl(report_missing: Missing) -> str:
    """The path of curl."""
    return _program("curl", report_missing)


@pytest.fixture(scope="session")
def gsasl(report_missing: Missing) -> str:
    """The path of gsasl, GNU's client and server of SASL."""
    return _program("gsasl", report_missing)


@pytest.fixture(scope="session")
def postsrsd_program(report_missing: Missing) -> str:
    """postsrsd's path."""
    return _program("postsrsd", report_missing)


@pytest.fixture(scope="session")
def openssl(report_missing: Missing) -> str:
    """The path of openssl."""
    return _program("openssl", report_missing)


@pytest.fixture(scope="session")
def opendkim_testmsg(report_missing: Missing) -> str:
    """The path of opendkim-testmsg, which signs a message on its standard input."""
    return _program("opendkim-testmsg", report_missing)


@pytest.fixture(scope="session")
def opendkim_program(report_missing: Missing) -> str:
    """The path of opendkim, the milter."""
    return _program("opendkim", report_missing)


@pytest.fixture
def certificate(openssl: str, tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command = [openssl, "req", "-x509", *new_key, "-keyout", key, "-out", cert, "-days", "2", *subject]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


def _open_folder(name: str) -> Path:
    """A folder that the neighbour's own users can reach; pytest's folders are closed to all but ours."""
    folder = Path(tempfile.mkdtemp(prefix=f"gatepost-{name}-"))
    folder.chmod(0o755)
    return folder


def _stop_all(started: Sequence[Postfix | Dovecot]) -> None:
    for one in started:
        one.stop()
        shutil.rmtree(one.folder, ignore_errors=True)


@pytest.fixture
def postfix(report_missing: Missing) -> Iterator[Callable[..., Postfix]]:
    """Starts a Postfix with the main.cf settings given: `postfix({"relayhost": "[127.0.0.1]:2525"})`."""
    unpacked = _unpacked("postfix", report_missing)
    started: list[Postfix] = []

    def start(settings: dict[str, str] | None = None, services: str = "") -> Postfix:
        started.append(Postfix(unpacked, _open_folder("postfix"), settings, services))
        return started[-1]

    yield start
    _stop_all(started)


@pytest.fixture
def dovecot(report_missing: Missing) -> Iterator[Callable[..., Dovecot]]:
    """Starts a Dovecot: `dovecot()` or `dovecot(extra_configuration)`."""
    unpacked = _unpacked("dovecot", report_missing)
    started: list[Dovecot] = []

    def start(extra: str = "") -> Dovecot:
        started.append(Dovecot(unpacked, _open_folder("dovecot"), extra))
        return started[-1]

    yield start
    _stop_all(started)
