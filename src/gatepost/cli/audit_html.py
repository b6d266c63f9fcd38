"""Writes the HTML report of many audits, with memory that does not grow.

In: audits, one after the other. Out: one file, whole or not at all: it is written beside and then renamed.
Not here: what is in it (`audit.report`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import IO, Any, Self

from gatepost.audit import report
from gatepost.errors import InputError


def _temporary() -> IO[str]:
    """A file without a name, closed by `HtmlFile`."""
    return tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")


class HtmlFile:
    """Collects in two temporary files, the table of all and the parts, and joins them at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._first: dict[str, Any] = {}
        try:
            handle, self._beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
            os.fchmod(handle, 0o644)
            self._out = os.fdopen(handle, "w", encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError("--html", path, f"cannot be written: {error.strerror}") from None
        self._rows, self._parts = _temporary(), _temporary()

    def __enter__(self) -> Self:
        return self

    def add(self, audit: dict[str, Any]) -> None:
        """One domain."""
        anchor = f"d{self._count}"
        self._rows.write(report.overview_row(audit, anchor))
        self._parts.write(report.section(audit, anchor, first=not self._count))
        self._first = self._first or {"shown": audit["shown"], "at": audit["audited_at"]}
        self._count += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._join()
        finally:
            for file in (self._rows, self._parts, self._out):
                file.close()
            Path(self._beside).unlink(missing_ok=True)

    def _join(self) -> None:
        title = f"How {self._first.get('shown', '')} stands" if self._count == 1 else f"How {self._count} domains stand"
        self._out.write(report.head(title, self._first.get("at") or time.time()))
        if self._count > 1:
            self._out.write(report.OVERVIEW_HEAD)
            self._copy(self._rows)
            self._out.write(report.OVERVIEW_TAIL)
        self._copy(self._parts)
        self._out.write(report.TAIL)
        self._out.flush()
        Path(self._beside).replace(self._path)

    def _copy(self, source: Any) -> None:
        source.seek(0)
        shutil.copyfileobj(source, self._out)
