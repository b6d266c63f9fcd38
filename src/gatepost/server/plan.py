"""The plan of one generation: settings, sockets, certificate, shared tables; made whole or not at all.

In: settings, the environment (systemd), the plan before. Out: `Plan`, or ConfigError with what to change.
What must be the same for all processes (tables, listening sockets, the wake-up pipe) is carried over from plan to plan.
Not here: starting processes (`supervisor`); what they do (`processes`).
"""

from __future__ import annotations

import os
import pwd
import socket
import ssl
import time
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path

from gatepost.errors import ConfigError
from gatepost.msgauth.srs import Srs
from gatepost.net.clamd import parse_address
from gatepost.net.directory import check_directory
from gatepost.net.geo import GeoLocator
from gatepost.net.publish import DnsPublisher
from gatepost.net.resolver import DnsResolver
from gatepost.net.settings import TlsSettings
from gatepost.net.tls import certificate_files, check_certificate, client_context, find_certificate, server_context
from gatepost.server.backup.ways import check_primary
from gatepost.server.certificates.check import check_acme, prepare_certificates
from gatepost.server.directory import account_addresses
from gatepost.server.door.rates import RateTable
from gatepost.server.entrances import Entrances, bind_address, open_entrances
from gatepost.server.forward.check import check_forward
from gatepost.server.forward.returns import SrsReturns
from gatepost.server.forward.secrets import open_srs
from gatepost.server.fullness import FillTable
from gatepost.server.https.check import check_https
from gatepost.server.metrics import MetricsTable
from gatepost.server.outwards import all_routes, check_delivery
from gatepost.server.privileges import adopt, check_folder, lookup_user, own
from gatepost.server.recipients import Recipients
from gatepost.server.settings import GateSettings
from gatepost.server.signing.keyfiles import own_keys
from gatepost.server.signing.keyring import KeyRing, load_ring
from gatepost.server.signing.signer import check_signing
from gatepost.server.smtp.counters import CounterTable
from gatepost.server.spelling import ascii_domain
from gatepost.server.submission.guessing import TABLE_WIDTH
from gatepost.server.submission.policy import check_submission
from gatepost.server.wellformed import check_names

MAX_WORKERS = 64
Stamps = tuple[tuple[int, int, int], ...]
SPARE_COLUMNS = 8  # delivery, monitor, and processes of a generation that is still finishing


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything the processes of one generation share. `columns` are places in the shared tables; a reload has twice
    the workers for a while. `processors` are those that this service may run on. `certificate_ends` is in seconds since
    the epoch."""

    settings: GateSettings
    entrances: Entrances
    monitor_socket: socket.socket | None
    tls: ssl.SSLContext | None
    submission_tls: ssl.SSLContext | None
    certificate_ends: float | None
    recipients: Recipients
    ring: KeyRing
    srs: Srs | None
    user: pwd.struct_passwd | None
    workers: int
    processors: frozenset[int]
    columns: int
    counters: CounterTable
    rates: RateTable
    guesses: RateTable
    metrics: MetricsTable
    fill: FillTable
    wake: tuple[int, int]
    ready: tuple[int, int]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where mail is taken."""
        return self.entrances.addresses

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
    prepare_certificates(settings, user, time.time())
    srs = open_srs(settings, needed=bool(recipients.aliases.outside))
    if srs is not None:
        recipients.returns = SrsReturns(srs, ascii_domain(settings.forward.srs_domain), time.time)
    own_keys(settings, user)
    now, tls = time.time(), settings.tls
    columns = previous.columns if previous else 2 * workers + SPARE_COLUMNS
    return Plan(
        settings=settings,
        recipients=recipients,
        ring=load_ring(settings),
        srs=srs,
        tls=server_context(tls, now=now) if tls.certificate else None,
        submission_tls=submission_context(settings, now),
        certificate_ends=_certificate_ends(tls, now),
        user=user,
        workers=workers,
        processors=frozenset(os.sched_getaffinity(0)),
        columns=columns,
        counters=previous.counters if previous else CounterTable(columns),
        rates=previous.rates if previous else RateTable(columns),
        guesses=previous.guesses if previous else RateTable(columns, TABLE_WIDTH),
        metrics=previous.metrics if previous else MetricsTable(columns),
        fill=previous.fill if previous else FillTable(),
        wake=previous.wake if previous else os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC),
        ready=previous.ready if previous else os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC),
        monitor_socket=_monitor_socket(settings.server.monitor, previous),
        entrances=open_entrances(settings, environment, previous.entrances if previous else None),
    )


