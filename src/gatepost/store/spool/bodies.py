"""Large messages in files of their own, beside their shard's database.

In: the row number and the octets. Out: a synced file, whose name is synced before the row is committed, and that is
removed only after the row's removal is durable; so a row never lacks its file, and a file without a row is litter.
Standard: none. Not here: when (`shard`, `queue`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gatepost.store.database import make_folder, sync_folder, told
from gatepost.store.spool.ids import parse_id, write_id


class BodyFiles:
    """The folder of one shard's large bodies."""

    __slots__ = ("folder",)

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, number: int) -> Path:
        """Where the octets of message `number` are, or would be."""
        return self.folder / write_id(number)

    def write(self, number: int, octets: bytes) -> None:
        """Writes and syncs the octets; their name is durable only after `sync`. Raises StoreFull, StoreError."""
        path = self.path(number)
        with told(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                view = memoryview(octets)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            finally:
                os.close(descriptor)

    def sync(self) -> None:
        """Makes the names of all files written so far durable."""
        with told(self.folder):
            sync_folder(self.folder)

    def read(self, number: int) -> bytes | None:
        """The octets; None if there is no such file."""
        path = self.path(number)
        with told(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def remove(self, numbers: Iterable[int]) -> None:
        """Deletes files whose rows are gone for good. One that will not go is litter for the next `sweep`."""
        for number in numbers:
            try:
                self.path(number).unlink(missing_ok=True)
            except OSError:
                pass

    def create(self) -> None:
        """Makes the folder, durably."""
        make_folder(self.folder)

    def numbers(self) -> list[int]:
        """The row numbers that files are there for; other names are left alone."""
        with told(self.folder):
            found = (parse_id(name) for name in os.listdir(self.folder))
        return [number for number in found if number is not None]
