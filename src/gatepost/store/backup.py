"""A backup while everything runs: one tar archive with every database, message and file, and a manifest of checksums.

In: the store's folder, the archive's path. Out: the archive, durable and complete or not there at all. Databases are
copied by SQLite's own online backup, from one snapshot each. Standard: POSIX tar (pax). Not here: `restore`.

Why no message is lost between the copies, whatever happens meanwhile. A message walks: into a shard, then to a mailbox
or the next hop, then out of the shard; a report about it goes into the delivery's own shard (the highest number) before
the failure is recorded. Whoever follows in the same direction may meet a message twice, never miss it:
1. large bodies are pinned by hard links, so that they outlive their delivery;
2. shards are copied, lowest number first; a row whose large body was not pinned came and was delivered after step 1:
   its body is pinned now or, if it is gone, delivery is durable, and the row is taken out of the copy;
3. mailboxes are copied, of each first `new`, then `cur`, for that is how mail moves in them.
A message found twice after a restore is delivered to the file name it already has, so once (`maildir`).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

from gatepost.errors import InputError, StoreDamaged, StoreError
from gatepost.store.database import private, sync_folder, told
from gatepost.store.spool.ids import write_id

FORMAT = 1
MANIFEST = "manifest.json"
_SKIPPED = (".db-wal", ".db-shm", ".db-journal", ".owner")
_WORK = ".backup-at-work"  # inside the folder: hard links cannot leave a file system

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What a backup holds, or a restore has brought back."""

    files: int
    octets: int


def backup(folder: Path, target: Path, now: float, progress: Progress = lambda path: None) -> Archive:
    """Writes the archive `target`. `progress` is told each path.

    Raises InputError if `target` exists or lies in `folder`, StoreError, StoreFull.
    """
    if not folder.is_dir():
        raise InputError("store.folder", folder, "is not there; there is nothing to keep")
    if target.exists():
        raise InputError("archive", target, "exists already; choose another name")
    if target.resolve().is_relative_to(folder.resolve()):
        raise InputError("archive", target, "lies in the folder that is to be kept; choose another place")
    work, draft = folder / _WORK, target.with_name(target.name + ".part")
    with told(target):
        shutil.rmtree(work, ignore_errors=True)  # of a backup that was killed
        work.mkdir(mode=0o700)
        try:
            with private(), draft.open("wb") as stream:
                archive = _write_archive(folder, work, stream, now, progress)
                stream.flush()
                os.fsync(stream.fileno())
            draft.rename(target)
            sync_folder(target.parent)
        finally:
            draft.unlink(missing_ok=True)
            shutil.rmtree(work, ignore_errors=True)
    return archive


def _write_archive(folder: Path, work: Path, stream: IO[bytes], now: float, progress: Progress) -> Archive:
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tape = _Tape(tar, progress)
        for name, path in _sources(folder, work):
            tape.add(name, path)
        return tape.end(now)


