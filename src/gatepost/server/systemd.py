"""What systemd and a service agree on: sockets handed over, and "I am ready".

In: the environment (LISTEN_FDS, LISTEN_PID, NOTIFY_SOCKET). Out: listening sockets; one datagram.
Standard: sd_listen_fds(3), sd_notify(3). Not here: the unit file (packaging/gatepost.service).
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from gatepost.errors import ConfigError

FIRST_FD = 3


def inherited_sockets(environment: MutableMapping[str, str], pid: int) -> list[socket.socket]:
    """The listening sockets systemd handed to process `pid`; the variables go, so that no child sees them."""
    count = environment.pop("LISTEN_FDS", "")
    owner = environment.pop("LISTEN_PID", "")
    environment.pop("LISTEN_FDNAMES", None)
    if not count.isdecimal() or owner != str(pid):
        return []
    found = []
    for fd in range(FIRST_FD, FIRST_FD + int(count)):
        try:
            os.set_inheritable(fd, False)
            found.append(socket.socket(fileno=fd))
        except OSError as error:
            raise ConfigError(
                "LISTEN_FDS", fd, f"is no socket: {error.strerror}; start through systemd's unit"
            ) from None
    return found


def notify(state: str, environment: MutableMapping[str, str]) -> None:
    """Tells systemd `state` ("READY=1", "RELOADING=1", "STOPPING=1"), where it listens."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.sendall(state.encode("ascii"))
        except OSError:
            pass  # the service works without its manager
