"""Runs a probe: every port of every host, in turn, until it is done, the time is over or somebody says stop.

In: `Options`, scenarios. Out: what each port was found to do. Not here: what to try (`audit.probe`), one port
(`api_probe`).
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import time
from collections.abc import Sequence

from gatepost.api_probe import Probed, probe_server
from gatepost.audit.probe.aim import Aim
from gatepost.audit.probe.scenario import Scenario, World
from gatepost.cli.options import make_resolver
from gatepost.cli.probe_options import Options, read_password
from gatepost.cli.probe_where import find_targets
from gatepost.cli.progress import progress
from gatepost.names import domain_of
from gatepost.net.visits import SocketVisitor, VisitLimits
from gatepost.ports.mailbox import Mailbox
from gatepost.ports.prober import Target

SLOW = 2.0  # with --slow a port has this many times --wait on top


def run(options: Options, scenarios: Sequence[Scenario]) -> tuple[Probed, ...]:
    """All of it."""
    password = read_password(options.password_file)
    return asyncio.run(_run(options, scenarios, password))


async def _run(options: Options, scenarios: Sequence[Scenario], password: str) -> tuple[Probed, ...]:
    resolver = make_resolver(options.zone, options.resolver)
    targets = [target for host in options.hosts for target in await find_targets(host, options, resolver)]
    aims = [_aim(target, options, password) for target in targets]
    total = sum(aim.target.spoken in scenario.spoken for aim in aims for scenario in scenarios)
    stop = _stop_at_interrupt()
    probed: list[Probed] = []
    done = 0

    with progress(total, "probing", octets=False) as advance:

        def one_more(_result: object) -> None:
            nonlocal done
            done += 1
            advance(done)

        for aim in aims:
            world = World(visitor=SocketVisitor(_limits(options)), mailbox=_mailbox(options, password))
            deadline = options.deadline + (SLOW * options.wait if options.slow else 0)
            probed.append(await probe_server(aim, scenarios, world, deadline=deadline, progress=one_more, stop=stop))
    return tuple(probed)


def _stop_at_interrupt() -> asyncio.Event:
    """The first Ctrl-C ends the probe and keeps what was found; the second ends everything."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def tell() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    return stop


def _limits(options: Options) -> VisitLimits:
    return VisitLimits(at_once=options.at_once, rate=options.rate, patience=options.patience, quiet=options.quiet)


def _aim(target: Target, options: Options, password: str) -> Aim:
    return Aim(
        target=target,
        now=time.time(),
        mark=f"probe-{secrets.token_hex(6)}",
        recipient=options.to,
        domain=options.domain or domain_of(options.to),
        sender=options.sender,
        outside=options.outside,
        sends_outside=options.send_outside,
        echo=options.echo,
        account=options.user,
        password=password,
        logs_in=options.login,
        reads_mail=bool(options.imap or options.pop3),
        slow=options.slow,
        ehlo=options.ehlo or domain_of(options.sender) or "probe.example",
        authority=options.ca_file,
        wait=options.wait,
        mail_wait=options.mail_wait,
        crowd=options.crowd,
        source=options.source,
    )


def _mailbox(options: Options, password: str) -> Mailbox | None:
    if not (options.imap or options.pop3):
        return None
    from gatepost.net.mailbox import Account, RemoteMailbox

    account = Account(
        server=options.imap or options.pop3,
        protocol="imap" if options.imap else "pop3",
        user=options.user,
        password=password,
        authority=options.ca_file,
    )
    return RemoteMailbox(account)
