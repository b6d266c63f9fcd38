"""The plan of one generation: settings, sockets, certificate, shared tables; made whole or not at all.

In: settings, the environment (systemd), the plan before. Out: `Plan`, or ConfigError with what to change.
What must be the same for all processes (tables, listening sockets, the wake-up pipe) is carried over from plan to plan.
Not here: starting processes (`supervisor`); what they do (`processes`).
"""

from __future__ import annotations

import ipaddress
import os
import pwd
import socket
import ssl
import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from gatepost.errors import ConfigError
from gatepost.net.clamd import parse_address
from gatepost.net.geo import GeoLocator
from gatepost.net.resolver import DnsResolver
from gatepost.net.settings import TlsSettings
from gatepost.net.tls import check_certificate, client_context, server_context
from gatepost.server import systemd
from gatepost.server.delivery.routes import Routes
from gatepost.server.door.rates import RateTable
from gatepost.server.metrics import MetricsTable
from gatepost.server.privileges import check_folder, lookup_user, own
from gatepost.server.recipients import Recipients
from gatepost.server.settings import GateSettings
from gatepost.server.smtp.counters import CounterTable
from gatepost.server.smtp.listener import bind
from gatepost.server.wellformed import check_names
from gatepost.store.accounts import Accounts

MAX_WORKERS = 64
SPARE_COLUMNS = 8  # delivery, monitor, and processes of a generation that is still finishing


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything the processes of one generation share. `columns` are places in the shared tables; a reload has twice
    the workers for a while. `certificate_ends` is in seconds since the epoch."""

    settings: GateSettings
    sockets: dict[str, socket.socket]
    monitor_socket: socket.socket | None
    tls: ssl.SSLContext | None
    certificate_ends: float | None
    recipients: Recipients
    user: pwd.struct_passwd | None
    workers: int
    columns: int
    counters: CounterTable
    rates: RateTable
    metrics: MetricsTable
    wake: tuple[int, int]
    ready: tuple[int, int]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where mail is taken."""
        return tuple(self.sockets)

    def clear_column(self, column: int) -> None:
        """The process that had `column` is gone, and its connections with it. Its metrics stay in the sums."""
        self.counters.clear(column)

    def report_ready(self, column: int) -> None:
        """Called by a process that serves now."""
        os.write(self.ready[1], bytes([column]))

    def read_ready(self) -> bytes:
        """The columns of processes that have reported since the last call; for the supervisor."""
        try:
            return os.read(self.ready[0], self.columns)
        except BlockingIOError:
            return b""


def make_plan(settings: GateSettings, environment: MutableMapping[str, str], previous: Plan | None) -> Plan:
    """The plan for `settings`. Raises ConfigError, with nothing of `previous` changed."""
    workers = count_workers(settings)
    if previous is not None and workers > previous.columns // 2:
        raise ConfigError("server.workers", workers, "so many more need a restart; a reload is not enough")
    user = lookup_user(settings.server.user)
    _prepare_folder(settings, user)
    recipients = check_settings(settings)
    now, tls = time.time(), settings.tls
    columns = previous.columns if previous else 2 * workers + SPARE_COLUMNS
    return Plan(
        settings=settings,
        recipients=recipients,
        tls=server_context(tls, now=now) if tls.certificate else None,
        certificate_ends=_certificate_ends(tls, now),
        user=user,
        workers=workers,
        columns=columns,
        counters=previous.counters if previous else CounterTable(columns),
        rates=previous.rates if previous else RateTable(columns),
        metrics=previous.metrics if previous else MetricsTable(columns),
        wake=previous.wake if previous else os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC),
        ready=previous.ready if previous else os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC),
        monitor_socket=_monitor_socket(settings.server.monitor, previous),
        sockets=_sockets(settings.server.listen, environment, previous),
    )


def count_workers(settings: GateSettings) -> int:
    """How many reception processes the settings want."""
    workers = settings.server.workers or min(len(os.sched_getaffinity(0)), MAX_WORKERS)
    if not 1 <= workers <= MAX_WORKERS:
        raise ConfigError("server.workers", workers, f"choose 1 to {MAX_WORKERS}, or 0 for one per core")
    return workers


def _certificate_ends(settings: TlsSettings, now: float) -> float | None:
    if not settings.certificate:
        return None
    return check_certificate(settings, now=now, may_have_expired=True).not_valid_after_utc.timestamp()


