"""Many audits over several processes, in the order of the input.

In: an `Auditor`, names, how many processes. Out: audits as JSON values, one after the other. So many are under way or
wait for their turn as fit into the window; memory does not grow with the number of names. What an address may be asked
at a time is divided among the processes (`Auditor.shared_by`).
Not here: one process (`audit_many`), the command (`audit`).
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from gatepost.cli.audit_many import Auditor
from gatepost.errors import GatepostError

WORTH_IT = 200  # domains from which on more processes pay for their start


def audit_over(auditor: Auditor, names: Iterable[str], at_once: int, processes: int) -> Iterator[dict[str, Any]]:
    """All of `names`, `at_once` at a time in each process."""
    context = multiprocessing.get_context("fork")
    ours, theirs = zip(*(context.Pipe() for _ in range(processes)), strict=True)
    shared = replace(auditor, shared_by=processes)
    workers = [context.Process(target=_work, args=(shared, end, ours, at_once), daemon=True) for end in theirs]
    for worker, end in zip(workers, theirs, strict=True):
        worker.start()
        end.close()
    try:
        yield from _in_order(ours, iter(enumerate(names)), processes * at_once)
    finally:
        _stop(workers, ours)


def _in_order(ends: tuple[Connection, ...], names: Iterator[tuple[int, str]], window: int) -> Iterator[dict[str, Any]]:
    """Hands names out in turn. A name has at most 1 KB, so that what a process has not read yet fits into its pipe."""
    found: dict[int, dict[str, Any]] = {}
    given = told = 0
    while True:
        for number, name in itertools.islice(names, window - (given - told)):
            ends[number % len(ends)].send_bytes(json.dumps([number, name]).encode())
            given += 1
        if told == given:
            return
        if told not in found:
            _receive(ends, found)
        while told in found:
            yield found.pop(told)
            told += 1


def _receive(ends: tuple[Connection, ...], found: dict[int, dict[str, Any]]) -> None:
    """What has arrived, at least one answer."""
    for end in wait(ends):
        if isinstance(end, Connection):
            try:
                number, answer = json.loads(end.recv_bytes())
            except EOFError:
                raise GatepostError("one of the processes that audit has ended; run it again with --jobs 1") from None
            found[number] = answer


def _stop(workers: Sequence[BaseProcess], ends: tuple[Connection, ...]) -> None:
    for end in ends:
        end.close()
    for worker in workers:
        worker.join(2.0)
        if worker.is_alive():
            worker.terminate()


def _work(auditor: Auditor, end: Connection, others: tuple[Connection, ...], at_once: int) -> None:
    """A process: audits what comes in until nothing more can come."""
    for other in others:
        other.close()
    gc.freeze()  # what was loaded before the fork stays as long as the process, and audits make no cycles to speak of
    gc.set_threshold(50_000, 20, 100)
    try:
        asyncio.run(_serve(auditor, end, at_once))
    except KeyboardInterrupt:
        pass


async def _serve(auditor: Auditor, end: Connection, at_once: int) -> None:
    slots, tasks, over = asyncio.Semaphore(at_once), set[asyncio.Task[None]](), asyncio.Event()

    async def answer(number: int, name: str) -> None:
        async with slots:
            found = await auditor.audit(name)
        try:
            end.send_bytes(json.dumps([number, found]).encode())
        except OSError:  # nobody wants to know any more
            over.set()

    def ended(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:  # ends the process, and so the run, with a word
            over.set()

    def arrived() -> None:
        try:
            while end.poll():
                task = asyncio.create_task(answer(*json.loads(end.recv_bytes())))
                tasks.add(task)
                task.add_done_callback(ended)
        except (EOFError, OSError):
            over.set()

    loop = asyncio.get_running_loop()
    async with auditor:
        loop.add_reader(end.fileno(), arrived)
        await over.wait()
        loop.remove_reader(end.fileno())
        for task in tasks:
            task.cancel()
