"""Plays one visit over a real socket, octet for octet, and says how it ended by the replies.

In: a scenario and its stage. Out: `Visit`. Blocking; the tour runs it in a thread.
Standard: RFC 5321 §4.2 (replies), RFC 3207 (STARTTLS). It is deliberately no SMTP client: it sends what the script
says, in the order it says.
Not here: whether that was right (`lab.judge`).
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field

from gatepost.lab.scenario import Door, Outcome, Scenario, Stage, Step
from gatepost.net.tls import client_context

PATIENCE = 30.0  # seconds for one reply; the slowest honest one waits for DNS that never answers
CONNECT = 5.0
MAX_REPLY = 65536  # octets


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` as it came, `lines` without it."""

    code: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"{self.code} {' '.join(self.lines)}".strip()


@dataclass(slots=True)
class Visit:
    """What happened. `decisive` is the reply that ended it, `replies` all of them, `reason` says what was no reply."""

    outcome: Outcome = Outcome.ACCEPTED
    replies: list[Reply] = field(default_factory=list)
    decisive: Reply | None = None
    reason: str = ""
    secure: bool = False


class _Closed(Exception):
    """The server hung up."""


class _Dialogue:
    """A connection and what was read from it but not yet used."""

    def __init__(self, stage: Stage, source: str, door: Door) -> None:
        self.stage = stage
        target = stage.target
        source_address = (source, 0) if source and target.host.startswith("127.") else None
        self.socket: socket.socket = socket.create_connection(
            (target.host, target.port_of(door)), timeout=CONNECT, source_address=source_address
        )
        self.buffer = b""
        self.offers: frozenset[str] = frozenset()

    def send(self, octets: bytes) -> None:
        """A server that hangs up while we send may still have said why: that is read afterwards."""
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.sendall(octets)
        except OSError:
            pass

    def reply(self, seconds: float) -> Reply | None:
        """The next reply, None when there is none in time."""
        lines: list[str] = []
        while True:
            line = self._line(seconds)
            if line is None:
                return None
            lines.append(line[4:])
            if line[3:4] != "-":
                return Reply(line[:3], tuple(lines))

    def _line(self, seconds: float) -> str | None:
        self.socket.settimeout(seconds)
        while b"\n" not in self.buffer:
            try:
                octets = self.socket.recv(4096)
            except TimeoutError:
                return None
            except OSError as error:
                raise _Closed(str(error)) from error
            if not octets or len(self.buffer) > MAX_REPLY:
                raise _Closed("the server closed the connection")
            self.buffer += octets
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "replace")

    def start_tls(self) -> None:
        target = self.stage.target
        context = client_context(verified=target.authority is not None, authority=target.authority)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname=target.name or None)
        except (ssl.SSLError, OSError) as error:
            raise _Closed(f"no TLS: {error}") from error
        self.offers = frozenset()


def play(scenario: Scenario, stage: Stage) -> Visit:
    """One visit from start to end; every way it can go is an `Outcome`."""
    visit = Visit()
    if not stage.target.port_of(scenario.door):
        visit.outcome, visit.reason = Outcome.NOT_OFFERED, f"nobody listens for {scenario.door.value} there"
        return visit
    try:
        dialogue = _Dialogue(stage, scenario.source, scenario.door)
    except OSError as error:
        visit.outcome, visit.reason = Outcome.CLOSED, f"no connection: {error}"
        return visit
    with dialogue.socket:
        try:
            if scenario.door is Door.SUBMISSIONS:
                dialogue.start_tls()
                visit.secure = True
            for step in scenario.script(stage):
                if not _take(step, dialogue, visit):
                    break
        except _Closed as error:
            if visit.outcome is Outcome.ACCEPTED:
                visit.outcome, visit.reason = Outcome.CLOSED, str(error)
        finally:
            dialogue.socket.close()
    return visit


def _take(step: Step, dialogue: _Dialogue, visit: Visit) -> bool:
    """One step; False when the visit is over."""
    if step.needs and step.needs not in dialogue.offers:
        visit.outcome, visit.reason = Outcome.NOT_OFFERED, f"{step.needs} is not announced"
        return False
    dialogue.send(step.send)
    if step.last_word:
        return _say_goodbye(dialogue)
    for _ in range(step.replies):
        reply = dialogue.reply(PATIENCE)
        if reply is None:
            visit.outcome, visit.reason = Outcome.SILENT, f"no reply within {PATIENCE:g} s"
            return False
        _note(reply, step, visit)
    if step.send[:5].upper() == b"EHLO " and visit.replies and visit.replies[-1].code == "250":
        dialogue.offers = frozenset(line.partition(" ")[0].upper() for line in visit.replies[-1].lines[1:])
    if step.tls and visit.outcome is Outcome.ACCEPTED:
        dialogue.start_tls()
        visit.secure = True
    if step.quiet:
        _listen(step.quiet, dialogue, visit)
    return visit.outcome is Outcome.ACCEPTED


def _note(reply: Reply, step: Step, visit: Visit) -> None:
    """The first reply that is not positive decides."""
    visit.replies.append(reply)
    if visit.outcome is not Outcome.ACCEPTED:
        return
    visit.decisive = reply
    if reply.code[:1] == "4":
        visit.outcome = Outcome.DEFERRED
    elif reply.code == "221":  # a farewell that nobody asked for
        visit.outcome, visit.reason = Outcome.CLOSED, reply.text
    elif reply.code[:1] not in ("2", "3") and not step.refusals:
        visit.outcome = Outcome.REFUSED


def _listen(seconds: float, dialogue: _Dialogue, visit: Visit) -> None:
    """Nothing more may come but a farewell."""
    try:
        reply = dialogue.reply(seconds)
    except _Closed:
        if visit.outcome is Outcome.ACCEPTED:
            raise
        return
    if reply is not None and reply.code != "421":
        visit.replies.append(reply)
        visit.outcome, visit.decisive = Outcome.FOOLED, reply


def _say_goodbye(dialogue: _Dialogue) -> bool:
    try:
        dialogue.reply(PATIENCE)
    except _Closed:
        pass
    return False