def renew_certificates(plan: Plan) -> Plan:
    """The same plan with the certificates as their files are now. Raises ConfigError."""
    settings, now = plan.settings, time.time()
    return replace(
        plan,
        tls=server_context(settings.tls, now=now) if settings.tls.certificate else None,
        submission_tls=submission_context(settings, now),
        certificate_ends=_certificate_ends(settings.tls, now),
    )


def submission_context(settings: GateSettings, now: float) -> ssl.SSLContext | None:
    """The context of the ports where people hand in mail; it alone may ask clients for certificates."""
    submission = settings.submission
    if not (submission.listen_tls or submission.listen_starttls):
        return None
    return server_context(settings.tls, now=now, client_ca=submission.client_ca)


def count_workers(settings: GateSettings) -> int:
    """How many reception processes the settings want."""
    workers = settings.server.workers or min(len(os.sched_getaffinity(0)), MAX_WORKERS)
    if not 1 <= workers <= MAX_WORKERS:
        raise ConfigError("server.workers", workers, f"choose 1 to {MAX_WORKERS}, or 0 for one per core")
    return workers


def certificate_stamps(settings: GateSettings) -> Stamps:
    """What differs once a file that makes a certificate has changed."""
    files = [*certificate_files(settings.tls), Path(settings.submission.client_ca or os.devnull)]
    return tuple(_stamp(path) for path in files)


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _certificate_ends(settings: TlsSettings, now: float) -> float | None:
    """When the first of them ends."""
    if not settings.certificate:
        return None
    found = [find_certificate(settings), *(find_certificate(settings, name) for name in settings.names)]
    return min(check_certificate(one, now=now, may_have_expired=True).not_valid_after_utc.timestamp() for one in found)


def check_settings(settings: GateSettings) -> Recipients:
    """What can be said of the settings without binding anything: names, routes, aliases, demands for TLS."""
    if not settings.domains:
        raise ConfigError("domains", "{}", 'name at least one domain, as [domains."example.org"]')
    check_names(settings)
    check_signing(settings)
    DnsResolver(settings.dns)  # these raise for servers and certificates that are none
    client_context(verified=settings.delivery.tls == "verified", authority=settings.delivery.ca_file or None)
    if settings.scanner.address:
        parse_address(settings.scanner.address)
    check_acme(settings)
    check_https(settings)
    if settings.publish.server:
        DnsPublisher(settings.publish)
    if settings.geo.file or settings.geo.network_file:
        GeoLocator(settings.geo).close()
    check_delivery(settings)
    for name, domain in settings.domains.items():
        if domain.primary:
            check_primary(name, domain)
        elif domain.recipients == "call-forward" and not domain.route.startswith(("smtp:", "lmtp:")):
            remedy = f"{domain.route} cannot be asked; use a list"
            raise ConfigError(f'domains."{name}".recipients', domain.recipients, remedy)
        if domain.require_tls and not settings.tls.certificate:
            raise ConfigError(f'domains."{name}".require_tls', "true", "needs tls.certificate to offer STARTTLS")
    if settings.smtp.implicit_tls and not settings.tls.certificate:
        raise ConfigError("smtp.implicit_tls", "true", "needs tls.certificate")
    check_submission(settings)
    if settings.relay.require_tls_from and not settings.tls.certificate:
        raise ConfigError("relay.require_tls_from", settings.relay.require_tls_from, "needs tls.certificate")
    check_directory(settings.directory)
    existing = account_addresses(Path(settings.store.folder))
    elsewhere = settings.directory.kind != "embedded"
    recipients = Recipients(settings.domains, settings.postmaster, existing, elsewhere=elsewhere)
    check_forward(settings, recipients, all_routes(settings))
    return recipients


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
        adopt(Path(settings.store.folder), user)
        check_folder(Path(settings.store.folder), user)
    except OSError as error:
        raise ConfigError("store.folder", settings.store.folder, f"cannot be made: {error.strerror}") from None