def check_settings(settings: GateSettings) -> Recipients:
    """What can be said of the settings without binding anything: names, routes, aliases, demands for TLS."""
    if not settings.domains:
        raise ConfigError("domains", "{}", 'name at least one domain, as [domains."example.org"]')
    check_names(settings)
    DnsResolver(settings.dns)  # these raise for servers and certificates that are none
    client_context(verified=settings.delivery.tls == "verified", authority=settings.delivery.ca_file or None)
    if settings.scanner.address:
        parse_address(settings.scanner.address)
    if settings.geo.file or settings.geo.network_file:
        GeoLocator(settings.geo).close()
    Routes({name: domain.route for name, domain in settings.domains.items()}, settings.delivery.relay)
    for name, domain in settings.domains.items():
        if domain.recipients == "call-forward" and not domain.route.startswith(("smtp:", "lmtp:")):
            remedy = f"{domain.route} cannot be asked; use a list"
            raise ConfigError(f'domains."{name}".recipients', domain.recipients, remedy)
        if domain.require_tls and not settings.tls.certificate:
            raise ConfigError(f'domains."{name}".require_tls', "true", "needs tls.certificate to offer STARTTLS")
    if settings.smtp.implicit_tls and not settings.tls.certificate:
        raise ConfigError("smtp.implicit_tls", "true", "needs tls.certificate")
    if settings.relay.require_tls_from and not settings.tls.certificate:
        raise ConfigError("relay.require_tls_from", settings.relay.require_tls_from, "needs tls.certificate")
    return Recipients(settings.domains, settings.postmaster, _accounts(Path(settings.store.folder)))


def parse_listen(text: str, field: str) -> tuple[str, int]:
    """Address and port of "192.0.2.1:25" or "[2001:db8::1]:25"."""
    host, _, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    number = int(port) if port.isascii() and port.isdecimal() and len(port) < 6 else 65536
    try:  # a name would have to be asked for, and might bind something else tomorrow
        address = ipaddress.ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        address = None
    if address is None or (address.version == 6) is not bracketed or number > 65535:
        raise ConfigError(field, text, 'write it as "192.0.2.1:25" or "[2001:db8::1]:25"')
    return str(address), number


def bind_address(text: str, field: str) -> socket.socket:
    """A listening socket. ConfigError says what stands in the way."""
    host, port = parse_listen(text, field)
    try:
        return bind(host, port)
    except PermissionError:
        remedy = "ports below 1024 need root or systemd's socket activation (packaging/gatepost.socket)"
        raise ConfigError(field, text, remedy) from None
    except OSError as error:
        raise ConfigError(field, text, f"cannot be bound: {error.strerror}; `ss -ltnp` shows who has it") from None


def _sockets(
    wanted: tuple[str, ...], environment: MutableMapping[str, str], previous: Plan | None
) -> dict[str, socket.socket]:
    """systemd's sockets if it handed any over, else our own; those of the plan before are used again."""
    if previous is None:
        handed = systemd.inherited_sockets(environment, os.getpid())
        if handed:
            return {f"systemd:{sock.fileno()}": sock for sock in handed}
    elif any(name.startswith("systemd:") for name in previous.sockets):
        return previous.sockets
    if not wanted:
        raise ConfigError("server.listen", "[]", 'name at least one address, as "0.0.0.0:25"')
    held = previous.sockets if previous else {}
    fresh: dict[str, socket.socket] = {}
    try:
        for text in wanted:
            if text not in held:
                fresh[text] = bind_address(text, "server.listen")
    except ConfigError:
        for sock in fresh.values():
            sock.close()
        raise
    for text in held.keys() - set(wanted):
        held[text].close()
    return {text: held.get(text) or fresh[text] for text in wanted}


def _monitor_socket(text: str, previous: Plan | None) -> socket.socket | None:
    if not text:
        return None
    if previous is not None and previous.settings.server.monitor == text and previous.monitor_socket is not None:
        return previous.monitor_socket
    sock = bind_address(text, "server.monitor")
    sock.setblocking(True)
    return sock


def _prepare_folder(settings: GateSettings, user: pwd.struct_passwd | None) -> None:
    try:
        own(settings.store.folder, user)
        check_folder(Path(settings.store.folder), user)
    except OSError as error:
        raise ConfigError("store.folder", settings.store.folder, f"cannot be made: {error.strerror}") from None


def _accounts(folder: Path) -> list[str]:
    """The accounts that exist; none where there is no database yet."""
    if not (folder / "accounts.db").exists():
        return []
    accounts = Accounts.open(folder)
    try:
        return accounts.addresses()
    finally:
        accounts.close()
