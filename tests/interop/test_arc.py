"""ARC seals of forwarded mail, as dkimpy and rspamd see them: one set, two, one on top of dkimpy's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from neighbour import tool
from rspamd import Rspamd

from forwarding import DNS, KEY, NAMES
from gatepost.arc import verify_sync
from gatepost.dkim import sign_message
from gatepost.msgauth.arc import ArcResult, ArcStatus, seal_message
from keys import key_record
from running import NameServer, mail
from txt_zone import TxtZone

NOW = 1_790_000_000.0
RECORDS = dict.fromkeys(NAMES, key_record(KEY).decode())
ZONE = TxtZone({name: text.encode() for name, text in RECORDS.items()})
PYTHON = "/usr/bin/python3"
DKIMPY = """
import json, sys, dkim
records = json.load(open(sys.argv[1]))
def answer(name, timeout=5):
    return records[(name.decode() if isinstance(name, bytes) else name).rstrip(".")].encode()
if sys.argv[2] == "sign":
    raw, key = open(sys.argv[3], "rb").read(), open(sys.argv[4], "rb").read()
    lines = dkim.arc_sign(raw, b"gp", b"one.example", key, b"one.example", timestamp=1790000000)
    sys.stdout.buffer.write(b"".join(lines) + raw)
else:
    for path in sys.argv[3:]:
        cv, _, reason = dkim.arc_verify(open(path, "rb").read(), dnsfunc=answer)
        print(json.dumps([cv.decode(), reason]))
"""


def seal(raw: bytes, domain: str) -> bytes:
    """As `Forwarding` seals, with the chain as it is found."""
    found = verify_sync(raw, resolver=ZONE, now=NOW)
    return seal_message(
        raw, chain=ArcResult(result=ArcStatus(found.result)), results=f"mx.{domain}; spf=pass; dkim=pass".encode(),
        domain=domain, selector="gp", key=KEY, now=NOW,
    )  # fmt: skip


def signed() -> bytes:
    return sign_message(mail("arc"), domain="sender.example", selector="gp", key=KEY, now=NOW)


def letters() -> dict[str, bytes]:
    one = seal(signed(), "fwd.example")
    return {"one": one, "two": seal(one, "two.example"), "changed": one.replace(b"Hello.", b"Bye.")}


class Dkimpy:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "records").write_text(json.dumps(RECORDS))
        (folder / "dkimpy.py").write_text(DKIMPY)

    def run(self, *arguments: str | Path) -> bytes:
        command = [PYTHON, "-I", self.folder / "dkimpy.py", self.folder / "records", *arguments]
        return subprocess.run(command, capture_output=True, timeout=60, check=True).stdout

    def verify(self, mails: dict[str, bytes]) -> dict[str, str]:
        paths = [self.folder / f"{name}.eml" for name in mails]
        for path, raw in zip(paths, mails.values(), strict=True):
            path.write_bytes(raw)
        found = [json.loads(line) for line in self.run("verify", *paths).splitlines()]
        return dict(zip(mails, (cv for cv, _ in found), strict=True))

    def sign(self, raw: bytes) -> bytes:
        (self.folder / "raw").write_bytes(raw)
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        (self.folder / "key").write_bytes(pem)
        return self.run("sign", self.folder / "raw", self.folder / "key")


@pytest.fixture
def dkimpy(report_missing: Callable[[str], None], tmp_path: Path) -> Dkimpy:
    if not tool.found("/usr/bin/dkimverify"):
        report_missing("dkimpy (python3-dkim)")
    return Dkimpy(tmp_path)


def test_dkimpy_agrees(dkimpy: Dkimpy) -> None:
    assert dkimpy.verify(letters()) == {"one": "pass", "two": "pass", "changed": "fail"}


def test_our_seal_on_top_of_dkimpys(dkimpy: Dkimpy) -> None:
    results = b"Authentication-Results: one.example; arc=none; dkim=pass header.d=sender.example\r\n"
    theirs = dkimpy.sign(results + signed())
    found = verify_sync(theirs, resolver=ZONE, now=NOW)
    assert (found.result, found.sealer) == ("pass", "one.example")
    assert dkimpy.verify({"both": seal(theirs, "fwd.example")}) == {"both": "pass"}


@pytest.fixture
def rspamd(report_missing: Callable[[str], None]) -> Iterator[Rspamd]:
    if tool.found("rspamd") is None:
        report_missing("the program rspamd")
    server = NameServer(DNS)
    folder = Path(tempfile.mkdtemp(prefix="gatepost-rspamd-"))
    folder.chmod(0o755)
    started = None
    try:
        started = Rspamd(folder, server.port, 'modules { path = "/usr/share/rspamd/plugins/arc.lua"; }\narc { }\n')
        yield started
    finally:
        if started is not None:
            started.stop()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_rspamd_agrees(rspamd: Rspamd) -> None:
    for name, raw in letters().items():
        found = {symbol for symbol in rspamd.symbols(raw) if symbol.startswith("ARC_")}
        assert found == ({"ARC_REJECT"} if name == "changed" else {"ARC_ALLOW"}), name
