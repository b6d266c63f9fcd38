"""What we prepare and sign is verified by OpenDKIM, dkimpy and rspamd, with both algorithms."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neighbour import tool
from rspamd import Rspamd

from gatepost.audit.records import quote_text
from gatepost.config import parse_settings
from gatepost.msgauth.dkim.publish import key_name
from gatepost.server.signing.keyring import load_ring, read_states
from gatepost.server.signing.next_keys import make_next_keys
from gatepost.server.signing.signer import Signer
from gatepost.server.signing.upkeep import look_once
from gatepost.server.submission.bulk_settings import BulkSettings
from gatepost.server.submission.prepare import prepare
from gatepost.server.submission.unsubscribe import Unsubscribe
from running import NameServer
from txt_zone import TxtZone

BULK = BulkSettings(unsubscribe_url="https://example.org/l?{recipient}", unsubscribe_mailto="leave@example.org")
LETTERS = {
    "plain": b"From: Ann <ann@example.org>\r\nTo: b@example.net\r\nSubject: hello\r\n\r\nHello,\r\n\r\n  you. \r\n\r\n",
    "eight-bit": (
        "From: Ann <ann@example.org>\r\nTo: =?utf-8?q?B=C3=A4r?= <b@example.net>,\r\n\tc@example.net\r\n"
        "Bcc: d@example.net\r\nSubject:  Grüße   aus\r\n\tKöln\r\nX-Empty:\r\n\r\nGrüße\r\n.\r\nFrom here\r\n"
    ).encode(),
    "parts": (
        b"From: ann@example.org\r\nReferences: " + b" ".join(b"<%d@example.org>" % n for n in range(90)) + b"\r\n"
        b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=b\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa4\r\n"
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>" + b"x" * 3000 + b"\r\n--b--\r\n"
    ),
    "no-body": b"From: ann@example.org\r\n\r\n",
}


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, str]]:
    """The letters, signed by keys that went through a roll-over's first step; and the records by name."""
    folder, now = tmp_path_factory.mktemp("signing"), time.time()
    settings = parse_settings('[domains."example.org"]\n[store]\nfolder = "store"\n', folder)
    make_next_keys(settings, "example.org", now)
    records = {key_name(key.selector, key.domain): key.record for key in read_states(settings)}
    asyncio.run(look_once(settings, TxtZone({name: text.encode() for name, text in records.items()}), now))
    signer, way = Signer(settings.signing, load_ring(settings)), Unsubscribe(BULK)
    letters = {}
    for name, raw in LETTERS.items():
        done = prepare(
            raw, hostname="mx.example.org", now=now, unique=name, recipients=["b@example.net"], unsubscribe=way
        )
        letters[name] = signer.sign(done.raw, done.author_domain, now).raw
        assert letters[name].count(b"DKIM-Signature:") == 2
    return letters, records


def changed(raw: bytes) -> bytes:
    return raw.replace(b"\r\nList-Unsubscribe: <https://example.org/", b"\r\nList-Unsubscribe: <https://example.com/")


def test_opendkim_verifies_both(
    signed: tuple[dict[str, bytes], dict[str, str]], opendkim_program: str, tmp_path: Path
) -> None:
    letters, records = signed
    (tmp_path / "keys").write_text("".join(f"{name} {text}\n" for name, text in records.items()))
    config = tmp_path / "opendkim.conf"
    config.write_text(f"Mode v\nTestPublicKeys {tmp_path}/keys\nBackground no\nSyslog no\nAlwaysAddARHeader yes\n")

    def results(raw: bytes) -> str:
        (tmp_path / "mail").write_bytes(raw)
        command = [opendkim_program, "-x", str(config), "-t", str(tmp_path / "mail"), "-vv"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return " ".join((done.stdout + done.stderr).split())

    for name, raw in letters.items():
        found = results(raw)
        for algorithm in ("rsa", "ed25519"):
            assert f"header.a={algorithm}-sha256" in found, (name, found)
        assert found.count("dkim=pass") == 2, (name, found)
        assert "dkim=pass" not in results(changed(raw)), name


DKIMPY = """
import json, sys, dkim
records = json.load(open(sys.argv[1]))
def answer(name, timeout=5):
    return records[(name.decode() if isinstance(name, bytes) else name).rstrip(".")].encode()
for path in sys.argv[2:]:
    message = dkim.DKIM(open(path, "rb").read())
    print(json.dumps([message.verify(idx, dnsfunc=answer) for idx in (0, 1)]))
"""


def test_dkimpy_verifies_both(
    signed: tuple[dict[str, bytes], dict[str, str]], report_missing: Callable[[str], None], tmp_path: Path
) -> None:
    if not tool.found("/usr/bin/dkimverify") or not tool.found("/usr/lib/python3/dist-packages/nacl"):
        report_missing("dkimpy (python3-dkim, python3-nacl)")
    letters, records = signed
    (tmp_path / "records").write_text(json.dumps(records))
    (tmp_path / "verify.py").write_text(DKIMPY)
    every = [*letters.values(), *map(changed, letters.values())]
    paths = [tmp_path / f"{number}.eml" for number in range(len(every))]
    for path, raw in zip(paths, every, strict=True):
        path.write_bytes(raw)
    command = ["/usr/bin/python3", "-I", tmp_path / "verify.py", tmp_path / "records", *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found == [[True, True]] * len(letters) + [[False, False]] * len(letters), done.stderr


@pytest.fixture
def rspamd(signed: tuple[dict[str, bytes], dict[str, str]], report_missing: Callable[[str], None]) -> Iterator[Rspamd]:
    """An rspamd whose DNS shows our records."""
    if tool.found("rspamd") is None:
        report_missing("the program rspamd")
    lines = [". 300 IN SOA ns.test. root.test. 1 300 300 300 300"]
    lines += [f"{name}. 300 IN TXT {quote_text(text)}" for name, text in signed[1].items()]
    server = NameServer("\n".join(lines) + "\n")
    folder = Path(tempfile.mkdtemp(prefix="gatepost-rspamd-"))
    folder.chmod(0o755)
    started = None
    try:
        started = Rspamd(folder, server.port)
        yield started
    finally:
        if started is not None:
            started.stop()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_rspamd_verifies_both(signed: tuple[dict[str, bytes], dict[str, str]], rspamd: Rspamd) -> None:
    letters, records = signed
    for name, raw in letters.items():
        found = rspamd.symbols(raw)
        allowed = {option.partition(":s=")[2] for option in found.get("R_DKIM_ALLOW", {}).get("options", [])}
        assert allowed == {record.partition("._domainkey")[0] for record in records}, (name, found)
        assert "R_DKIM_ALLOW" not in rspamd.symbols(changed(raw)), name
