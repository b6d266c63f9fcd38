"""`gatepost lab`: brings up the small internet with the gate inside, plays the tour, prints the table.

In: whether to end after the tour, where to keep things. Out: the exit code: 0 when every visit went as it should.
Standard: DESIGN, "What others may lean on". Not here: the parts (`internet`, `dns`, `gate`, `tour`, `table`).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from gatepost.errors import InputError
from gatepost.lab import cast
from gatepost.lab.dns import LabDns
from gatepost.lab.gate import GateObserver, LabGate, Ports, PortTaken, free_port, start_gate, write_gate
from gatepost.lab.internet import Internet, make_internet
from gatepost.lab.judge import Result
from gatepost.lab.scenario import Scenario
from gatepost.lab.scenarios import SCENARIOS
from gatepost.lab.table import as_json, exit_code, print_table
from gatepost.lab.tour import run_tour
from gatepost.lab.verdicts import for_gate

INTERRUPTED = 130  # the shells' word for "ended by SIGINT"
PAPER = 160  # columns where the output goes to a file
ATTEMPTS = 4  # to find free ports
SMTP, MONITOR, DNS, SUBMISSION, SUBMISSIONS = (
    2525,
    8025,
    5300,
    5870,
    4650,
)  # wanted; a taken one is replaced by any free one


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """What runs."""

    internet: Internet
    gate: LabGate
    ports: Ports


def run_lab(*, once: bool, json: bool = False, folder: Path | None = None, only: Sequence[str] = ()) -> int:
    """The lab from start to end. `folder` keeps it (else a temporary one is removed at the end); `only` names the
    scenarios to play. Raises InputError and GatepostError."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatepost-lab-")))
        elif folder.exists() and any(folder.iterdir()):
            raise InputError("--folder", folder, "is not empty; name a new one")
        else:
            folder.mkdir(parents=True, exist_ok=True)
        return asyncio.run(_run(folder, choose(only), once=once, json=json))


def choose(only: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios called `only`, all when it is empty."""
    known = {scenario.name: for_gate(scenario) for scenario in SCENARIOS}
    for name in only:
        if name not in known:
            raise InputError("scenario", name, f"there is none of that name; there are {', '.join(known)}")
    return tuple(known[name] for name in only or known)


async def _run(folder: Path, scenarios: Sequence[Scenario], *, once: bool, json: bool) -> int:
    console = Console(stderr=json)
    if not console.is_terminal:
        console.width = PAPER
    told = _told()
    async with running_lab(folder) as lab:
        tour = asyncio.ensure_future(_tour(lab, scenarios, console))
        await asyncio.wait((tour, told), return_when=asyncio.FIRST_COMPLETED)
        if not tour.done():
            tour.cancel()
            return INTERRUPTED
        results = await tour
        if json:
            print(as_json(results), flush=True)
        else:
            print_table(results, console)
        if not once:
            _say_where(lab, console)
            await told
    return exit_code(results)


def _told() -> asyncio.Future[None]:
    """Done at SIGINT or SIGTERM: whatever happens then, the gate is stopped before we end."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not told.done():
            told.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    return told


@contextlib.asynccontextmanager
async def running_lab(folder: Path) -> AsyncIterator[Lab]:
    """Name server, authority and gate, for as long as the block lasts."""
    now = time.time()
    internet = make_internet(now)
    dns = LabDns(internet.zone_text, internet.faults)
    try:
        try:
            dns_port = await dns.start(cast.DNS, DNS)
        except InputError:  # another lab has it
            dns_port = await dns.start(cast.DNS, 0)
        gate, ports = await asyncio.to_thread(_start, folder, internet, dns_port, now)
        try:
            yield Lab(internet=internet, gate=gate, ports=ports)
        finally:
            await asyncio.to_thread(gate.stop)
    finally:
        dns.close()


def _start(folder: Path, internet: Internet, dns_port: int, now: float) -> tuple[LabGate, Ports]:
    """On the usual ports, or on others when another lab takes them in the same moment."""
    for attempt in range(ATTEMPTS):
        wanted = (SMTP, MONITOR, SUBMISSION, SUBMISSIONS) if attempt == 0 else (0, 0, 0, 0)
        smtp, monitor, submission, submissions = (free_port(cast.GATE, port) for port in wanted)
        ports = Ports(smtp=smtp, monitor=monitor, dns=dns_port, submission=submission, submissions=submissions)
        try:
            return start_gate(folder, write_gate(folder, internet, ports, now)), ports
        except PortTaken:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


async def _tour(lab: Lab, scenarios: Sequence[Scenario], console: Console) -> tuple[Result, ...]:
    columns = (TextColumn("the tour"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=len(scenarios))
        return await run_tour(
            lab.gate.target,
            lab.internet,
            scenarios,
            observer=GateObserver(lab.gate),
            progress=lambda scenario, visit: progress.update(task, advance=1, description=scenario.title),
        )


def _say_where(lab: Lab, console: Console) -> None:
    """What one can now talk to."""
    target, ports = lab.gate.target, lab.ports
    console.print("\n[bold]The lab stays up.[/bold] Ctrl-C ends it.\n")
    lines = (
        ("SMTP", f"{target.host}:{target.port} ({target.name}), mail for alice@ and bob@{target.domain}"),
        ("submission", f"{target.host}:{ports.submissions} (TLS) and :{ports.submission} (STARTTLS)"),
        ("log in", f"as {target.account} with {target.password}"),
        ("try", f"swaks --server {target.host}:{target.port} --to {target.recipient} --tls"),
        ("as the bank", f"swaks … --local-interface {cast.BANK} --helo mail.bank.example --from me@bank.example"),
        ("DNS", f"{cast.DNS}:{ports.dns}; dig @{cast.DNS} -p {ports.dns} _dmarc.bank.example TXT"),
        ("health", f"http://{cast.GATE}:{ports.monitor}/metrics"),
        ("authority", str(lab.gate.folder / "ca.pem")),
        ("log", str(lab.gate.log)),
        ("settings", f"{lab.gate.folder / 'gatepost.toml'}; gatepost log --config …"),
    )
    for word, text in lines:
        console.print(f"  {word:12} {text}", highlight=False, soft_wrap=True)
