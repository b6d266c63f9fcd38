"""`serve --check`: would the gate start, and which layers of isolation hold on this system?

In: settings, the time. Out: points in plain words: good, good with a warning, or bad. Nothing is changed; ports are
bound and let go at once. A port that is taken is no fault while this gate runs: a change is checked before its reload.
Not here: the domain's standing in the world (`audit`).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gatepost.errors import ConfigError, GatepostError
from gatepost.net.clamd import ClamdScanner
from gatepost.net.resolver import DnsResolver
from gatepost.net.tls import check_certificate, find_certificate
from gatepost.reputation.known import resolve_lists
from gatepost.sandbox.handle import ChildLost
from gatepost.sandbox.landlock import version as landlock_version
from gatepost.sandbox.pool import probe
from gatepost.sandbox.readers import missing_libraries
from gatepost.server.certificates.check import describe_acme
from gatepost.server.door.parts import describe
from gatepost.server.entrances import FIELDS, bind_address, wanted
from gatepost.server.forward.check import describe_forward
from gatepost.server.https.check import describe_https
from gatepost.server.outwards import describe_delivery
from gatepost.server.plan import check_settings
from gatepost.server.privileges import check_folder, lookup_user
from gatepost.server.settings import GateSettings
from gatepost.server.signing.signer import describe_signing
from gatepost.server.submission.policy import describe_submission
from gatepost.store.database import examine

SOON = 14 * 86400  # seconds: a certificate that ends within two weeks is told of
# What words of a warning begin with.
LOUD = ("RUNS AS ROOT", "ENDS SOON", "NO STARTTLS", "NO WAY OUT", "STRANGERS", "NOT SIGNED", "NOT REWRITTEN", "FAILS")


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that was looked at. `warning`: the gate would start, but somebody should see to this."""

    subject: str
    good: bool
    words: str
    warning: bool = False


def check_gate(settings: GateSettings, now: float) -> list[Point]:
    """All points, in the order in which the gate would meet them."""
    running = is_running(Path(settings.store.folder))
    looks: list[tuple[str, Callable[[], str]]] = [
        ("configuration", lambda: _domains(settings)),
        ("name servers", lambda: _name_servers(settings)),
        ("scanner", lambda: _scanner(settings)),
        ("door", lambda: describe(settings)),
        ("lists", lambda: _lists(settings)),
        ("certificate", lambda: _certificate(settings, now)),
        ("user", lambda: _user(settings)),
        ("store", lambda: _store(settings)),
        ("submission", lambda: describe_submission(settings)),
        ("signing", lambda: describe_signing(settings)),
        ("acme", lambda: describe_acme(settings)),
        ("https", lambda: describe_https(settings)),
        ("delivery", lambda: describe_delivery(settings)),
        ("forwarding", lambda: describe_forward(settings, check_settings(settings))),
        *(
            (f"port {text}", _port(text, FIELDS[kind], running))
            for kind, texts in wanted(settings).items()
            for text in texts
        ),
    ]
    if not settings.server.listen:
        looks.append(("ports", lambda: "those that systemd hands over (server.listen is empty)"))
    if settings.server.monitor:
        looks.append((f"monitor {settings.server.monitor}", _port(settings.server.monitor, "server.monitor", running)))
    return [_point(subject, look) for subject, look in looks] + list(_isolation()) + list(_sandbox(settings))


def _point(subject: str, look: Callable[[], str]) -> Point:
    try:
        words = look()
        return Point(subject, True, words, words.startswith(LOUD))
    except (GatepostError, OSError) as error:
        return Point(subject, False, str(error))


def _domains(settings: GateSettings) -> str:
    check_settings(settings)
    return f"mail is taken for {', '.join(settings.domains)} as {settings.hostname}"


def _name_servers(settings: GateSettings) -> str:
    DnsResolver(settings.dns)
    return ", ".join(settings.dns.servers)


def _scanner(settings: GateSettings) -> str:
    if not settings.scanner.address:
        return "none; malware is known only by what attachments are"
    return asyncio.run(ClamdScanner(settings.scanner).ask("VERSION"))[:200]


def _lists(settings: GateSettings) -> str:
    asked = resolve_lists(settings.lists)
    if not asked:
        return "none is asked (lists.use is empty)"
    told = ", ".join(f"{one.name} ({one.mode})" for one in asked)
    return f"{told}; `gatepost lists list` tests them"


