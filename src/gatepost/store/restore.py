"""Reads a backup back into an empty folder, and believes nothing of it before it is checked.

In: an archive that `backup` wrote, a folder that is not there or empty. Out: the store as it stood, durable; or an
error and nothing changed. Standard: POSIX tar (pax). Not here: writing it (`backup`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from gatepost.errors import InputError, StoreDamaged
from gatepost.store.backup import FORMAT, MANIFEST, Archive, Progress
from gatepost.store.database import make_folder, private, sync_folder, told

_MAX_MANIFEST = 1 << 30  # octets; ten million messages
_CHUNK = 1 << 20


def restore(archive: Path, folder: Path, progress: Progress = lambda path: None) -> Archive:
    """Brings the archive back into `folder`.

    Raises InputError if the folder holds anything or the archive is none, StoreDamaged if it is not what was written,
    StoreError, StoreFull.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("folder", folder, "is not empty; move it away, or restore into another")
    work = folder.with_name(folder.name + ".restoring")
    with told(folder), private():
        make_folder(folder.parent)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        try:
            found = _extract(archive, work, progress)
            _check(archive, work, found)
            for path in work.rglob("*.db"):
                _check_database(path)
            _sync_tree(work)
            work.rename(folder)
            sync_folder(folder.parent)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Archive(files=len(found), octets=sum(size for size, _ in found.values()))


def _extract(archive: Path, work: Path, progress: Progress) -> dict[str, tuple[int, str]]:
    """Writes every file below `work`; returns size and SHA-256 of each. The manifest lies there, too."""
    found: dict[str, tuple[int, str]] = {}
    try:
        with tarfile.open(archive, mode="r:") as tar:
            for member in tar:
                name = _safe_name(archive, member)
                target = work / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                size, digest = _write(tar, member, target)
                if name != MANIFEST:
                    found[name] = (size, digest)
                    progress(name)
    except FileNotFoundError as error:
        raise InputError("archive", archive, "is not there") from error
    except tarfile.TarError as error:
        raise InputError("archive", archive, f"is not a backup or is cut short ({error})") from error
    return found


def _safe_name(archive: Path, member: tarfile.TarInfo) -> str:
    """Plain files below the folder only; anything else was not written by us."""
    path = PurePosixPath(member.name)
    if not member.isreg() or path.is_absolute() or ".." in path.parts or not path.parts or "\0" in member.name:
        raise StoreDamaged(f"{archive}: holds {member.name[:80]!r}, which no backup of ours does")
    return path.as_posix()


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    source = tar.extractfile(member)
    assert source is not None  # a regular file
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source, open(descriptor, "wb") as stream:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            stream.write(chunk)
            size += len(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    return size, digest.hexdigest()


def _check(archive: Path, work: Path, found: dict[str, tuple[int, str]]) -> None:
    """Every file the manifest names is there and is what it was, and no other."""
    wanted = dict(_manifest(archive, work / MANIFEST))
    (work / MANIFEST).unlink()
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            what = "is missing" if name not in found else "is not what was kept" if name in wanted else "is not ours"
            raise StoreDamaged(f"{archive}: {name} {what}; use another backup")


def _manifest(archive: Path, path: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    if not path.exists():
        raise StoreDamaged(f"{archive}: has no manifest: it is cut short, or no backup of ours")
    if path.stat().st_size > _MAX_MANIFEST:
        raise StoreDamaged(f"{archive}: its manifest is too large")
    try:
        manifest: Any = json.loads(path.read_bytes())
        version, files = manifest["format"], manifest["files"]
        if version == FORMAT:
            yield from ((str(f["path"]), (int(f["size"]), str(f["sha256"]))) for f in files)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreDamaged(f"{archive}: its manifest cannot be read ({error!r})") from error
    if version != FORMAT:
        raise InputError("archive", archive, f"has format {version!r}, this Gatepost reads {FORMAT}: use a newer one")


def _check_database(path: Path) -> None:
    with told(path), closing(sqlite3.connect(path)) as connection:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise StoreDamaged(f"{path.name}: damaged in the backup ({verdict}); use another one")


def _sync_tree(work: Path) -> None:
    """Also makes the folders a Maildir needs, which an archive of files does not hold when they were empty."""
    for maildir in {path.parent for shape in ("*/*", "*/*/.*") for path in work.glob(f"mail/{shape}/[nc]*")}:
        for part in ("tmp", "new", "cur"):
            (maildir / part).mkdir(mode=0o700, exist_ok=True)
    for folder, _, _ in os.walk(work):
        sync_folder(Path(folder))
