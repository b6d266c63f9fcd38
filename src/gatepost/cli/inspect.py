"""`gatepost inspect`: explains messages from files, mailboxes or standard input.

In: paths, who handed the message in, where DNS answers come from. Out: a report, or one JSON object a line.
Standard: DESIGN, "What others may lean on". Exit code 1 when a finding is at or above --fail-on.
Not here: the judgement (`api`), reading mailboxes (`sources`), printing (`show`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import click

from gatepost.api import Inspection, InspectionSettings, inspect_message
from gatepost.cli.clock import read_now
from gatepost.cli.gate import json_option
from gatepost.cli.options import (
    config_option,
    dns_options,
    fail_on_option,
    inspection_settings,
    make_fetcher,
    make_history,
    make_lists,
    make_locator,
    make_memory,
    make_resolver,
    make_scanner,
    make_session,
    now_option,
    read_settings,
    session_options,
)
from gatepost.cli.progress import Advance, progress
from gatepost.cli.show import show_inspection, show_line
from gatepost.cli.sources import Saved, read_messages, total_octets
from gatepost.cli.terminal import console
from gatepost.finding import Severity
from gatepost.names import Session
from gatepost.net.fetch import RedirectFetcher
from gatepost.ports import History, Locator, Memory, Opener, Resolver, Scanner
from gatepost.reputation import Lists
from gatepost.sandbox.pool import Sandbox

AT_ONCE = 16  # messages whose DNS questions are waited for together
PATIENCE = 60.0  # seconds for opening one message: no client waits for an answer here
OCTETS_AT_ONCE = 64 << 20  # and how much memory they may take


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """How each message is judged."""

    session: Session
    mail_from: str | None
    resolver: Resolver
    scanner: Scanner | None
    now: float | None
    settings: InspectionSettings
    opener: Opener | None = None
    history: History | None = None
    memory: Memory | None = None
    locator: Locator | None = None
    lists: Lists | None = None
    fetcher: RedirectFetcher | None = None

    async def inspect(self, saved: Saved) -> Inspection:
        return await inspect_message(
            saved.raw,
            session=self.session,
            mail_from=self.mail_from,
            resolver=self.resolver,
            scanner=self.scanner,
            opener=self.opener,
            history=self.history,
            memory=self.memory,
            locator=self.locator,
            lists=self.lists,
            fetcher=self.fetcher,
            now=self.now,
            settings=self.settings,
        )


@click.command("inspect")
@click.argument("files", nargs=-1, required=True, metavar="FILE...|-")
@session_options
@dns_options
@now_option
@config_option
@fail_on_option
@click.option("--full", is_flag=True, help="The whole report on each message of a mailbox, not one line.")
@json_option
def command(
    files: tuple[str, ...],
    ip: str,
    ehlo: str,
    mail_from: str | None,
    zone: str | None,
    resolver: str | None,
    dns_timeout: tuple[str, ...],
    dns_fail: tuple[str, ...],
    now: str | None,
    config: str | None,
    fail_on: str,
    full: bool,
    as_json: bool,
) -> int:
    """Explain messages: .eml, .msg and mbox files, Maildir folders, or '-' for standard input.

    Without --ip a message is judged as received from the address that its topmost Received field names.
    """
    settings = read_settings(config)
    asked = make_resolver(zone, resolver, dns_timeout, dns_fail, settings)
    judge = _Judge(
        session=make_session(ip, ehlo),
        mail_from=mail_from,
        resolver=asked,
        scanner=make_scanner(settings),
        history=make_history(settings),
        memory=make_memory(settings),
        locator=make_locator(settings),
        lists=make_lists(settings, asked),
        fetcher=make_fetcher(settings, asked),
        now=None if now is None else read_now(now),
        settings=inspection_settings(settings),
    )
    messages = read_messages(files)
    ahead = list(itertools.islice(messages, 2))
    printer = _Printer(as_json=as_json, whole=full or len(ahead) == 1)
    with progress(total_octets(files) if len(ahead) > 1 else None) as advance:
        asyncio.run(_run(judge, itertools.chain(ahead, messages), printer, advance, several=len(ahead) > 1))
    printer.finish()
    return 1 if fail_on != "never" and printer.gravest >= Severity(fail_on).rank else 0


async def _run(judge: _Judge, messages: Iterable[Saved], printer: _Printer, advance: Advance, *, several: bool) -> None:
    async with AsyncExitStack() as stack:
        content = judge.settings.content
        if judge.fetcher is not None:
            stack.push_async_callback(judge.fetcher.close)
        if content.enabled:
            content = dataclasses.replace(content, waiting=AT_ONCE, deadline=max(content.deadline, PATIENCE))
            # loading every reader first pays only for several messages
            opener = await stack.enter_async_context(Sandbox(content, preload=several))
            judge = dataclasses.replace(judge, opener=opener)
        async for saved, inspection in _in_order(judge, iter(messages)):
            printer.show(saved.name, inspection)
            advance(saved.read)


async def _in_order(judge: _Judge, messages: Iterator[Saved]) -> AsyncIterator[tuple[Saved, Inspection]]:
    """Judges several messages at once, since most of the time is spent waiting for DNS; answers in order."""
    waiting: deque[tuple[Saved, asyncio.Task[Inspection]]] = deque()
    octets = 0
    for saved in messages:
        waiting.append((saved, asyncio.ensure_future(judge.inspect(saved))))
        octets += len(saved.raw)
        while waiting and (len(waiting) >= AT_ONCE or octets > OCTETS_AT_ONCE):
            first, task = waiting.popleft()
            octets -= len(first.raw)
            yield first, await task
    while waiting:
        first, task = waiting.popleft()
        yield first, await task


class _Printer:
    """Writes each verdict as it comes, and keeps no more than counts."""

    def __init__(self, *, as_json: bool, whole: bool) -> None:
        self.as_json = as_json
        self.whole = whole
        self.gravest = -1  # below every severity: nothing was found
        self.actions: Counter[str] = Counter()
        self.console = console()

    def show(self, name: str, inspection: Inspection) -> None:
        """One message's verdict."""
        self.gravest = max([self.gravest, *(finding.severity.rank for finding in inspection.findings)])
        self.actions[inspection.decision.action.value] += 1
        if self.as_json:
            answer = inspection.as_json()
            answer["message"]["file"] = name
            sys.stdout.write(json.dumps(answer) + "\n")
        elif self.whole:
            show_inspection(self.console, inspection, name)
        else:
            show_line(self.console, inspection, name)

    def finish(self) -> None:
        """What there was, for mailboxes."""
        if not self.as_json and not self.whole:
            counts = ", ".join(f"{count} {action}" for action, count in self.actions.most_common())
            self.console.print(f"{sum(self.actions.values())} messages: {counts}")
