"""Word about changes: by a mail server that is named, by webhook; and what happens when nobody takes it."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from certificates import Made
from fakes import DictResolver
from gatepost.net.pages import PageFetcher
from gatepost.server.auditing.alerts import Alerts, describe_changes, summary
from gatepost.server.auditing.settings import DomainWatchSettings
from gatepost.server.auditing.watcher import Watcher
from gatepost.server.settings import GateSettings
from gatepost.store.audits import Audits

FINDING = {
    "code": "spf.ends-open",
    "severity": "danger",
    "weight": 40.0,
    "group": "spf",
    "summary": "The SPF record ends in +all\r\nBcc: everybody@example.org",
    "evidence": {},
    "remedy": "End it in -all.",
    "reference": "RFC 7208",
}
CHANGES: dict[str, Any] = {
    "grade": ["A", "F"],
    "new": [FINDING],
    "worse": [],
    "better": [],
    "gone": [],
    "records": {"txt": {"before": ["v=spf1 -all"], "now": ["v=spf1 +all"]}},
}


def test_words() -> None:
    assert summary(CHANGES) == "grade A to F, 1 new, 1 records"
    lines = describe_changes("example.org", CHANGES)
    assert "  do:  End it in -all." in lines
    assert not [line for line in lines if "\n" in line or "\r" in line]


def test_a_mail_server_that_is_named_gets_the_mail(tmp_path: Path) -> None:
    """Looked up by our resolver; the null sender; the subject cannot be broken by what a stranger published."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        in_data = False
        while line := await reader.readline():
            heard.append(line)
            if in_data:
                in_data = line != b".\r\n"
                writer.write(b"" if in_data else b"250 taken\r\n")
                continue
            in_data = line == b"data\r\n"
            writer.write(b"354 go\r\n" if in_data else b"221 bye\r\n" if line == b"quit\r\n" else b"250 ok\r\n")
        writer.close()

    async def run() -> list[str]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        watch = DomainWatchSettings(mail_to=("ann@example.org",), mail_server=f"mail.example.org:{port}")
        resolver = DictResolver({"mail.example.org": {"A": "127.0.0.1"}})
        settings = GateSettings(hostname="gate.example.org", watch=watch)
        try:
            return await Alerts(settings, resolver, PageFetcher(resolver)).tell("example.org", CHANGES, "example.org")
        finally:
            server.close()

    assert asyncio.run(run()) == ["mail to ann@example.org"], heard
    assert b"mail FROM:<>\r\n" in heard
    assert b"Subject: example.org has changed: grade A to F, 1 new, 1 records\r\n" in heard
    assert not [line for line in heard if line.lower().startswith(b"bcc:")]


def test_a_webhook_gets_json(tmp_path: Path) -> None:
    """Over HTTPS with a certificate that is known; with another one it fails with the reason."""
    asked = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = await reader.readuntil(b"\r\n\r\n")
        size = int(asked.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        asked += await reader.readexactly(size)
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    async def run(authority: str | None) -> list[str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*leaf.write(tmp_path, "leaf"))
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        resolver = DictResolver({"hook.example.org": {"A": "127.0.0.1"}})
        port = server.sockets[0].getsockname()[1]
        pages = PageFetcher(resolver, authority=authority, allowed=[ip_network("127.0.0.0/8")], port=port)
        settings = GateSettings(watch=DomainWatchSettings(webhook="https://hook.example.org/x"))
        try:
            return await Alerts(settings, resolver, pages).tell("example.org", CHANGES, "example.org")
        finally:
            server.close()

    root = Made(["root"], time.time(), authority=True)
    leaf = Made(["hook.example.org"], time.time(), by=root)
    (tmp_path / "ca.pem").write_bytes(root.pem)
    assert asyncio.run(run(str(tmp_path / "ca.pem"))) == ["webhook"]
    told = json.loads(asked.partition(b"\r\n\r\n")[2])
    assert (told["domain"], told["changes"]) == ("example.org", CHANGES)
    (failed,) = asyncio.run(run(None))
    assert failed.startswith("webhook failed: its certificate does not do")


class Deaf:
    """Alerts that reach nobody the first time."""

    def __init__(self) -> None:
        self.tried = 0

    async def tell(self, domain: str, changes: dict[str, Any], shown: str) -> list[str]:
        self.tried += 1
        return ["mail failed: refused"] if self.tried == 1 else ["mail to ann@example.org"]


def audit(letter: str, findings: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    areas = {"spf": {"letter": letter}}
    return {"domain": "example.org", "shown": "example.org", "grade": {"letter": letter}, "areas": areas,
            "findings": list(findings), "facts": {"records": {}, "unfinished": {}}}  # fmt: skip


def test_what_could_not_be_told_is_told_in_the_next_round(tmp_path: Path) -> None:
    answers = iter([audit("A"), audit("F", [FINDING]), audit("F", [FINDING]), audit("F", [FINDING])])

    async def next_answer(_: str) -> dict[str, Any]:
        return next(answers)

    async def rounds() -> list[tuple[str, ...]]:
        audits = Audits.open(tmp_path)
        watcher = Watcher(DomainWatchSettings(confirm_after=0), next_answer, audits, Deaf())  # type: ignore[arg-type]
        told = [one.told for _ in range(4) async for one in watcher.round(["example.org"])]
        audits.close()
        return told

    assert asyncio.run(rounds()) == [(), ("mail failed: refused",), ("mail to ann@example.org",), ()]


def test_a_change_that_has_gone_at_the_second_look_is_none(tmp_path: Path) -> None:
    """A name server stumbled."""
    answers = iter([audit("A"), audit("F", [FINDING]), audit("A")])

    async def next_answer(_: str) -> dict[str, Any]:
        return next(answers)

    async def rounds() -> list[tuple[str, ...]]:
        audits = Audits.open(tmp_path)
        settings = DomainWatchSettings(confirm_after=0.01)
        watcher = Watcher(settings, next_answer, audits, Deaf())  # type: ignore[arg-type]
        told = [one.told for _ in range(2) async for one in watcher.round(["example.org"])]
        audits.close()
        return told

    assert asyncio.run(rounds()) == [(), ()]
