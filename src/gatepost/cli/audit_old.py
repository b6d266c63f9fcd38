"""Older audits, to compare with: found by domain, read when they are asked for.

In: a file that `gatepost audit --json` wrote. Out: audits as JSON values. Only where each line begins is kept in
memory. Not here: comparing (`audit.compare`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from gatepost.errors import InputError

MAX_LINE = 16 << 20  # octets of one audit


class OldAudits:
    """Opens the file and notes its lines. Raises InputError for what is no such file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError("--compare", path, f"cannot be read: {error.strerror}") from None
        self._places: dict[str, int] = {}

    def __enter__(self) -> Self:
        at = 0
        while line := self._file.readline(MAX_LINE):
            if line.strip():
                self._places[self._read(line)["domain"]] = at
            at = self._file.tell()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def find(self, domain: str) -> dict[str, Any] | None:
        """The last audit of `domain` in the file."""
        at = self._places.get(domain)
        if at is None:
            return None
        self._file.seek(at)
        return self._read(self._file.readline(MAX_LINE))

    def _read(self, line: bytes) -> dict[str, Any]:
        remedy = "is no output of `gatepost audit --json`; give a file that it wrote"
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError("--compare", self._path, remedy) from None
        if not isinstance(found, dict) or not isinstance(found.get("domain"), str):
            raise InputError("--compare", self._path, remedy)
        return found
