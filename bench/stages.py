"""What one message of 10 KB costs the gate, stage by stage, in microseconds.

In: nothing (messages and their key are made here, DNS is a zone in memory). Out: a table: the least time of many runs
(other programs on the machine only ever add) and the first quartile. Run: python bench/stages.py [--runs 400] [--json]
Stages nest: `examine` is parsing and everything up to `decide`. Each run takes the next of 20 messages, so that only
what a gate keeps between messages (DNS answers, keys, records) is found warm. `smtp dialogue` is one message's part of
a session, on a transport that swallows. Not here: peers, sockets and disk (`smtp`, `spool`).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import time
from base64 import b64encode
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gatepost.config import parse_settings
from gatepost.dkim import sign_message
from gatepost.inspector import gather_facts, judge, read_path
from gatepost.inspector.examine import Ports
from gatepost.message.message import parse_message
from gatepost.msgauth import arc, dkim
from gatepost.msgauth.authenticate import authenticate
from gatepost.msgauth.iprev import check_iprev
from gatepost.msgauth.spf import check_ehlo, check_host
from gatepost.names import Envelope, Recipient, Session
from gatepost.net.zone import ZoneResolver
from gatepost.ports import Answer, Question
from gatepost.server.logs import Log
from gatepost.server.pipeline.examine import examine
from gatepost.server.pipeline.stamp import stamp
from gatepost.server.smtp.counters import CounterTable
from gatepost.server.smtp.gatekeeper import OpenDoor
from gatepost.server.smtp.protocol import SmtpProtocol
from gatepost.server.smtp.settings import SmtpSettings
from gatepost.server.smtp.site import Site
from gatepost.store.journal.entry import Entry, entry_row, write_findings
from gatepost.store.spool import NewMessage
from gatepost.store.spool.ids import IdSource, write_id
from gatepost.store.spool.rows import prepare

IP, EHLO, SENDER, OURS = "192.0.2.10", "mail.example.com", "sender@example.com", "mx.example.net"
NOW = time.time()
MESSAGES = 20
WORDS = ("the", "of", "and", "message", "server", "account", "report", "meeting", "please", "invoice", "quarterly")
ZONE = """
example.com. IN TXT "v=spf1 include:_spf.example.com ip4:198.51.100.0/24 mx -all"
_spf.example.com. IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
mail.example.com. IN A 192.0.2.10
mail.example.com. IN TXT "v=spf1 a -all"
sel._domainkey.example.com. IN TXT "v=DKIM1; k=rsa; p={}" "{}"
_dmarc.example.com. IN TXT "v=DMARC1; p=reject; rua=mailto:d@example.com"
10.2.0.192.in-addr.arpa. IN PTR mail.example.com.
"""
CONFIGURATION = f'hostname="{OURS}"\n[domains."example.net"]\naccounts=["user"]\nroute="discard"\n'
HEAD = """\
Received: from app1.example.com (app1.example.com [192.0.2.77])
\tby mail.example.com (Postfix) with ESMTPS id 4ABCDEF123
\tfor <user@example.net>; Tue, 24 Nov 2026 04:00:00 +0000 (UTC)
From: Example Sender <sender@example.com>
To: User <user@example.net>
Cc: Other <other@example.net>
Subject: Quarterly report and meeting schedule {0}
Date: Tue, 24 Nov 2026 04:00:00 +0000
Message-ID: <20261116100000.{0}@mail.example.com>
MIME-Version: 1.0
User-Agent: Mozilla Thunderbird
List-Unsubscribe: <https://www.example.com/unsubscribe?id=12345>
Content-Type: text/plain; charset=utf-8

"""


class Kept:
    """A resolver with warm answers, as a gate's is."""

    def __init__(self, zone: str) -> None:
        self._inner = ZoneResolver(zone)
        self._answers: dict[tuple[str, str], Answer] = {}

    async def lookup(self, name: str, rtype: str) -> Answer:
        answer = self._answers.get((name, rtype))
        if answer is None:
            answer = self._answers[name, rtype] = await self._inner.lookup(name, rtype)
        return answer

    async def lookup_all(self, questions: tuple[Question, ...], deadline: float) -> tuple[Answer, ...]:
        return tuple([await self.lookup(one.name, one.rtype) for one in questions])


