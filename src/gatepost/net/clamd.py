"""ClamAV's clamd, asked over its socket.

In: the octets of a message. Out: `Scanned`. Whatever clamd does (hangs, dies, answers nonsense, is not there), the
answer comes within the time-out and is ERROR: only `stream: OK`, whole and after all octets were sent, is clean.
Standard: clamd(8), commands INSTREAM, PING and VERSION with the `z` prefix: each ends with NUL.
Not here: what follows from the answer (`inspector.scanning`).
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable
from contextlib import suppress

from gatepost.errors import ConfigError
from gatepost.net.settings import ScannerSettings
from gatepost.ports import Scanned, ScanStatus

CHUNK = 256 << 10  # octets sent with one length before them
MAX_REPLY = 4096  # octets; clamd's longest line is a file name and a signature's name
GRACE = 1.0  # seconds that clamd's own words are waited for once it has closed the connection to us
AFTER_FAILURE = 5.0  # seconds for which a clamd that could not be reached is not tried again
_HOST_PORT = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.%]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})")
_FOUND = re.compile(r"stream: (?P<name>[\x21-\x7e]{1,200}) FOUND")
_SILENT = "clamd closed the connection without an answer; it died, or its StreamMaxLength is below scanner.max_size"
_SIZE = "size limit exceeded"


def parse_address(text: str) -> str | tuple[str, int]:
    """The path of a unix socket, or host and port. Raises ConfigError."""
    if text.startswith("/"):
        return text
    found = _HOST_PORT.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise ConfigError("scanner.address", text, 'is no address; write "/run/clamav/clamd.ctl" or "127.0.0.1:3310"')
    return found["v6"] or found["host"], int(found["port"])


class ClamdScanner:
    """A `Scanner`. One connection a message, at most `at_once` at a time; further ones wait within their time-out."""

    def __init__(self, settings: ScannerSettings) -> None:
        self._settings = settings
        self._address = parse_address(settings.address)
        self._turns = asyncio.Semaphore(settings.at_once)
        self._away_until = 0.0
        self._away = ""

    def begin(self, raw: bytes) -> Awaitable[Scanned]:
        """Starts at once; the answer comes within the time-out and never raises."""
        return asyncio.get_running_loop().create_task(self.scan(raw))

    async def scan(self, raw: bytes) -> Scanned:
        """What clamd says of `raw`. Never raises."""
        most = self._settings.max_size
        if len(raw) > most:
            return _error(f"it has {len(raw)} octets, and scanner.max_size is {most}", lasting=True)
        try:
            async with asyncio.timeout(self._settings.timeout):
                async with self._turns:
                    return _verdict(await self._exchange(b"zINSTREAM\0", raw))
        except TimeoutError:
            return _error(f"clamd gave no answer within {self._settings.timeout:g} s")
        except _Failure as failure:
            return _error(str(failure))
        except Exception as error:  # mail must not depend on a scanner, whatever is wrong with it or with us
            return _error(f"the connection to clamd failed: {error!r}")

    async def ask(self, command: str) -> str:
        """clamd's answer to `PING` or `VERSION`. Raises ConfigError when there is none in time."""
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self._exchange(f"z{command}\0".encode("ascii"), None)
        except TimeoutError:
            reason = f"no answer within {self._settings.timeout:g} s"
        except _Failure as failure:
            reason = str(failure)
        raise ConfigError("scanner.address", self._settings.address, f"{reason}; does clamd run, and may we reach it?")

    async def _exchange(self, command: bytes, stream: bytes | None) -> str:
        """Sends while it listens: clamd may speak and close before everything was sent."""
        sock = await self._connect()
        sending = asyncio.ensure_future(_send(sock, command, stream))
        reading = asyncio.ensure_future(_read(sock))
        try:
            await asyncio.wait((sending, reading), return_when=asyncio.FIRST_COMPLETED)
            with suppress(TimeoutError):
                async with asyncio.timeout(GRACE if _broken(sending) else None):
                    reply = await asyncio.shield(reading)
                    if reply:
                        return await _checked(reply, sending)
            raise _Failure(_SILENT)
        finally:
            for task in (sending, reading):
                task.cancel()
            await asyncio.gather(sending, reading, return_exceptions=True)
            sock.close()

    async def _connect(self) -> socket.socket:
        """A connected socket; a clamd that was away a moment ago is not waited for again."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._away_until:
            raise _Failure(self._away)
        try:
            return await _connected(self._address)
        except OSError as error:
            self._note_away(f"clamd cannot be reached at {self._settings.address}: {error.strerror or error}")
            raise _Failure(self._away) from None
        except asyncio.CancelledError:  # the time-out: a host that does not even refuse
            self._note_away(f"clamd at {self._settings.address} did not take the connection")
            raise

    def _note_away(self, why: str) -> None:
        self._away = why
        self._away_until = asyncio.get_running_loop().time() + AFTER_FAILURE


class _Failure(Exception):
    """Why there is no verdict, in plain words."""


async def _connected(address: str | tuple[str, int]) -> socket.socket:
    loop = asyncio.get_running_loop()
    if isinstance(address, str):
        return await _tried(loop, socket.AF_UNIX, address)
    found = await loop.getaddrinfo(*address, type=socket.SOCK_STREAM)
    refused: OSError | None = None
    for family, _, _, _, place in found:
        try:
            return await _tried(loop, family, place)
        except OSError as error:
            refused = error
    raise refused or OSError("the name has no address")


async def _tried(loop: asyncio.AbstractEventLoop, family: int, place: object) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, place)  # type: ignore[arg-type]
    except BaseException:
        sock.close()
        raise
    return sock


async def _send(sock: socket.socket, command: bytes, stream: bytes | None) -> None:
    """The command; for INSTREAM chunks with their length before them, and a length of 0 at the end."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(sock, command)
    if stream is None:
        return
    view = memoryview(stream)
    for start in range(0, len(view), CHUNK):
        part = view[start : start + CHUNK]
        await loop.sock_sendall(sock, struct.pack(">I", len(part)))
        await loop.sock_sendall(sock, part)
    await loop.sock_sendall(sock, bytes(4))


