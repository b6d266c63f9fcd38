"""What the door remembers of one connection: signs, and what was told already.

In: made by `door` when a client connects; it is the visit's `notes`. Out: read by `door`; its signs go with messages.
Not here: what a sign leads to (`door`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gatepost.names import DoorSign
from gatepost.server.door.settings import Mode
from gatepost.server.smtp.visit import Visit
from gatepost.wire.smtp.replies import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A sign, and what the door does about it: `reply` when `mode` is "on"."""

    sign: DoorSign
    mode: Mode
    reply: Reply


class Stay:
    """`exempt`: no check is about this client. `caught` holds a sign a check. `looking` is the look-ups under way."""

    __slots__ = ("caught", "exempt", "hello", "listed", "looking", "told")

    def __init__(self, *, exempt: bool) -> None:
        self.exempt = exempt
        self.caught: dict[str, Caught] = {}
        self.told: set[str] = set()
        self.hello = ""  # the name that was looked at last
        self.listed: tuple[str, ...] = ()  # lists that have the client's address
        self.looking: asyncio.Task[None] | None = None

    def catch(self, check: str, words: str, mode: Mode, reply: Reply) -> Caught:
        """Remembers a sign; the last one of a check counts."""
        caught = Caught(sign=DoorSign(check=check, words=words), mode=mode, reply=reply)
        self.caught[check] = caught
        return caught

    @property
    def refused(self) -> Caught | None:
        """The first sign that is not only watched."""
        return next((caught for caught in self.caught.values() if caught.mode == "on"), None)

    @property
    def signs(self) -> tuple[DoorSign, ...]:
        """All signs, for the messages of this connection."""
        return tuple(caught.sign for caught in self.caught.values())


_ELSEWHERE = Stay(exempt=True)  # of a visit that never was at the door


def stay_of(visit: Visit) -> Stay:
    """What the door remembers of `visit`."""
    notes = visit.notes
    return notes if isinstance(notes, Stay) else _ELSEWHERE