class Nowhere(asyncio.Transport):
    """A transport that swallows what is written."""

    def write(self, data: bytes | bytearray | memoryview) -> None: ...
    def close(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


def make_mail() -> tuple[list[bytes], str]:
    """Signed messages of 11 KB, and the zone that vouches for them."""
    key = generate_private_key(65537, 2048)
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    source = random.Random(3)
    messages = []
    for number in range(MESSAGES):
        body = "\n".join(" ".join(source.choice(WORDS) for _ in range(9)) for _ in range(160))
        raw = (HEAD.format(number) + body + "\n").replace("\n", "\r\n").encode()
        messages.append(sign_message(raw, domain="example.com", selector="sel", key=key, now=NOW - 60))
    return messages, ZONE.format(public[:200], public[200:])


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that has nothing to wait for, without a loop's share of the time."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def stages() -> dict[str, Callable[[], object]]:
    """Each stage by its name, in the order of the work."""
    messages, zone = make_mail()
    dns = Kept(zone)
    settings = parse_settings(CONFIGURATION, Path("/nowhere"))
    session = Session(client_ip=IP, ehlo_domain=EHLO, protocol="ESMTP", received_at=NOW)
    envelope = Envelope(mail_from=SENDER, recipients=(Recipient(address="user@example.net"),))
    turn = itertools.cycle(messages)
    message = parse_message(messages[0])
    auth = run(authenticate(message, session, SENDER, dns, NOW))
    path = read_path(message, session, ())[1]
    facts = gather_facts(
        message, session=session, path=path, mail_from=SENDER, auth=auth, settings=settings.inspector, now=NOW,
        own_domains=("example.net",),
    )  # fmt: skip
    judgement = judge(facts)
    decision = judgement.decide()
    if decision.action.value != "accept" or auth.dmarc.result.value != "pass":
        raise SystemExit(f"the messages do not pass: {decision}")
    ids = IdSource(0, 0)
    log = Log("info", fd=os.open(os.devnull, os.O_WRONLY), stamp=True)
    line = {
        "id": "abcdefghijkl", "action": "accept", "score": "0", "by": None, "client": IP, "ehlo": EHLO, "tls": "none",
        "sender": f"<{SENDER}>", "to": "user@example.net", "size": 12000, "spf": "pass", "dkim": "pass",
        "dmarc": "pass", "arc": "none", "message_id": "<20261116100000.1@mail.example.com>", "reply": "250 2.0.0",
    }  # fmt: skip

    def full() -> object:
        ports = Ports(resolver=dns)
        parts: dict[str, Any] = {"msgauth": settings.msgauth, "inspector": settings.inspector}
        return run(
            examine(
                parse_message(next(turn)),
                session,
                envelope,
                ports=ports,
                now=NOW,
                own_domains=(),
                **parts,
            )
        )

    def journal() -> None:
        entry = Entry(at=NOW, client_ip=IP, findings=judgement.findings, recipients=("user@example.net",))
        entry_row(entry), write_findings(entry.findings)

    return {
        "smtp dialogue": dialogue(messages[0]),
        "parse_message": lambda: parse_message(next(turn)),
        "spf mail from": lambda: run(check_host(ip=IP, ehlo=EHLO, mail_from=SENDER, resolver=dns, now=NOW)),
        "spf ehlo": lambda: run(check_ehlo(ip=IP, ehlo=EHLO, resolver=dns, now=NOW)),
        "iprev": lambda: run(check_iprev(IP, dns)),
        "dkim and parse": lambda: run(dkim.verify(next(turn), resolver=dns, now=NOW)),
        "arc": lambda: run(arc.verify(dkim.Content(message), resolver=dns, now=NOW)),
        "authenticate and parse": lambda: run(authenticate(parse_message(next(turn)), session, SENDER, dns, NOW)),
        "judge": lambda: judge(facts),
        "decide": judgement.decide,
        "examine": full,
        "stamp": lambda: stamp(
            message, hostname=OURS, session=session, envelope=envelope, auth=auth, decision=decision,
            spool_id="abcdefghijkl", now=NOW,
        ),
        "spool row": lambda: prepare(
            NewMessage(id=write_id(ids.next(NOW)), envelope=envelope, session=session, body=messages[0]), inline=True
        ),
        "log line": lambda: log.info("message", **line),
        "journal row": journal,
    }  # fmt: skip


def dialogue(raw: bytes) -> Callable[[], object]:
    """One message's part of a session: MAIL, RCPT, DATA and the message, each in a piece of its own."""
    table = CounterTable(1)
    peers = {"peername": (IP, 2525), "sockname": ("192.0.2.1", 25)}
    commands = (b"MAIL FROM:<%b>\r\n" % SENDER.encode(), b"RCPT TO:<user@example.net>\r\n", b"DATA\r\n", raw + b".\r\n")

    async def session() -> Callable[[], object]:
        site = Site(
            hostname=OURS, settings=SmtpSettings(max_transactions=1_000_000_000), gatekeeper=OpenDoor(), tls=None,
            counters=table.column(0), protocols=set(), left=lambda: None,
        )  # fmt: skip
        protocol = SmtpProtocol(site)
        protocol.connection_made(Nowhere(peers))
        protocol.data_received(b"EHLO mail.example.com\r\n")

        def one() -> None:
            for command in commands:
                protocol.data_received(command)

        return one

    return asyncio.run(session())


def measure(stage: Callable[[], object], runs: int) -> tuple[float, float]:
    """The least time and the first quartile, in microseconds."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter_ns()
        stage()
        taken.append(time.perf_counter_ns() - start)
    taken.sort()
    return taken[0] / 1000, taken[runs // 4] / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = {name: measure(stage, arguments.runs) for name, stage in stages().items()}
    if arguments.json:
        print(json.dumps({name: round(least, 2) for name, (least, _) in found.items()}))
        return
    print(f"{'stage':24} {'least us':>9} {'quartile us':>12}")
    for name, (least, quartile) in found.items():
        print(f"{name:24} {least:9.1f} {quartile:12.1f}")


if __name__ == "__main__":
    main()
