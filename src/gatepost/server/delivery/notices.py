"""Word to senders and to postmaster, as messages of our own for the spool.

In: a message and what became of its recipients. Out: `NewMessage`s with the null reverse-path (RFC 3461 §6.1).
Standard: RFC 3464 (reports), RFC 3834 (marked as automatic), RFC 5321 §4.5.5. Who may be told is decided in `settle`;
the report's form is `message.dsn`. Notices to postmaster are few: what is beyond the hour's share is only in the log.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from gatepost.message.dsn import Action, DsnRecipient, write_dsn
from gatepost.names import Body, Envelope, Recipient, Session
from gatepost.server.delivery.settings import HOUR, DeliverySettings
from gatepost.server.delivery.settle import Settled, Tell
from gatepost.server.notice import write_notice
from gatepost.store.spool.spooled import NewMessage, Spooled

LOCAL = "LOCAL"  # the protocol of mail that was made here

Resolve = Callable[[str], tuple[str, ...]]
Sign = Callable[[bytes, float], bytes]


class Notices:
    """Composes them. `resolve` gives the final addresses of an address (aliases expanded), none when mail for it cannot
    leave from here; `next_id` gives spool ids; `sign` puts our signatures on top."""

    def __init__(
        self,
        *,
        hostname: str,
        postmaster: str,
        settings: DeliverySettings,
        resolve: Resolve,
        next_id: Callable[[float], str],
        sign: Sign = lambda octets, now: octets,
    ) -> None:
        self._hostname = hostname
        self._postmaster = postmaster
        self._settings = settings
        self._resolve = resolve
        self._next_id = next_id
        self._sign = sign
        self._to_postmaster: deque[float] = deque(maxlen=max(1, settings.postmaster_notices))

    def can_report(self, spooled: Spooled) -> bool:
        """True when a report to this message's sender has a way to go."""
        return bool(spooled.envelope.mail_from) and bool(self._resolve(spooled.envelope.mail_from))

    def compose(self, spooled: Spooled, settled: Sequence[Settled], raw: bytes, now: float) -> list[NewMessage]:
        """One report to the sender about all that concerns him, one notice to postmaster about what was kept."""
        to_sender = [entry for entry in settled if entry.tell not in (None, Tell.POSTMASTER)]
        kept = [entry for entry in settled if entry.tell is Tell.POSTMASTER]
        notices = []
        if to_sender:
            notices.append(self._report(spooled, to_sender, raw, now))
        if kept and self._postmaster and self._may_write_to_postmaster(now):
            notices.append(self._notice(spooled, kept, now))
        return notices

    def _report(self, spooled: Spooled, settled: Sequence[Settled], raw: bytes, now: float) -> NewMessage:
        envelope, message_id = spooled.envelope, self._next_id(now)
        addresses = (envelope.mail_from, *(entry.recipient.address for entry in settled))
        utf8 = envelope.smtputf8 and not all(map(str.isascii, addresses))
        octets = write_dsn(
            reporting_mta=self._hostname,
            sender=envelope.mail_from,
            recipients=[self._fields(spooled, entry, now) for entry in settled],
            original=raw,
            message_id=f"{message_id}@{self._hostname}",
            now=now,
            arrival=spooled.received_at,
            envid=envelope.envid,
            ret=None if envelope.requiretls else envelope.ret,  # RFC 8689 §5: RET=FULL is disregarded then
            utf8=utf8,
        )
        about = {"notice": "report", "about": spooled.id, "told": sorted({str(entry.tell) for entry in settled})}
        protected = envelope.requiretls  # RFC 8689 §5: the report MUST be protected like the message
        return self._message(message_id, envelope.mail_from, octets, about, now, smtputf8=utf8, requiretls=protected)

    def _fields(self, spooled: Spooled, entry: Settled, now: float) -> DsnRecipient:
        result, recipient = entry.result, entry.recipient.recipient
        by_hop = result.reply_code > 0
        late = entry.tell is Tell.DELAYED
        return DsnRecipient(
            final_recipient=recipient.address,
            action=Action(str(entry.tell)),
            status=result.code,
            original_recipient=recipient.orcpt or "",
            remote_mta=host_of(result.relay) if by_hop else "",
            diagnostic=result.text,
            diagnostic_type="smtp" if by_hop else "x-gatepost",
            last_attempt=now,
            will_retry_until=spooled.received_at + self._settings.expire if late else None,
        )

    def _may_write_to_postmaster(self, now: float) -> bool:
        recent = self._to_postmaster
        if len(recent) == recent.maxlen and 0 <= now - recent[0] < HOUR:
            return False
        recent.append(now)
        return self._settings.postmaster_notices > 0

    def _notice(self, spooled: Spooled, kept: Sequence[Settled], now: float) -> NewMessage:
        """Plain text with what it takes to decide; the message itself stays in quarantine."""
        message_id = self._next_id(now)
        lines = [
            "This mail could not be delivered. Its sender is not proven to be who he says, or cannot be",
            "reached from here, so nobody was told: a report might go to somebody who never wrote.",
            "It is in quarantine.",
            "",
            f"  message  {spooled.id}",
            f"  from     <{spooled.envelope.mail_from}>, handed in by [{spooled.session.client_ip}]",
            *(f"  to       <{entry.recipient.address}>: {entry.result.code} {entry.result.text}" for entry in kept),
            "",
            f"Look at it:   gatepost quarantine show {spooled.id}",
            f"Deliver it:   gatepost quarantine release {spooled.id}",
            f"Delete it:    gatepost quarantine delete {spooled.id}",
        ]
        octets = write_notice(
            hostname=self._hostname,
            to=self._postmaster,
            subject=f"Mail kept in quarantine: {spooled.id}",
            lines=lines,
            message_id=message_id,
            now=now,
        )
        return self._message(message_id, self._postmaster, octets, {"notice": "kept", "about": spooled.id}, now)

    def _message(
        self,
        message_id: str,
        to: str,
        octets: bytes,
        about: Mapping[str, object],
        now: float,
        *,
        smtputf8: bool = False,
        requiretls: bool = False,
    ) -> NewMessage:
        addresses = self._resolve(to) or (to,)
        return NewMessage(
            id=message_id,
            envelope=Envelope(
                mail_from="",
                # RFC 3461 §6.1: a report is sent with NOTIFY=NEVER, as nobody must be told of its failure
                recipients=tuple(Recipient(address=address, notify=("NEVER",)) for address in addresses),
                body=Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT,
                smtputf8=smtputf8,
                requiretls=requiretls,
            ),
            session=Session(protocol=LOCAL, received_at=now),
            body=self._sign(octets, now),
            reason=json.dumps(about),
        )


def host_of(relay: str) -> str:
    """The name, else the address, of a hop's label: "mail.example[192.0.2.1]:25" is mail.example."""
    name, _, rest = relay.partition("[")
    return name or rest.partition("]")[0]
