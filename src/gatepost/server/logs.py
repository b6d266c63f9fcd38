"""The log: one canonical line an event, `event key=value …`, on stderr.

In: an event's name and its facts. Out: one line in one write, so that lines of several processes never mix.
Form: logfmt, as Postfix and journald users can grep it. Not here: the journal that `gatepost log` searches (`store`).
Values come from strangers: control characters are escaped, long ones cut; what is secret is never handed in.
"""

from __future__ import annotations

import logging
import os
import re
import time
import traceback
from collections.abc import Callable
from functools import lru_cache

STDERR = 2  # not sys.stderr, which is None where it was closed at the start
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
MAX_VALUE = 400  # characters; a whole line stays below PIPE_BUF for the usual number of facts

_PLAIN = re.compile(rf"[A-Za-z0-9.,:;@<>()\[\]{{}}/+\-_~!?%&*#|$^']{{1,{MAX_VALUE}}}")


class Log:
    """Writes lines at or above `level`. `stamp` puts the time in front, which journald does by itself."""

    __slots__ = ("_fd", "_stamp", "_threshold")

    def __init__(self, level: str = "info", *, fd: int | None = None, stamp: bool | None = None) -> None:
        self._threshold = LEVELS[level]
        self._fd = STDERR if fd is None else fd
        self._stamp = "JOURNAL_STREAM" not in os.environ if stamp is None else stamp

    def info(self, event: str, **facts: object) -> None:
        """What happens every day."""
        self._write("info", event, facts)

    def debug(self, event: str, **facts: object) -> None:
        """What only somebody who searches wants to see."""
        self._write("debug", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """What somebody should look at."""
        self._write("warning", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """What somebody must look at."""
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        if LEVELS[level] < self._threshold:
            return
        stamp = _stamp(int(time.time())) if self._stamp else ""
        line = " ".join([f"{stamp}{level} {event}", *[f"{k}={quoted(v)}" for k, v in facts.items() if v is not None]])
        try:
            os.write(self._fd, line.encode("utf-8", "replace") + b"\n")
        except OSError:
            pass  # a full or closed log must not stop mail


@lru_cache(maxsize=1)
def _stamp(seconds: int) -> str:
    """The same for all lines of a second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ ", time.gmtime(seconds))


def journal_told(log: Log) -> Callable[[Exception | None, int], None]:
    """What a `JournalWriter` calls when the journal stops or starts to take notes: mail goes on without it."""

    def told(error: Exception | None, lost: int) -> None:
        if error is not None:
            log.error("journal-failed", error=error, lost=lost)
        else:
            log.info("journal-works", lost=lost)

    return told


def recipients_told(log: Log) -> Callable[[Exception | None, int], None]:
    """What is called when it cannot be remembered whom primaries know, or can be again: they are asked more often."""

    def told(error: Exception | None, lost: int) -> None:
        if error is not None:
            log.error("recipients-failed", error=error, lost=lost)
        else:
            log.info("recipients-works", lost=lost)

    return told


def history_told(log: Log) -> Callable[[Exception | None, int], None]:
    """What a `HistoryWriter` calls when senders cannot be remembered, or can be again: mail goes on without it."""

    def told(error: Exception | None, lost: int) -> None:
        if error is not None:
            log.error("history-failed", error=error, lost=lost)
        else:
            log.info("history-works", lost=lost)

    return told


def content_told(log: Log, lost: Callable[[], None]) -> Callable[..., None]:
    """What a `Sandbox` calls with news of its children; `lost` counts those that ended before their time."""

    def told(event: str, **facts: object) -> None:
        if event == "sandbox-child":
            lost()
        if event == "sandbox-ready" and not facts.get("missing"):
            log.info(event, **facts)
        else:
            log.warning(event, **facts)

    return told


def watch_told(log: Log) -> Callable[[Exception | None, int], None]:
    """What a `WatchWriter` calls when hits of lists and of the door cannot be kept, or can be again."""

    def told(error: Exception | None, lost: int) -> None:
        if error is not None:
            log.error("watch-failed", error=error, lost=lost)
        else:
            log.info("watch-works", lost=lost)

    return told


def directory_told(log: Log) -> Callable[[Exception], None]:
    """What is called when accounts cannot be asked for, here or in another directory."""

    def told(error: Exception) -> None:
        log.error("directory-failed", error=error)

    return told


class Forward(logging.Handler):
    """Turns what libraries and pure parts say through `logging` into lines of ours: no traceback reaches stderr."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """One record, one line."""
        error = record.exc_info[1] if record.exc_info else None
        frames = traceback.extract_tb(error.__traceback__) if error is not None else []
        write = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        write(
            "trouble",
            part=record.name,
            said=record.getMessage(),
            error=repr(error) if error is not None else None,
            at=f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None,
        )
        if error is not None:
            self._log.debug("trouble", traceback="".join(traceback.format_exception(error)))


def quoted(value: object) -> str:
    """`value` as one logfmt value: bare where it is plain, else quoted with everything odd escaped."""
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    if len(text) > MAX_VALUE:
        text = text[:MAX_VALUE] + "…"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    if not escaped.isprintable():
        escaped = "".join([c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in escaped])
    return f'"{escaped}"'