def _certificate(settings: GateSettings, now: float) -> str:
    if not settings.tls.certificate:
        return "NO STARTTLS: mail comes in the clear; name a certificate in tls.certificate"
    tls = settings.tls
    if settings.acme.names and not Path(tls.certificate).exists():
        return "none yet; a self-signed one is made at the first start, and [acme] gets a real one then"
    found = {name: find_certificate(tls, name) for name in ("", *tls.names)}
    leaves = {name: check_certificate(files, now=now) for name, files in found.items()}
    first = min(leaves, key=lambda name: leaves[name].not_valid_after_utc)
    words = f"{found[first].certificate} ends on {leaves[first].not_valid_after_utc:%Y-%m-%d}"
    if tls.names:
        words += f"; the first of {len(found)}, with those for {', '.join(tls.names)}"
    left = leaves[first].not_valid_after_utc.timestamp() - now
    return f"ENDS SOON, renew it: {words}" if left < SOON else words


def _user(settings: GateSettings) -> str:
    user = lookup_user(settings.server.user)
    if user is not None:
        return f"root is dropped for {user.pw_name}"
    if os.geteuid() == 0:
        return "RUNS AS ROOT; set server.user, or use the systemd unit"
    return f"runs as user id {os.geteuid()}"


def _store(settings: GateSettings) -> str:
    folder = Path(settings.store.folder)
    place = folder if folder.exists() else next(parent for parent in folder.parents if parent.exists())
    if not os.access(place, os.W_OK | os.X_OK):
        raise ConfigError("store.folder", folder, f"{place} cannot be written by this user")
    room = os.statvfs(place)
    free = room.f_bavail * room.f_frsize
    if free < settings.store.spool.reserve:
        raise ConfigError("store.folder", folder, f"only {free >> 20} MB free; new mail would be answered 452")
    check_folder(folder, lookup_user(settings.server.user))
    databases = [path for shape in ("*.db", "spool/shard-*.db") for path in sorted(folder.glob(shape))]
    for database in databases:
        examine(database, settings.store.spool.check_limit)
    sound = f", {len(databases)} databases sound" if databases else ""
    return f"{folder}, {free >> 30} GB free{sound}"


def _port(text: str, field: str, running: bool) -> Callable[[], str]:
    def look() -> str:
        try:
            sock = bind_address(text, field)
        except ConfigError:
            if running:
                return "taken, by the gate that runs now"
            raise
        family = "IPv6" if sock.family is socket.AF_INET6 else "IPv4"
        sock.close()
        return f"free ({family})"

    return look


def is_running(folder: Path) -> bool:
    """Whether a gate with this store runs now: its delivery process holds the spool."""
    try:
        with (folder / "spool" / "delivery.owner").open("rb") as owner:
            fcntl.flock(owner, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass  # no gate has been here yet, or it is not ours to read: the next points say so
    return False


def _sandbox(settings: GateSettings) -> Iterator[Point]:
    """The walls around a child that opens content, one of which is started for this."""
    if not settings.content.enabled:
        yield Point("content", True, "nobody looks inside messages (content.enabled)")
        return
    try:
        layers, problems = asyncio.run(probe(settings.content))
    except ChildLost as lost:
        yield Point("content", False, f"no child process can be started to look inside messages: {lost.reason}")
        return
    holds = ", ".join(name for name, reason in layers.items() if not reason)
    lacks = "; ".join(f"{name}: {reason}" for name, reason in layers.items() if reason)
    words = f"{holds} hold; NOT {lacks}" if lacks else f"{holds} hold"
    yield Point("content: walls around children", True, words, bool(lacks))
    for name in missing_libraries():
        yield Point("content: readers", True, f"{name} is not installed; what it reads stays closed", True)
    for problem in problems:
        yield Point("content: YARA rules", False, problem)


def _isolation() -> Iterator[Point]:
    """The layers that keep a process small, as this system has them now. None is demanded: each is told."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    no_new = status.get("NoNewPrivs", "0").strip() == "1"
    yield Point("isolation: no new privileges", True, "holds" if no_new else "not set (the systemd unit sets it)")
    filtered = status.get("Seccomp", "0").strip() == "2"
    yield Point("isolation: system call filter", True, "holds" if filtered else "not set (the systemd unit sets it)")
    capabilities = int(status.get("CapEff", "0").strip(), 16)
    yield Point(
        "isolation: capabilities", True, "none" if capabilities == 0 else f"{capabilities.bit_count()} held now"
    )
    landlock = landlock_version()
    yield Point("isolation: Landlock", True, f"version {landlock}" if landlock else "not available on this kernel")
