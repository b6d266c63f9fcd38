"""Messages as rows and back: compact columns, no JSON on the way in.

In: `NewMessage`, or rows of SQLite. Out: tuples to bind, or `Spooled`. Standard: none.
Not here: the tables (`schema`), the statements that read and write them (`shard`, `queue`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gatepost.errors import StoreError
from gatepost.names import Body, Envelope, Recipient, Session, Tls
from gatepost.store.spool.ids import parse_id, write_id
from gatepost.store.spool.spooled import NewMessage, Spooled, SpooledRecipient, State

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_EIGHT_BIT, _SMTPUTF8, _REQUIRETLS, _PROVEN = 1, 2, 4, 8

MESSAGE_COLUMNS = (
    "id, received_at, client_ip, ehlo_domain, protocol, tls, relay_ip, mail_from, flags, declared, ret, envid,"
    " reason, account, size"
)
MESSAGE_WIDTH = 17  # the above, crc and body
RECIPIENT_COLUMNS = (
    "message, position, address, notify, orcpt, junk, state, attempts, next_try, last_try, last_reply, route, bounce,"
    " last_relay, via"
)
NEW_RECIPIENT_COLUMNS = "message, position, address, notify, orcpt, junk, state, via"
NEW_RECIPIENT_WIDTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A new message as values to bind. `body` is None in `message` when the octets went into a file."""

    number: int
    message: tuple[Any, ...]
    recipients: tuple[Any, ...]  # of all recipients, one after the other
    recipient_count: int
    in_file: bool


def number_of(message_id: str) -> int:
    """The row number of an id. Raises StoreError if it is none."""
    number = parse_id(message_id)
    if number is None:
        raise StoreError(f"{message_id[:40]!r} is no message id")
    return number


def prepare(new: NewMessage, *, inline: bool) -> Prepared:
    """Turns `new` into values to bind; its octets are among them if `inline`.

    Raises StoreError for text that is not Unicode: here, where it is one message's trouble and not its whole group's.
    """
    envelope, session = new.envelope, new.session
    number = number_of(new.id)
    treatments = new.treatments
    recipients: list[Any] = []
    for position, recipient in enumerate(envelope.recipients):
        junk, state = False, State.QUEUED
        if treatments:
            junk, state = treatments[position].junk, treatments[position].state
        notify = " ".join(recipient.notify)
        recipients += (number, position, recipient.address, notify, recipient.orcpt, junk, state.value, recipient.via)
    message = (
        number,
        session.received_at,
        session.client_ip,
        session.ehlo_domain,
        session.protocol,
        _write_tls(session.tls),
        session.relay_ip,
        envelope.mail_from,
        _flags(envelope, new.proven),
        envelope.size,
        envelope.ret,
        envelope.envid,
        new.reason,
        session.account,
        len(new.body),
        zlib.crc32(new.body),
        new.body if inline else None,
    )
    text = "".join([value for value in (*message, *recipients) if value.__class__ is str])
    if not text.isascii() and _LONE_SURROGATE.search(text):
        raise StoreError(f"{new.id}: its envelope is not Unicode text")
    return Prepared(
        number=number,
        message=message,
        recipients=tuple(recipients),
        recipient_count=len(envelope.recipients),
        in_file=not inline,
    )


def _flags(envelope: Envelope, proven: bool) -> int:
    flags = _EIGHT_BIT if envelope.body is Body.EIGHT_BIT else 0
    if envelope.smtputf8:
        flags |= _SMTPUTF8
    if envelope.requiretls:
        flags |= _REQUIRETLS
    return flags | _PROVEN if proven else flags


def _write_tls(tls: Tls | None) -> str | None:
    return f"{tls.version} {tls.cipher} {tls.bits} {int(tls.verified)}" if tls else None


def _read_tls(text: str | None) -> Tls | None:
    if not text:
        return None
    version, cipher, bits, verified = text.split(" ")
    return Tls(version=version, cipher=cipher, bits=int(bits), verified=verified == "1")


def read_recipient(row: tuple[Any, ...]) -> SpooledRecipient:
    """One row of RECIPIENT_COLUMNS."""
    _, position, address, notify, orcpt, junk, state, attempts, due, tried, reply, route, bounce, relay, via = row
    return SpooledRecipient(
        position=position,
        recipient=Recipient(address=address, notify=tuple(notify.split()), orcpt=orcpt, via=via),
        state=State(state),
        junk=bool(junk),
        attempts=attempts,
        next_try=due,
        last_try=tried,
        last_reply=reply,
        route=route,
        bounce=bounce,
        last_relay=relay,
    )


def read_message(row: tuple[Any, ...], recipients: Iterable[SpooledRecipient]) -> Spooled:
    """One row of MESSAGE_COLUMNS with its recipients."""
    (
        number,
        received_at,
        client_ip,
        ehlo,
        protocol,
        tls,
        relay_ip,
        mail_from,
        flags,
        declared,
        ret,
        envid,
        reason,
        account,
        size,
    ) = row
    copies = tuple(recipients)
    return Spooled(
        id=write_id(number),
        envelope=Envelope(
            mail_from=mail_from,
            recipients=tuple(copy.recipient for copy in copies),
            body=Body.EIGHT_BIT if flags & _EIGHT_BIT else Body.SEVEN_BIT,
            smtputf8=bool(flags & _SMTPUTF8),
            size=declared,
            ret=ret,
            envid=envid,
            requiretls=bool(flags & _REQUIRETLS),
        ),
        session=Session(
            client_ip=client_ip,
            ehlo_domain=ehlo,
            protocol=protocol,
            tls=_read_tls(tls),
            relay_ip=relay_ip,
            account=account,
            received_at=received_at,
        ),
        received_at=received_at,
        size=size,
        proven=bool(flags & _PROVEN),
        reason=reason,
        recipients=copies,
    )