class _Tape:
    """A tar archive that remembers what it holds."""

    def __init__(self, tar: tarfile.TarFile, progress: Progress) -> None:
        self._tar = tar
        self._progress = progress
        self._files: list[dict[str, object]] = []
        self._octets = 0

    def add(self, name: str, path: Path) -> None:
        """Adds one file; one that has gone meanwhile is left out."""
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            return
        with stream:
            found = os.fstat(stream.fileno())
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = found.st_size, int(found.st_mtime), found.st_mode & 0o777
            reader = _Hashed(stream)
            self._tar.addfile(info, reader)
        self._files.append({"path": name, "size": info.size, "sha256": reader.digest.hexdigest()})
        self._octets += info.size
        self._progress(name)

    def end(self, now: float) -> Archive:
        """Writes the manifest: the last file, so that an archive that was cut short has none."""
        manifest = {"format": FORMAT, "gatepost": version("gatepost"), "made_at": now, "files": self._files}
        octets = json.dumps(manifest, indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mtime, info.mode = len(octets), int(now), 0o600
        self._tar.addfile(info, io.BytesIO(octets))
        return Archive(files=len(self._files), octets=self._octets)


class _Hashed(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        octets = self._stream.read(size)
        self.digest.update(octets)
        return octets


def _sources(folder: Path, work: Path) -> Iterator[tuple[str, Path]]:
    """Name in the archive and file to read, in the order that loses nothing (see the top of this page)."""
    spool, mail = folder / "spool", folder / "mail"
    body_folders = sorted(spool.glob("shard-*.bodies"))
    for bodies in body_folders:
        _pin_all(bodies, work / bodies.name)
    for database in sorted(spool.glob("shard-*.db")):
        copy = _copy_database(database, work / database.name)
        _match_bodies(database, copy, work / f"{database.stem}.bodies")
        yield f"spool/{database.name}", copy
        copy.unlink()
    for bodies in body_folders:
        for pinned in sorted((work / bodies.name).iterdir()):
            yield f"spool/{bodies.name}/{pinned.name}", pinned
    for path in _others(folder, but=(spool, mail, work)):
        name = path.relative_to(folder).as_posix()
        if path.suffix == ".db":
            copy = _copy_database(path, work / path.name)
            yield name, copy
            copy.unlink()
        elif not name.endswith(_SKIPPED):
            yield name, path
    yield from _mailboxes(mail, folder)


def _pin_all(bodies: Path, pins: Path) -> None:
    pins.mkdir(exist_ok=True)
    for name in os.listdir(bodies):
        _pin(bodies / name, pins / name)


def _pin(body: Path, pin: Path) -> bool:
    """Keeps a body although its message may be delivered; False when it is gone."""
    if pin.exists():
        return True
    try:
        os.link(body, pin)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without hard links
        shutil.copyfile(body, pin)
    return True


def _copy_database(database: Path, copy: Path) -> Path:
    """One snapshot of a database as one file, checked. Writers are not held up."""
    with told(database), closing(sqlite3.connect(database, timeout=30)) as source:
        with closing(sqlite3.connect(copy)) as target:
            source.backup(target, pages=-1)  # in one step: by pages it begins again whenever somebody writes
            target.execute("PRAGMA journal_mode=DELETE")
            verdict = target.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise StoreError(f"{database}: damaged ({verdict}); the backup was not made")
    return copy


def _match_bodies(database: Path, copy: Path, pins: Path) -> None:
    """Pins the bodies that came since the first pinning, forgets messages that came and went since, and unpins what
    the copy does not know. StoreDamaged when a body is gone whose message is not."""
    bodies = database.with_suffix(".bodies")
    pins.mkdir(exist_ok=True)
    with told(copy), closing(sqlite3.connect(copy)) as connection:
        numbers = [number for (number,) in connection.execute("SELECT id FROM message WHERE body IS NULL")]
        gone = [(number,) for number in numbers if not _pin(bodies / write_id(number), pins / write_id(number))]
        _check_gone(database, [number for (number,) in gone])
        with connection:
            connection.executemany("DELETE FROM recipient WHERE message = ?", gone)
            connection.executemany("DELETE FROM message WHERE id = ?", gone)
    known = {write_id(number) for number in numbers}
    for pin in pins.iterdir():
        if pin.name not in known:
            pin.unlink()


def _check_gone(database: Path, numbers: list[int]) -> None:
    """A message that is delivered leaves the database before its body goes: one that is still there has lost it."""
    if not numbers:
        return
    with told(database), closing(sqlite3.connect(database, timeout=30)) as live:
        for number in numbers:
            if live.execute("SELECT 1 FROM message WHERE id = ?", (number,)).fetchone() is not None:
                lost = write_id(number)
                raise StoreDamaged(
                    f"{database}: the octets of {lost} are gone, and no backup was made; "
                    f"`gatepost queue delete {lost}` forgets the message"
                )


def _others(folder: Path, but: tuple[Path, ...]) -> Iterator[Path]:
    """Every file that is neither spool nor mail."""
    for path in sorted(folder.iterdir()):
        if path in but or path.is_symlink():
            continue
        if path.is_dir():
            yield from _others(path, but)
        elif path.is_file():
            yield path


def _mailboxes(mail: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Each message once, by the name it was delivered under. A mailbox is gone through twice: a client may move mail
    into a folder that was read already, or change a flag and with it a file's name."""
    for mailbox in sorted(mail.glob("*/*")):
        seen: set[str] = set()
        for _ in range(2):
            for maildir in (mailbox, *sorted(mailbox.glob(".*"))):
                for path in (maildir / "maildirfolder", *_files(maildir / "new"), *_files(maildir / "cur")):
                    base = str(path) if path.name == "maildirfolder" else path.name.partition(":")[0]
                    if base not in seen and path.is_file():
                        seen.add(base)
                        yield path.relative_to(folder).as_posix(), path


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
