"""Delivery to Maildirs: durable, many at a time, and not twice after a crash.

In: drops: mailbox, octets, spool id and position. Out: for each None, or why it did not go in. A file is written in
`tmp`, synced, renamed into `new`, and `new` is synced once for the batch. The file's name is made from the spool id, so
that a delivery that is repeated finds what is there. Standard: the Maildir layout of qmail, Maildir++ for `.Junk`.
Not here: Return-Path and routes (`server.delivery`); reading a mailbox (IMAP comes later).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.store.database import make_folder, sync_folder, told
from gatepost.store.spool.ids import time_of
from gatepost.store.spool.rows import number_of

JUNK = ".Junk"
_PARTS = ("tmp", "new", "cur")
_SEEN_AS = (":2,", ":2,S")  # names a mail client gives most often when it takes a message from new into cur
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_+=@")
_MAX_NAME = 200  # octets; file systems take 255, and a sub-folder or a suffix may be added


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One message for one mailbox. `address` names the mailbox, `junk` its Junk folder instead of the inbox.

    `octets` is the whole message as the file shall hold it; `id` and `position` are the spool's.
    """

    id: str
    position: int
    address: str
    junk: bool = False
    octets: bytes


class Mailboxes:
    """All mailboxes below `folder`, as `folder/domain/local-part`. `host` ends the files' names."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder = folder
        # "/" and ":" mean something in a Maildir's file names; qmail's way out is \057 and \072
        self._host = host.replace("/", "\\057").replace(":", "\\072") or "localhost"
        self._made: set[Path] = set()

    def path(self, address: str, *, junk: bool = False) -> Path:
        """The Maildir of `address`: its inbox, or its Junk folder."""
        local, _, domain = address.rpartition("@")
        inbox = self.folder / _file_name(domain) / _file_name(local)
        return inbox / JUNK if junk else inbox

    def deliver(self, drops: Sequence[Drop]) -> list[StoreError | None]:
        """Delivers all; those answered None are durable. One mailbox's trouble does not touch the others."""
        answers: list[StoreError | None] = [None] * len(drops)
        drafts = []
        for index, drop in enumerate(drops):
            try:
                draft = self._draft(drop)
            except StoreError as error:
                answers[index] = error
                continue
            drafts.append((index, draft))
        written = [(index, draft) for index, draft in drafts if _attempt(answers, index, draft.settle)]
        _sync_all(answers, written)
        return answers

    def create(self, address: str, *, junk: bool = False) -> Path:
        """Makes the mailbox (0700), durably, if it is not there. Raises StoreError."""
        maildir = self.path(address, junk=junk)
        if maildir not in self._made:
            if junk:
                self.create(address)
            for part in _PARTS:
                make_folder(maildir / part)
            if junk:
                with told(maildir):
                    (maildir / "maildirfolder").touch(mode=0o600)  # Maildir++: this is no mailbox of its own
            self._made.add(maildir)
        return maildir

    def _draft(self, drop: Drop) -> _Draft:
        """The file in `tmp`, written but not synced: the syncs come together."""
        name = f"{_stem(drop)}.{self._host},S={len(drop.octets)}"
        maildir = self.create(drop.address, junk=drop.junk)
        if _is_there(maildir, name):
            return _Draft(-1, maildir, name)
        with told(maildir):
            try:
                return _Draft(_write(maildir / "tmp" / name, drop.octets), maildir, name)
            except FileNotFoundError:  # somebody removed the mailbox under us
                self._made.discard(maildir)
                maildir = self.create(drop.address, junk=drop.junk)
                return _Draft(_write(maildir / "tmp" / name, drop.octets), maildir, name)


@dataclass(frozen=True, slots=True)
class _Draft:
    descriptor: int  # -1: the message is in the mailbox already
    maildir: Path
    name: str

    def settle(self) -> None:
        """Syncs the octets, then gives the file its place."""
        if self.descriptor < 0:
            return
        draft = self.maildir / "tmp" / self.name
        with told(self.maildir):
            try:
                os.fsync(self.descriptor)
                os.rename(draft, self.maildir / "new" / self.name)
            except OSError:
                _remove(draft)
                raise
            finally:
                os.close(self.descriptor)


def _attempt(answers: list[StoreError | None], index: int, step: Callable[[], None]) -> bool:
    try:
        step()
    except StoreError as error:
        answers[index] = error
        return False
    return True


def _sync_all(answers: list[StoreError | None], written: Iterable[tuple[int, _Draft]]) -> None:
    """One sync for each `new`, also where the file was there before: its name may never have been synced."""
    by_folder: dict[Path, list[int]] = {}
    for index, draft in written:
        by_folder.setdefault(draft.maildir / "new", []).append(index)
    for folder, indexes in by_folder.items():
        try:
            with told(folder):
                sync_folder(folder)
        except StoreError as error:
            for index in indexes:
                answers[index] = error


def _stem(drop: Drop) -> str:
    """The unique part of the name: the same for each attempt at the same copy, as the spool's ids never repeat."""
    seconds, _, fraction = f"{time_of(number_of(drop.id)):.6f}".partition(".")
    return f"{seconds}.M{fraction}I{drop.id}R{drop.position}"


def _is_there(maildir: Path, name: str) -> bool:
    """Whether an earlier attempt got it in, as far as a few looks can tell (no listing of a large mailbox)."""
    return (maildir / "new" / name).exists() or any((maildir / "cur" / (name + seen)).exists() for seen in _SEEN_AS)


def _write(path: Path, octets: bytes) -> int:
    """Creates `path` afresh (what a crash left there goes) and returns the open descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        os.unlink(path)
        descriptor = os.open(path, flags, 0o600)
    try:
        view = memoryview(octets)
        while view:
            view = view[os.write(descriptor, view) :]
    except BaseException:
        os.close(descriptor)
        _remove(path)
        raise
    return descriptor


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass


def _file_name(text: str) -> str:
    """A mailbox's or domain's name as one safe file name: lower case, anything unusual as %XX, never a dot first."""
    octets = text.lower().encode("utf-8", "surrogateescape")
    name = ""
    for position, octet in enumerate(octets):
        plain = octet in _PLAIN or (octet == 0x2E and position > 0)
        name += chr(octet) if plain else f"%{octet:02X}"
    if not name or len(name) > _MAX_NAME:
        raise StoreError(f"{text[:60]!r} cannot be the name of a mailbox")
    return name
