"""The supervisor: binds the ports, starts the processes, starts them again, and stops them without losing mail.

In: a function that loads the settings. Out: an exit code. It reads nothing that comes from the network.
A reload (SIGHUP) starts a new generation of reception processes from the new settings and lets the old ones finish what
they have: no connection is dropped, and a configuration that is wrong changes nothing but the log.
Not here: what a process does (`reception`, `delivery`, `monitor`).
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field

from gatepost.errors import GatepostError
from gatepost.server import systemd
from gatepost.server.children import RETIRE, Lifeline, fill_standard_descriptors, fork_child
from gatepost.server.logs import Log
from gatepost.server.metrics import Metric
from gatepost.server.plan import Plan, Stamps, certificate_stamps, count_workers, make_plan, renew_certificates
from gatepost.server.preload import preload
from gatepost.server.processes import roles_beside, run_process
from gatepost.server.settings import GateSettings
from gatepost.server.submission.policy import private_networks

WATCHED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
FIRST_BACKOFF, LAST_BACKOFF = 0.5, 30.0  # seconds before a process that crashed starts again
GRACE = 5.0  # seconds beyond server.stop_timeout before a process is killed
CERTIFICATE_LOOK = 2.0  # seconds between two looks at whether a certificate's file has changed
STEADY = 60.0  # seconds after which a crash counts as the first again


@dataclass(slots=True)
class Child:
    """One running process. `column` is its place in the shared tables; `ready` once it serves; `leaving` when it was
    told to stop; `processor` the only one it runs on."""

    role: str
    column: int
    generation: int
    started: float
    leaving: bool = False
    ready: bool = False
    processor: int | None = None


@dataclass(slots=True)
class Restart:
    """A process to be started again at `at` (monotonic seconds)."""

    role: str
    at: float
    backoff: float


@dataclass
class Supervisor:
    """`load` reads the settings anew; `clock` is monotonic seconds."""

    load: Callable[[], GateSettings]
    environment: MutableMapping[str, str]
    clock: Callable[[], float] = time.monotonic
    _children: dict[int, Child] = field(default_factory=dict)
    _restarts: list[Restart] = field(default_factory=list)
    _backoff: dict[str, tuple[float, float]] = field(default_factory=dict)
    _generation: int = 0
    _stopping_since: float | None = None
    _look_at: float = 0.0
    _stamps: Stamps = ()
    _waited_for: str = "started"  # what to report once every reception process serves; empty when that is done

    def run(self) -> int:
        """Serves until told to stop. Raises ConfigError before anything runs when the settings can't work."""
        fill_standard_descriptors()
        settings = self.load()
        self._log = Log(settings.server.log_level)
        self._plan: Plan = make_plan(settings, self.environment, previous=None)
        if os.geteuid() == 0 and self._plan.user is None:
            self._log.warning("runs-as-root", do="set server.user, or use the systemd unit")
        self._stamps = certificate_stamps(settings)
        self._warn()
        if self._plan.user is not None:
            preload(acme=bool(settings.acme.names))
        self._lifeline = Lifeline()
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        gc.collect()
        gc.freeze()  # children share these pages as long as nobody touches them
        self._start_all()
        while self._children or self._restarts:
            self._step()
        self._log.info("stopped")
        return 0

    def _step(self) -> None:
        got = signal.sigtimedwait(WATCHED, self._wait_time())
        number = got.si_signo if got else 0
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stop()
        elif number == signal.SIGHUP and self._stopping_since is None:
            self._reload()
        self._reap()
        self._start_due()
        self._watch_certificates()
        if self._waited_for:
            self._note_ready()
        self._end_the_slow()

    def _wait_time(self) -> float:
        due = [restart.at - self.clock() for restart in self._restarts]
        return max(0.01, min([*due, 0.05 if self._waited_for else 1.0]))

    def _warn(self) -> None:
        """What works and should not stay so, said at each start and reload."""
        private = private_networks(self._plan.settings)
        if private:
            self._log.warning(
                "relays-for-many", networks=", ".join(private), do="strangers may hide there: name single addresses"
            )
        ends = self._plan.certificate_ends
        if ends is not None and ends < time.time():
            day = time.strftime("%Y-%m-%d", time.gmtime(ends))
            self._log.error(
                "certificate-expired", file=self._plan.settings.tls.certificate, on=day, do="renew it, then SIGHUP"
            )

    # --- starting

    def _start_all(self) -> None:
        for _ in range(self._plan.workers):
            self._start("reception")
        for role in roles_beside(self._plan):
            self._start(role)

    def _start(self, role: str) -> None:
        column = self._free_column()
        plan, lifeline = self._plan, self._lifeline
        processor = self._free_processor() if role == "reception" else None

        def main() -> None:
            run_process(plan, role, column, lifeline.hold_in_child(), processor)

        pid = fork_child(main, role, self._log)
        self._children[pid] = Child(role, column, self._generation, self.clock(), processor=processor)
        self._log.debug("process-started", role=role, process=pid)

    def _free_column(self) -> int:
        taken = {child.column for child in self._children.values()}
        free = (column for column in range(self._plan.columns) if column not in taken)
        column = next(free, None)
        if column is None:
            raise GatepostError("too many old processes are still finishing; reload again when they have ended")
        self._plan.clear_column(column)
        return column

    def _free_processor(self) -> int | None:
        """A processor that no other reception process of this generation has; None where they are not bound to one."""
        plan = self._plan
        if not plan.settings.server.pin_workers or plan.workers != len(plan.processors):
            return None
        taken = {child.processor for child in self._children.values() if child.generation == self._generation}
        return min(plan.processors - taken, default=None)

    def _start_due(self) -> None:
        due = [restart for restart in self._restarts if restart.at <= self.clock()]
        self._restarts = [restart for restart in self._restarts if restart not in due]
        for restart in due:
            if self._stopping_since is None:
                self._start_or_again(restart.role)

    def _start_or_again(self, role: str) -> None:
        """Starts a process, later if not now: no place in the tables, no memory for a fork. The others go on."""
        try:
            self._start(role)
        except (GatepostError, OSError) as error:
            self._log.error("process-not-started", role=role, reason=error, again_in=LAST_BACKOFF)
            self._restarts.append(Restart(role, self.clock() + LAST_BACKOFF, LAST_BACKOFF))

    def _note_ready(self) -> None:
        """When the new generation serves, the old one may leave: at no moment does nobody listen."""
        ready = self._plan.read_ready()
        mine = [c for c in self._children.values() if c.role == "reception" and c.generation == self._generation]
        for child in mine:
            child.ready = child.ready or child.column in ready
        if len(mine) < self._plan.workers or not all(child.ready for child in mine) or self._stopping_since is not None:
            return
        event, self._waited_for = self._waited_for, ""
        self._retire_others()
        listen = ",".join(self._plan.addresses)
        self._log.info(event, hostname=self._plan.settings.hostname, listen=listen, generation=self._generation)
        systemd.notify("READY=1", self.environment)

    def _retire_others(self) -> None:
        """Reception of older generations serves its connections to their end; of all others there is one each, which
        starts again with the new settings as soon as the old has stopped."""
        for pid, child in self._children.items():
            if child.generation != self._generation and not child.leaving:
                child.leaving = True
                os.kill(pid, RETIRE if child.role == "reception" else signal.SIGTERM)

    # --- ending

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                self._ended(child, os.waitstatus_to_exitcode(status))

    def _ended(self, child: Child, code: int) -> None:
        self._plan.clear_column(child.column)
        if self._stopping_since is not None or (child.leaving and child.role == "reception"):
            return
        if child.role != "reception" and child.role not in roles_beside(self._plan):
            return
        if child.leaving:  # there is only one of each kind beside reception: the new one starts when the old ended
            self._restarts.append(Restart(child.role, self.clock(), 0.0))
            return
        self._plan.metrics.column(0).add(Metric.WORKER_RESTARTS)
        last, when = self._backoff.get(child.role, (FIRST_BACKOFF / 2, 0.0))
        backoff = FIRST_BACKOFF if self.clock() - when > STEADY else min(last * 2, LAST_BACKOFF)
        self._backoff[child.role] = (backoff, self.clock())
        self._log.error("process-ended", role=child.role, exit=code, restart_in=backoff)
        self._restarts.append(Restart(child.role, self.clock() + backoff, backoff))

    def _stop(self) -> None:
        if self._stopping_since is not None:
            return
        self._stopping_since = self.clock()
        self._restarts.clear()
        systemd.notify("STOPPING=1", self.environment)
        self._log.info("stopping", processes=len(self._children))
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)

    def _end_the_slow(self) -> None:
        """What has not finished in its time is ended: its mail is either in the spool or was never answered 250."""
        if (
            self._stopping_since is None
            or self.clock() - self._stopping_since < self._plan.settings.server.stop_timeout + 5
        ):
            return
        for pid, child in self._children.items():
            self._log.warning("process-killed", role=child.role, process=pid)
            os.kill(pid, signal.SIGKILL)
        self._stopping_since = self.clock()

    # --- certificates

    def _watch_certificates(self) -> None:
        """A certificate is renewed by whoever renews it; nobody has to remember to tell us."""
        if self._stopping_since is not None or self._waited_for or self.clock() < self._look_at:
            return
        self._look_at = self.clock() + CERTIFICATE_LOOK
        stamps = certificate_stamps(self._plan.settings)
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            self._check_places(self._plan.workers)
            plan = renew_certificates(self._plan)
        except (GatepostError, OSError) as error:  # half of it is written, perhaps: the other half is a change, too
            self._log.error("certificate-refused", reason=error, kept="the certificate before")
            return
        self._begin_generation(plan, "certificate-renewed")

    # --- reload

    def _check_places(self, workers: int) -> None:
        """A reload needs places for a whole new generation beside all that still run or are to start again."""
        if len(self._children) + len(self._restarts) + workers > self._plan.columns:
            raise GatepostError("too many old processes are still finishing; reload again when they have ended")

    def _reload(self) -> None:
        systemd.notify("RELOADING=1", self.environment)
        try:
            settings = self.load()
            self._check_places(count_workers(settings))
            plan = make_plan(settings, self.environment, previous=self._plan)
            if plan.user is not None:
                preload(acme=bool(settings.acme.names))
        except Exception as error:  # whatever it is, the gate goes on as it was
            reason = error if isinstance(error, (GatepostError, OSError)) else repr(error)
            self._log.error("reload-refused", reason=reason, kept="the configuration before")
            systemd.notify("READY=1", self.environment)
            return
        self._stamps = certificate_stamps(settings)
        self._begin_generation(plan, "reloaded")
        running = {child.role for child in self._children.values()} | {one.role for one in self._restarts}
        for role in roles_beside(plan):
            if role not in running:
                self._start(role)

    def _begin_generation(self, plan: Plan, event: str) -> None:
        """Starts the reception anew with `plan`; the old one goes once the new one serves."""
        self._plan = plan
        self._warn()
        self._generation += 1
        self._waited_for = event
        for _ in range(plan.workers):
            self._start_or_again("reception")
