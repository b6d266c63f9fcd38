"""Word about a change: a mail, and JSON to a webhook.

In: changes of a domain. Out: how it went, a line for each way. A way that fails does not keep the others.
Standard: RFC 3834 (the mail is marked as automatic, and has the null reverse-path), RFC 5321.
Not here: what has changed (`audit.compare`), when people are told (`watcher`).
"""

from __future__ import annotations

import asyncio
import json
import smtplib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gatepost.errors import GatepostError, InputError
from gatepost.names import Body, Envelope, Recipient, Session
from gatepost.net.pages import PageFetcher
from gatepost.ports import Question, Resolver
from gatepost.server.notice import write_notice
from gatepost.server.settings import GateSettings
from gatepost.store.database import give_to_owner
from gatepost.store.spool.shard import SpoolShard, shard_path
from gatepost.store.spool.spooled import NewMessage

SHARD = 200  # of the spool, for alerts; reception has the lowest numbers, delivery the highest
PATIENCE = 30.0  # seconds for a mail server or a webhook
MAX_LINES = 200


class Alerts:
    """`pages` posts to the webhook."""

    def __init__(self, settings: GateSettings, resolver: Resolver, pages: PageFetcher) -> None:
        self._settings = settings
        self._resolver = resolver
        self._pages = pages

    async def tell(self, domain: str, changes: dict[str, Any], shown: str) -> list[str]:
        """How each way went: "mail to …" or "mail failed: …"."""
        told = []
        watch = self._settings.watch
        if watch.mail_to:
            told.append(await self._mail(watch.mail_to, domain, changes, shown))
        if watch.webhook:
            told.append(await self._post(domain, changes))
        return told

    async def _post(self, domain: str, changes: dict[str, Any]) -> str:
        body = json.dumps({"domain": domain, "at": time.time(), "changes": changes}).encode()
        headers = {"Content-Type": "application/json"}
        page = await self._pages.post(self._settings.watch.webhook, body, headers, deadline=PATIENCE)
        return f"webhook failed: {page.reason}" if page.reason else "webhook"

    async def _mail(self, to: Sequence[str], domain: str, changes: dict[str, Any], shown: str) -> str:
        try:
            if self._settings.watch.mail_server:
                place = await self._place(self._settings.watch.mail_server)
                await asyncio.to_thread(self._hand_over, place, to, domain, changes, shown)
            else:
                await asyncio.to_thread(self._spool, to, domain, changes, shown)
        except (GatepostError, OSError, smtplib.SMTPException) as error:
            return f"mail failed: {error}"
        return f"mail to {', '.join(to)}"

    def _spool(self, to: Sequence[str], domain: str, changes: dict[str, Any], shown: str) -> None:
        """Into a shard of our own: a running gate takes it from there, another one when it starts."""
        folder = Path(self._settings.store.folder) / "spool"
        shard = SpoolShard.open(folder, SHARD, self._settings.store.spool)
        try:
            now = time.time()
            number = shard.next_id(now)
            octets = self._octets(to, domain, changes, shown, number, now)
            envelope = Envelope(
                mail_from="",
                recipients=tuple(Recipient(address=one, notify=("NEVER",)) for one in to),
                body=Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT,
            )
            session = Session(protocol="LOCAL", received_at=now)
            reason = json.dumps({"notice": "watch", "about": domain})
            shard.add_many([NewMessage(id=number, envelope=envelope, session=session, body=octets, reason=reason)])
        finally:
            shard.close()
            for path in folder.glob(f"{shard_path(folder, SHARD).stem}*"):
                give_to_owner(path)

    def _hand_over(
        self, place: tuple[str, int], to: Sequence[str], domain: str, changes: dict[str, Any], shown: str
    ) -> None:
        now = time.time()
        octets = self._octets(to, domain, changes, shown, f"watch-{int(now * 1000)}", now)
        server = smtplib.SMTP(*place, local_hostname=self._settings.hostname, timeout=PATIENCE)
        try:
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls()
            server.sendmail("", list(to), octets)
            server.putcmd("quit")  # taken is taken, whatever is said to this
        finally:
            server.close()

    async def _place(self, text: str) -> tuple[str, int]:
        """Address and port of the named server, looked up by our resolver. Raises InputError."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise InputError("watch.mail_server", text, "write it as 192.0.2.1:25 or mail.example.org:25")
        host = host.strip("[]")
        if ":" in host or host.replace(".", "").isdecimal():
            return host, int(port)
        answers = await self._resolver.lookup_all([Question(host, "A"), Question(host, "AAAA")], PATIENCE)
        found = [name for answer in answers for name in answer.names]
        if not found:
            raise InputError("watch.mail_server", text, "its name has no address")
        return found[0], int(port)

    def _octets(
        self, to: Sequence[str], domain: str, changes: dict[str, Any], shown: str, number: str, now: float
    ) -> bytes:
        return write_notice(
            hostname=self._settings.hostname,
            to=to[0],
            subject=f"{domain} has changed: {summary(changes)}",
            lines=describe_changes(shown, changes),
            message_id=number,
            now=now,
        )


def summary(changes: dict[str, Any]) -> str:
    """A few words: the grade, how much is new."""
    old, new = changes["grade"]
    words = [f"grade {old} to {new}"] if old != new else []
    counts = ((len(changes["new"]), "new"), (len(changes["worse"]), "worse"), (len(changes["records"]), "records"))
    words += [f"{count} {word}" for count, word in counts if count]
    return ", ".join(words) or "findings are gone"


def describe_changes(shown: str, changes: dict[str, Any]) -> list[str]:
    """The changes in plain text, what to do first."""
    lines = [f"The watched domain {shown} is not as it was.", ""]
    for title, words in (("new", "New"), ("worse", "Worse than before")):
        for one in changes[title]:
            lines += [
                f"{words}: [{one['severity']}] {one['summary']}",
                f"  do:  {one['remedy']}",
                f"  see: {one['reference']}",
            ]
    for name, record in changes["records"].items():
        lines += [f"Record {name} has changed:", f"  was: {'; '.join(record['before']) or '(none)'}"]
        lines.append(f"  is:  {'; '.join(record['now']) or '(none)'}")
    lines += [f"Better: {one['summary']}" for one in changes["better"]]
    lines += [f"Gone: {one['summary']}" for one in changes["gone"]]
    lines += ["", f"The whole of it:  gatepost audit {shown}"]
    return [" ".join(line.splitlines()) for line in lines[:MAX_LINES]]
