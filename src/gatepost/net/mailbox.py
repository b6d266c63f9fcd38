"""A mailbox on a server, looked into over IMAP or POP3.

In: server, account, the words to look for in Message-IDs. Out: the mails that have them, with their folder.
Standard: RFC 9051 (and RFC 3501 servers), RFC 1939, RFC 8314 (TLS from the first octet at 993 and 995, STARTTLS at
other ports; on loopback also without). The mail stays there, unread. Not here: what was to be found (`audit.probe`).
"""

from __future__ import annotations

import asyncio
import imaplib
import poplib
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from gatepost.errors import InputError
from gatepost.net.tls import client_context
from gatepost.ports.mailbox import Found

MAX_MAIL = 1 << 20  # octets read of one mail
MAX_FOLDERS, MAX_NEWEST = 40, 60  # folders looked into; mails of a POP3 mailbox, newest first
TIMEOUT = 20.0  # seconds for one answer
PAUSE = 1.0  # seconds between two looks
_FOLDER = re.compile(rb'\((?P<flags>[^)]*)\) (?:"[^"]*"|NIL) (?P<name>.+)')
_SAFE = re.compile(r"[A-Za-z0-9.@_-]+")
# Where a mail lies tells what the server thought of it, so these are looked into first.
_LIKELY = ("INBOX", "JUNK", "SPAM", "QUARANTINE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where to look. `server` is host or host:port; `authority` a PEM file that vouches for it."""

    server: str
    protocol: Literal["imap", "pop3"]
    user: str
    password: str
    authority: str | None = None


class RemoteMailbox:
    """`ports.Mailbox` over the network. Many may look at once: one connection at a time looks for all of them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._wanted: dict[str, asyncio.Future[Found]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def find(self, marks: Sequence[str], seconds: float) -> dict[str, Found]:
        """See `ports.Mailbox`."""
        loop = asyncio.get_running_loop()
        for mark in marks:
            if _SAFE.fullmatch(mark):
                self._wanted.setdefault(mark, loop.create_future())
        mine = {mark: self._wanted[mark] for mark in marks if mark in self._wanted}
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._keep_looking())
        try:
            if mine:
                await asyncio.wait(mine.values(), timeout=seconds)
        finally:
            for mark in mine:
                self._wanted.pop(mark, None)
        return {mark: future.result() for mark, future in mine.items() if future.done() and not future.cancelled()}

    async def _keep_looking(self) -> None:
        """Until nobody waits any more; trouble is told to everybody who does."""
        while self._wanted:
            missing = [mark for mark, future in self._wanted.items() if not future.done()]
            if missing:
                try:
                    found = await asyncio.to_thread(self._look, missing)
                except InputError as error:
                    for future in self._wanted.values():
                        if not future.done():
                            future.set_exception(error)
                    return
                for mark, mail in found.items():
                    waiting = self._wanted.get(mark)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(mail)
            await asyncio.sleep(PAUSE)

    def _look(self, marks: Sequence[str]) -> dict[str, Found]:
        account = self._account
        try:
            return self._look_imap(marks) if account.protocol == "imap" else self._look_pop3(marks)
        except (imaplib.IMAP4.error, poplib.error_proto) as error:
            raise InputError(f"--{account.protocol}", account.server, f"mailbox of {account.user}: {error}") from None
        except (OSError, ValueError) as error:
            raise InputError(f"--{account.protocol}", account.server, f"cannot be reached: {error}") from None

    def _address(self, usual: int) -> tuple[str, int]:
        host, _, port = (
            self._account.server.rpartition(":")
            if self._account.server.count(":") == 1
            else (self._account.server, "", "")
        )
        return host.strip("[]"), int(port) if port else usual

    def _context(self, host: str) -> ssl.SSLContext:
        return client_context(verified=not _is_loopback(host), authority=self._account.authority)

    def _look_imap(self, marks: Sequence[str]) -> dict[str, Found]:
        host, port = self._address(993)
        context = self._context(host)
        if port == 993:
            client: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=TIMEOUT)
        else:
            client = imaplib.IMAP4(host, port, timeout=TIMEOUT)
            if "STARTTLS" in client.capabilities:
                client.starttls(context)
            elif not _is_loopback(host):
                raise ValueError("it offers no TLS, and the password is not sent in the clear")
        try:
            client.login(self._account.user, self._account.password)
            return self._search(client, marks)
        finally:
            client.shutdown()

    def _search(self, client: imaplib.IMAP4, marks: Sequence[str]) -> dict[str, Found]:
        found: dict[str, Found] = {}
        for folder in _folders(client):
            missing = [mark for mark in marks if mark not in found]
            if not missing:
                break
            if client.select(folder, readonly=True)[0] != "OK":
                continue
            for mark in missing:
                _, numbers = client.uid("SEARCH", "HEADER", "Message-ID", f'"{mark}@"')
                last = (numbers[0] or b"").split()[-1:]
                raw = _fetch(client, last[0].decode()) if last else b""
                if raw:
                    found[mark] = Found(folder=folder.strip('"'), raw=raw)
        return found

    def _look_pop3(self, marks: Sequence[str]) -> dict[str, Found]:
        host, port = self._address(995)
        context = self._context(host)
        if port == 995:
            client: poplib.POP3 = poplib.POP3_SSL(host, port, timeout=TIMEOUT, context=context)
        else:
            client = poplib.POP3(host, port, timeout=TIMEOUT)
            if "STLS" in client.capa():
                client.stls(context)
            elif not _is_loopback(host):
                raise ValueError("it offers no TLS, and the password is not sent in the clear")
        try:
            client.user(self._account.user)
            client.pass_(self._account.password)
            return _newest(client, marks)
        finally:
            client.close()


def _folders(client: imaplib.IMAP4) -> list[str]:
    """Folders that can be opened, the likely ones first."""
    _, lines = client.list()
    names = []
    for line in lines:
        matched = _FOLDER.match(line) if isinstance(line, bytes) else None
        if matched and rb"\noselect" not in matched["flags"].lower():
            names.append(matched["name"].decode("ascii", "replace").strip())
    ranked = sorted(names, key=lambda name: min([i for i, w in enumerate(_LIKELY) if w in name.upper()] or [99]))
    return (ranked or ["INBOX"])[:MAX_FOLDERS]


def _fetch(client: imaplib.IMAP4, uid: str) -> bytes:
    _, parts = client.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_MAIL}>)")
    return next((part[1] for part in parts if isinstance(part, tuple)), b"")


def _newest(client: poplib.POP3, marks: Sequence[str]) -> dict[str, Found]:
    """POP3 has one folder and no search: the newest mails are read."""
    count = client.stat()[0]
    found: dict[str, Found] = {}
    for number in range(count, max(0, count - MAX_NEWEST), -1):
        head = b"\r\n".join(client.top(number, 0)[1])
        for mark in marks:
            if mark not in found and f"<{mark}@".encode() in head:
                raw = b"\r\n".join(client.retr(number)[1])[:MAX_MAIL]
                found[mark] = Found(folder="INBOX", raw=raw)
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