async def _read(sock: socket.socket) -> bytes:
    """Everything up to the end of the connection, or to one octet more than a reply may have; what came when it is
    reset."""
    loop = asyncio.get_running_loop()
    reply = b""
    with suppress(OSError):
        while len(reply) <= MAX_REPLY:
            octets = await loop.sock_recv(sock, MAX_REPLY)
            if not octets:
                break
            reply += octets
    return reply


def _broken(sending: asyncio.Future[None]) -> bool:
    return sending.done() and not sending.cancelled() and sending.exception() is not None


async def _checked(reply: bytes, sending: asyncio.Future[None]) -> str:
    """The one line of `reply`. A verdict counts only when everything was sent: the rest was not looked at."""
    text = _one_line(reply)
    if not text.endswith("ERROR"):
        try:
            await sending
        except OSError as error:
            raise _Failure(f"clamd stopped reading before the end: {error.strerror or error}") from None
    return text


def _one_line(reply: bytes) -> str:
    if len(reply) > MAX_REPLY or reply.count(b"\0") != 1 or not reply.endswith(b"\0"):
        raise _Failure(f"clamd answered nonsense: {reply[:80]!r}")
    return reply[:-1].decode("ascii", "replace")


def read_reply(reply: bytes) -> Scanned:
    """What all that clamd sent says. Total: any octets give a value."""
    try:
        return _verdict(_one_line(reply))
    except _Failure as failure:
        return _error(str(failure))


def _verdict(text: str) -> Scanned:
    if text == "stream: OK":
        return Scanned(status=ScanStatus.CLEAN)
    found = _FOUND.fullmatch(text)
    if found is not None:
        return Scanned(status=ScanStatus.FOUND, names=(found["name"],))
    if _SIZE in text:
        return _error("it is over clamd's StreamMaxLength; set scanner.max_size to the same", lasting=True)
    if text.endswith("ERROR"):
        return _error(f"clamd could not scan it: {text[:120]!r}")
    return _error(f"clamd answered nonsense: {text[:80]!r}")


def _error(reason: str, *, lasting: bool = False) -> Scanned:
    return Scanned(status=ScanStatus.ERROR, reason=reason, lasting=lasting)
