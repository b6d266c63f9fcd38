"""Child processes by fork: one function runs in each, and nothing it raises gets lost or goes on in the wrong process.

In: a function. Out: a pid. A child ends with 0 when its function returns, 1 when it raises (one line in the log).
Not here: which children there are and when they start again (`supervisor`).
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable

from gatepost.server.logs import STDERR, Log

RETIRE = signal.SIGUSR1  # to a reception process: take no more connections, serve those there are to their end
PARENT_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1)


def fill_standard_descriptors() -> None:
    """Opens what of 0, 1 and 2 was closed at the start: else the next socket gets the number, and log lines go to a
    client."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        continue
    os.close(descriptor)


def fork_child(main: Callable[[], None], name: str, log: Log) -> int:
    """Starts `main` in a child and returns its pid."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for number in PARENT_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PARENT_SIGNALS)
        main()
        status = 0
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        log.error("process-failed", process=name, error=repr(error), at=f"{where.filename}:{where.lineno}")
        log.debug("process-failed", traceback="".join(traceback.format_exception(error)))
    finally:
        os._exit(status)


class Lifeline:
    """A pipe that ends when the supervisor does, whatever killed it: children watch `fd` and stop at its end."""

    def __init__(self) -> None:
        self.fd, self._held = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def hold_in_child(self) -> int:
        """To be called in the child: lets go of the writing end and returns the end to watch."""
        os.close(self._held)
        return self.fd
